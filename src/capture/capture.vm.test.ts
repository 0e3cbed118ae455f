import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, type TestFunction } from 'vitest';
import { guestKernel, lacking, needs, program } from '../../test/support/needs.ts';
import { guestPath } from '../lab/guest.ts';
import { runInLab } from '../lab/run.ts';
import type { Finding } from './doctor.ts';

/** What test/capture-guest.mjs says of one run of `whocalls record`. */
interface Run {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: { total: number; attributed: number; losses: { code: string; count: number }[] } | null;
  /** Calls by comm, and by `site/comm`. */
  readonly comms: Record<string, number>;
  readonly sites: Record<string, number>;
  readonly trees: string[];
  readonly notes: string[];
  readonly warnings: string[];
  readonly walks?: { walked: number; checked: number; differed: number };
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const N = 100_000;
/** Emulated processors are slow. */
const DEADLINE = 590_000;

/** Counts known programs, which are compiled here. */
const COMPILER = program('cc', 'gcc libc6-dev');
const canCount = (series: string) => COMPILER === null && guestKernel(series) === null;

const programs = mkdtempSync(join(tmpdir(), 'whocalls-programs-'));
afterAll(() => rmSync(programs, { recursive: true, force: true }));

beforeAll(() => {
  if (!SERIES.some(canCount)) return;
  for (const name of ['epoll-adds', 'many-stacks', 'user-calls']) {
    const source = join(ROOT, 'test', 'programs', `${name}.c`);
    const flags = ['-O0', '-fno-omit-frame-pointer', '-o', join(programs, name)];
    const { status, stderr } = spawnSync('cc', [...flags, source], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  }
  const build = spawnSync(process.execPath, [join(ROOT, 'tools', 'setup.cjs')], { encoding: 'utf8' });
  if (build.status !== 0) throw new Error(build.stderr);
});

const SERIES = ['6.1', '6.12'] as const;
/** What does not depend on the kernel is tried on this one only. */
const WITH_EVERYTHING = '6.12';

/** Everything one guest found out. */
type Findings = Record<string, Run> & {
  readonly doctor: readonly Finding[];
  readonly perf?: { readonly count: number };
  readonly userKept?: readonly Run[];
  readonly killed: { readonly armed: boolean; readonly probesArmed: string; readonly gone: boolean };
  readonly unprivileged: { readonly status: number; readonly stderr: string };
  readonly withoutBpf?: { readonly status: number; readonly stdout: string; readonly stderr: string };
};

const findings = new Map<string, Findings>();

beforeAll(async () => {
  for (const series of SERIES.filter(canCount)) findings.set(series, await findOut(series));
}, 2 * DEADLINE);

async function findOut(series: string): Promise<Findings> {
  const files = ['test/capture-guest.mjs', 'dist/cli/main.cjs'].map((file) => guestPath(join(ROOT, file)));
  const words = [
    guestPath(process.execPath),
    ...files,
    guestPath(programs),
    ...(series === WITH_EVERYTHING ? ['all'] : []),
  ];
  const result = await runInLab({ kernel: series, accelerator: 'tcg', memory: 2048, timeout: 560 }, words);
  const text = result.stdout.toString();
  if (result.status !== 0) throw new Error(`status ${result.status}: ${result.stderr}\n${text.slice(0, 2000)}`);
  return JSON.parse(text);
}

describe.each(SERIES)('counting calls on Linux %s', (series) => {
  const here = needs(COMPILER, guestKernel(series));
  /** A test that is made for one kernel only. */
  const once = (name: string, options: typeof here, test: TestFunction): void => {
    if (series === WITH_EVERYTHING) it(name, options, test);
  };
  const facts = () => {
    const found = findings.get(series);
    if (!found) throw new Error(`the guest with Linux ${series} found out nothing`);
    return found;
  };

  const run = (name: string): Run => {
    const found = facts()[name];
    if (!found) throw new Error(`no run ${name}`);
    return found;
  };

  /** Everything was attributed, and the report came with COMMAND's status. */
  const expectComplete = (name: string) => {
    const { status, calls, stderr } = run(name);
    expect({ status, losses: calls?.losses, stderr }).toEqual({ status: 0, losses: [], stderr: '' });
    expect(calls?.attributed).toBe(calls?.total);
  };

  it('says that every engine works, and what this kernel lacks', here, () => {
    const { doctor } = facts();
    const lacks = (kind: Finding['kind']) =>
      doctor.filter((one) => one.kind === kind && !one.works).map(({ what }) => what);
    expect(lacks('engine')).toEqual([]);
    // Probed, and as the versions have it: these are stock kernels.
    const missing = series === '6.1' ? ['common_stacktrace', 'ORC signal bit', 'miss counters'] : [];
    expect(lacks('feature')).toEqual(missing);
    expect(doctor.find(({ kind }) => kind === 'slots')?.detail).toBe('4 free');
  });

  it('counts 100,000 inserts exactly, by hardware breakpoint', here, () => {
    expectComplete('breakpoint');
    expect(run('breakpoint').comms['do_epoll_ctl/epoll-adds']).toBe(N);
  });

  it('counts 200,000 calls exactly by kprobe, and as exactly by tracepoint and histogram', here, () => {
    const wanted = { kprobe: 2 * N, tracepoint: 40_000, hist: 40_000 };
    for (const [name, total] of Object.entries(wanted)) {
      expectComplete(name);
      expect([name, run(name).calls?.total]).toEqual([name, total]);
    }
  });

  it('recognises known stacks by walking them, as the kernel would have taken them', here, () => {
    for (const [name, calls] of [
      ['breakpoint', N],
      ['kprobe', 2 * N],
    ] as const) {
      const { walked = 0, checked = 0, differed } = run(name).walks ?? {};
      expect([name, walked > 0.99 * calls, checked > 0.9 * (walked / 256), differed]).toEqual([name, true, true, 0]);
    }
    expectComplete('notWalked');
    expect(run('notWalked').walks).toEqual({ walked: 0, checked: 0, differed: 0 });
    expect(run('notWalked').calls?.total).toBe(10_000);
    expect(run('notWalked').sites).toEqual({ sys_epoll_ctl: 10_000 });
    expect(run('kprobe').sites).toEqual({ sys_epoll_ctl: 2 * N });
    if (facts().dbBench) expect(run('dbBench').walks?.differed).toBe(0);
  });

  it('agrees with perf, which watches the same run', here, ({ skip }) => {
    const { perf } = facts();
    if (!perf) return skip(lacking('no perf', 'apt-get install linux-perf'));
    expectComplete('beside');
    expect(run('beside').comms['do_epoll_ctl/epoll-adds']).toBe(2000);
    // The two do not begin and end at the same moment: a timer may fire in between.
    const total = run('beside').comms['epoll-adds'] ?? 0;
    expect(Math.abs(perf.count - total)).toBeLessThanOrEqual(5);
  });

  it('counts functions of programs exactly, by the function that called', here, () => {
    expectComplete('user');
    const { sites, calls } = run('user');
    expect(calls?.total).toBe(6000);
    // a function that calls itself has its first caller as site, or none where the stack is too deep to hold it
    expect(sites).toEqual({ often: 3000, seldom: 2000, main: 126, '(no caller)': 874 });
    if (series !== WITH_EVERYTHING) return;
    expectComplete('malloc');
    expect(run('malloc').comms['main/user-calls']).toBe(1000);
  });

  once('reads the same groups back from what it keeps', here, () => {
    for (const { sites, calls } of facts().userKept ?? []) {
      expect([sites, calls?.total]).toEqual([{ often: 3000, seldom: 2000 }, 5000]);
    }
    expect(facts().userKept).toHaveLength(2);
  });

  it('keeps 20,000 distinct stacks, and accounts for every call when there is room for 100', here, () => {
    expectComplete('manyStacks');
    expect(run('manyStacks').calls?.total).toBe(40_000);
    const few = run('fewStacks');
    expect(few.calls).toEqual({
      total: 4000,
      attributed: 200,
      losses: [expect.objectContaining({ code: 'map-full', map: 'stacks', count: 3800 })],
    });
  });

  it('two runs at once do not disturb each other', here, () => {
    // What one of them does with its maps can keep the other's program from running for a moment: that is counted too.
    const { calls } = run('outer');
    const lost = calls?.losses.reduce((sum, { count }) => sum + count, 0) ?? 0;
    expect((calls?.attributed ?? 0) + lost).toBe(calls?.total);
    expect(run('outer').comms['do_epoll_ctl/epoll-adds']).toBe(5000);
    expect(run('inner').calls).toEqual({ total: 10_000, attributed: 10_000, losses: [] });
  });

  it('accounts for a benchmark', here, ({ skip }) => {
    if (!facts().dbBench) skip(lacking('no db_bench of RocksDB', 'apt-get install rocksdb-tools'));
    const { calls, trees, stdout } = run('dbBench');
    expect(calls?.attributed).toBeGreaterThan(0.9999 * (calls?.total ?? 0));
    expect(calls?.total).toBeGreaterThan(1000);
    expect(trees).toContain('cfs-run-queue');
    expect(stdout).toContain('readrandom');
  });

  it('leaves nothing armed when it is killed', here, () => {
    expect(facts().killed).toMatchObject({ armed: true, gone: true });
    expect(facts().killed.probesArmed).toContain('do_epoll_ctl');
    // Four breakpoints are all there are: had one stayed, these would not fit.
    expectComplete('afterKill');
  });

  once('counts only what was asked for', here, () => {
    expect(run('onlyCommand').calls?.total).toBe(2000);
    expectComplete('notMine');
    expect(run('notMine').calls?.total).toBe(0);
  });

  once('takes several cgroups together', here, () => {
    expect(run('bothCgroups').calls?.total).toBe(100);
    expect(run('otherCgroup').calls?.total).toBe(0);
  });

  once('counts nothing after the command has ended, however long it takes to disarm', here, () => {
    expectComplete('many');
    expect(run('many').sites.sys_epoll_ctl).toBe(200);
  });

  once('counts for a process until it ends', here, () => {
    expectComplete('pid');
    expect(run('pid').calls?.total).toBe(100);
  });

  once('knows its own calls by name, and counts them where asked to', here, () => {
    expect(run('self').comms.whocalls).toBeGreaterThan(0);
    expect(run('many').comms.whocalls).toBeUndefined();
  });

  once('knows processes by the numbers they have where it runs', here, () => {
    expect(run('inside').calls).toEqual({ total: 100, attributed: 100, losses: [] });
  });

  once('loses nothing where tasks are preempted while they are counted', here, ({ skip }) => {
    if (!facts().preempted) skip(lacking('no fully preemptible kernel', 'bin/whocalls lab setup --kernel 6.12'));
    expectComplete('preempted');
    expect(run('preempted').calls?.total).toBe(32_000);
  });

  once('accounts for what histograms miss', here, () => {
    const { total = 0, attributed, losses } = run('histMissed').calls ?? {};
    expect([attributed, losses]).toEqual([
      2000,
      [expect.objectContaining({ code: 'kprobe-skipped', count: total - 2000 })],
    ]);
    expect(total).toBeGreaterThanOrEqual(4000);
  });

  once('finds tasks by names that the kernel cut off within a letter', here, () => {
    expect(run('umlauts').comms).toEqual({
      'äääääää\\xc3': 100,
      'sys_epoll_ctl/äääääää\\xc3': 100,
    });
  });

  once('survives processors that come and go, and says what that costs', here, () => {
    expectComplete('hotplug');
    expect(run('hotplug').comms['do_epoll_ctl/epoll-adds']).toBe(125);
    expect(run('hotplug').warnings).toEqual([
      'CPU 1 was offline for a time while calls were counted: calls on it after that are not in the total.',
    ]);
  });

  once('passes output, status, user and limits of the command through', here, () => {
    expect(run('asUser').status).toBe(0);
    expect(run('asUser').stdout).toMatch(/^nobody\n777\n/);
    expect(run('onlyCommand').status).toBe(7);
  });

  once('reports when it is interrupted or the time is up', here, () => {
    expect(run('interrupted').calls?.total).toBe(600);
    expect([run('open').status, run('open').calls?.total]).toEqual([0, 100]);
    expect(run('duration').status).toBe(0);
    expect(run('duration').calls?.total).toBeGreaterThan(0);
  });

  once('counts by histogram where BPF is refused, and says so', here, () => {
    expect(facts().withoutBpf).toMatchObject({ status: 0, stderr: '' });
    expect(facts().withoutBpf?.stdout).toContain('Total 20 calls');
    expect(facts().withoutBpf?.stdout).toContain('BPF is refused here (bpf map whocalls_counts: EPERM)');
  });

  once('refuses in one line', here, () => {
    const { missing, typo } = facts();
    expect(run('fiveBreakpoints')).toMatchObject({ status: 1, calls: null });
    expect(run('fiveBreakpoints').stderr).toContain(
      'rb_first cannot be counted: breakpoint: the processor has no breakpoint left',
    );
    expect([missing?.status, missing?.stderr]).toEqual([
      127,
      'whocalls: cannot run no-such-command: no such command\n',
    ]);
    expect(run('tooLarge')).toMatchObject({ status: 1, calls: null });
    expect(run('tooLarge').stderr).toMatch(/^whocalls: not enough memory for the maps .*--max-stacks.*\n$/);
    expect(typo?.status).toBe(1);
    expect(typo?.stderr).toBe(
      'whocalls: no kernel function is called rb_insert_colour; did you mean rb_insert_color? If not, it may be inlined everywhere.\n',
    );
    expect(facts().unprivileged.status).toBe(1);
    expect(facts().unprivileged.stderr).toMatch(/^whocalls: .*needs root.*whocalls lab.*\n$/);
  });
});
