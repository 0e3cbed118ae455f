import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labAvailability } from '../lab/availability.ts';
import { guestPath } from '../lab/guest.ts';
import { matches } from '../lab/kernels.ts';
import { runInLab } from '../lab/run.ts';

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

const { ready, missing, kernels } = labAvailability();
if (!ready) console.warn(`skipped: virtual machine tests need ${missing.join(', ')} (whocalls lab setup --kernel all)`);
const compiler = spawnSync('cc', ['--version']).status === 0;
if (!compiler) console.warn('skipped: counting known programs needs a C compiler (cc)');

const programs = mkdtempSync(join(tmpdir(), 'whocalls-programs-'));
afterAll(() => rmSync(programs, { recursive: true, force: true }));

beforeAll(() => {
  if (!ready || !compiler) return;
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
const isPresent = (series: string) => kernels.some(({ release }) => matches(release, series));

/** Everything one guest found out. */
type Findings = Record<string, Run> & {
  readonly perf?: { readonly count: number };
  readonly userKept?: readonly Run[];
  readonly killed: { readonly armed: boolean; readonly probesArmed: string; readonly gone: boolean };
  readonly unprivileged: { readonly status: number; readonly stderr: string };
  readonly withoutBpf?: { readonly status: number; readonly stdout: string; readonly stderr: string };
};

const findings = new Map<string, Findings>();

beforeAll(async () => {
  if (!ready || !compiler) return;
  for (const series of SERIES.filter(isPresent)) findings.set(series, await findOut(series));
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

describe.skipIf(!ready || !compiler).each(SERIES)('counting calls on Linux %s', (series) => {
  const present = isPresent(series);
  const isWhole = present && series === WITH_EVERYTHING;
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

  it.skipIf(!present)('counts 100,000 inserts exactly, by hardware breakpoint', () => {
    expectComplete('breakpoint');
    expect(run('breakpoint').comms['do_epoll_ctl/epoll-adds']).toBe(N);
  });

  it.skipIf(!present)('counts 200,000 calls exactly by kprobe, and as exactly by tracepoint and histogram', () => {
    const wanted = { kprobe: 2 * N, tracepoint: 40_000, hist: 40_000 };
    for (const [name, total] of Object.entries(wanted)) {
      expectComplete(name);
      expect([name, run(name).calls?.total]).toEqual([name, total]);
    }
  });

  it.skipIf(!present)('recognises known stacks by walking them, as the kernel would have taken them', () => {
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

  it.skipIf(!present)('agrees with perf, which watches the same run', () => {
    const { perf } = facts();
    if (!perf) return console.warn('skipped: perf is not installed');
    expectComplete('beside');
    expect(run('beside').comms['do_epoll_ctl/epoll-adds']).toBe(2000);
    // The two do not begin and end at the same moment: a timer may fire in between.
    const total = run('beside').comms['epoll-adds'] ?? 0;
    expect(Math.abs(perf.count - total)).toBeLessThanOrEqual(5);
  });

  it.skipIf(!present)('counts functions of programs exactly, by the function that called', () => {
    expectComplete('user');
    const { sites, calls } = run('user');
    expect(calls?.total).toBe(6000);
    // a function that calls itself has its first caller as site, or none where the stack is too deep to hold it
    expect(sites).toEqual({ often: 3000, seldom: 2000, main: 126, '(no caller)': 874 });
    if (!isWhole) return;
    expectComplete('malloc');
    expect(run('malloc').comms['main/user-calls']).toBe(1000);
  });

  it.skipIf(!isWhole)('reads the same groups back from what it keeps', () => {
    for (const { sites, calls } of facts().userKept ?? []) {
      expect([sites, calls?.total]).toEqual([{ often: 3000, seldom: 2000 }, 5000]);
    }
    expect(facts().userKept).toHaveLength(2);
  });

  it.skipIf(!present)('keeps 20,000 distinct stacks, and accounts for every call when there is room for 100', () => {
    expectComplete('manyStacks');
    expect(run('manyStacks').calls?.total).toBe(40_000);
    const few = run('fewStacks');
    expect(few.calls).toEqual({
      total: 4000,
      attributed: 200,
      losses: [expect.objectContaining({ code: 'map-full', map: 'stacks', count: 3800 })],
    });
  });

  it.skipIf(!present)('two runs at once do not disturb each other', () => {
    // What one of them does with its maps can keep the other's program from running for a moment: that is counted too.
    const { calls } = run('outer');
    const lost = calls?.losses.reduce((sum, { count }) => sum + count, 0) ?? 0;
    expect((calls?.attributed ?? 0) + lost).toBe(calls?.total);
    expect(run('outer').comms['do_epoll_ctl/epoll-adds']).toBe(5000);
    expect(run('inner').calls).toEqual({ total: 10_000, attributed: 10_000, losses: [] });
  });

  it.skipIf(!present)('accounts for a benchmark', () => {
    if (!facts().dbBench) return console.warn('skipped: db_bench (rocksdb-tools) is not installed');
    const { calls, trees, stdout } = run('dbBench');
    expect(calls?.attributed).toBeGreaterThan(0.9999 * (calls?.total ?? 0));
    expect(calls?.total).toBeGreaterThan(1000);
    expect(trees).toContain('cfs-run-queue');
    expect(stdout).toContain('readrandom');
  });

  it.skipIf(!present)('leaves nothing armed when it is killed', () => {
    expect(facts().killed).toMatchObject({ armed: true, gone: true });
    expect(facts().killed.probesArmed).toContain('do_epoll_ctl');
    // Four breakpoints are all there are: had one stayed, these would not fit.
    expectComplete('afterKill');
  });

  it.skipIf(!isWhole)('counts only what was asked for', () => {
    expect(run('onlyCommand').calls?.total).toBe(2000);
    expectComplete('notMine');
    expect(run('notMine').calls?.total).toBe(0);
  });

  it.skipIf(!isWhole)('takes several cgroups together', () => {
    expect(run('bothCgroups').calls?.total).toBe(100);
    expect(run('otherCgroup').calls?.total).toBe(0);
  });

  it.skipIf(!isWhole)('counts nothing after the command has ended, however long it takes to disarm', () => {
    expectComplete('many');
    expect(run('many').sites.sys_epoll_ctl).toBe(200);
  });

  it.skipIf(!isWhole)('counts for a process until it ends', () => {
    expectComplete('pid');
    expect(run('pid').calls?.total).toBe(100);
  });

  it.skipIf(!isWhole)('knows its own calls by name, and counts them where asked to', () => {
    expect(run('self').comms.whocalls).toBeGreaterThan(0);
    expect(run('many').comms.whocalls).toBeUndefined();
  });

  it.skipIf(!isWhole)('knows processes by the numbers they have where it runs', () => {
    expect(run('inside').calls).toEqual({ total: 100, attributed: 100, losses: [] });
  });

  it.skipIf(!isWhole)('loses nothing where tasks are preempted while they are counted', () => {
    if (!facts().preempted) return console.warn('skipped: this kernel cannot be made fully preemptible');
    expectComplete('preempted');
    expect(run('preempted').calls?.total).toBe(32_000);
  });

  it.skipIf(!isWhole)('accounts for what histograms miss', () => {
    const { total = 0, attributed, losses } = run('histMissed').calls ?? {};
    expect([attributed, losses]).toEqual([
      2000,
      [expect.objectContaining({ code: 'kprobe-skipped', count: total - 2000 })],
    ]);
    expect(total).toBeGreaterThanOrEqual(4000);
  });

  it.skipIf(!isWhole)('finds tasks by names that the kernel cut off within a letter', () => {
    expect(run('umlauts').comms).toEqual({
      'äääääää\\xc3': 100,
      'sys_epoll_ctl/äääääää\\xc3': 100,
    });
  });

  it.skipIf(!isWhole)('survives processors that come and go, and says what that costs', () => {
    expectComplete('hotplug');
    expect(run('hotplug').comms['do_epoll_ctl/epoll-adds']).toBe(125);
    expect(run('hotplug').warnings).toEqual([
      'CPU 1 was offline for a time while calls were counted: calls on it after that are not in the total.',
    ]);
  });

  it.skipIf(!isWhole)('passes output, status, user and limits of the command through', () => {
    expect(run('asUser').status).toBe(0);
    expect(run('asUser').stdout).toMatch(/^nobody\n777\n/);
    expect(run('onlyCommand').status).toBe(7);
  });

  it.skipIf(!isWhole)('reports when it is interrupted or the time is up', () => {
    expect(run('interrupted').calls?.total).toBe(600);
    expect([run('open').status, run('open').calls?.total]).toEqual([0, 100]);
    expect(run('duration').status).toBe(0);
    expect(run('duration').calls?.total).toBeGreaterThan(0);
  });

  it.skipIf(!isWhole)('counts by histogram where BPF is refused, and says so', () => {
    expect(facts().withoutBpf).toMatchObject({ status: 0, stderr: '' });
    expect(facts().withoutBpf?.stdout).toContain('Total 20 calls');
    expect(facts().withoutBpf?.stdout).toContain('BPF is refused here (bpf map whocalls_counts: EPERM)');
  });

  it.skipIf(!isWhole)('refuses in one line', () => {
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
