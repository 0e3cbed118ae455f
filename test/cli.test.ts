import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { columns } from '../src/text/columns.ts';
import { type Lack, needs, program } from './support/needs.ts';
import { recording } from './support/recordings.ts';

const WHOCALLS = fileURLToPath(new URL('../bin/whocalls', import.meta.url));
const BUNDLE = fileURLToPath(new URL('../dist/cli/main.cjs', import.meta.url));
const SEED = recording('rbtree-inserts-under-db_bench.txt');
const DMESG = recording('dmesg.txt.gz');
const PERF = recording('perf-script.txt.gz');
const STACKCOUNT = recording('stackcount-folded.txt.gz');

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-cli-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}

function run(args: readonly string[], { input, env }: { input?: string | Uint8Array; env?: NodeJS.ProcessEnv } = {}) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [WHOCALLS, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
    ...(input !== undefined && { input }),
  });
  return { stdout, stderr, status };
}

/** The report of these arguments as JSON. */
function report(...args: string[]) {
  const { stdout, stderr, status } = run(['read', '--format', 'json', ...args]);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Expects failure with one line on stderr and nothing on stdout. */
function fails(args: readonly string[], status: number, message: RegExp, input?: string): void {
  const result = run(args, { input: input ?? '' });
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/^whocalls: [^\n]*\n$/);
  expect([result.status, result.stdout]).toEqual([status, '']);
}

describe('known totals', () => {
  test('of the founding case', () => {
    const { calls, groups, targets, workload, command, schema } = report(SEED);
    expect(schema).toBe('whocalls/report/2');
    expect(calls).toMatchObject({
      total: 1203418,
      attributed: 1191478,
      losses: [{ code: 'not-listed', count: 11940, text: 'not listed in the input' }],
    });
    expect(groups.map((group: { count: number }) => group.count)).toEqual([
      614697, 329874, 208215, 16668, 16083, 5193, 748,
    ]);
    expect(groups.map((group: { site: { name: string } }) => group.site.name)).toEqual([
      'enqueue_task_fair',
      'put_prev_entity',
      '__hrtimer_run_queues',
      'cfq_add_rq_rb',
      '__vma_adjust',
      '__es_insert_extent',
      'tcp_event_new_data_sent',
    ]);
    expect([targets, command]).toEqual([[{ name: 'rbinsert', kind: 'function' }], ['./db_bench']]);
    expect(workload).toMatchObject({
      name: 'db_bench',
      facts: {
        cpuCache: '4096KB',
        keys: '16B each',
        values: '100B each',
        entries: 1000000,
        rawSize: '110.6MB',
        fileSize: '62.9MB',
      },
    });
  });

  test('of several files together', () => {
    const { calls, groups, input } = report(SEED, DMESG, PERF);
    expect(calls).toMatchObject({ total: 1203418 + 3066 + 2007, attributed: 1191478 + 3000 + 2007 });
    expect(groups.reduce((sum: number, group: { count: number }) => sum + group.count, 0)).toBe(calls.attributed);
    expect(input.files.map(({ format }: { format: string }) => format)).toEqual([
      'counted-traces',
      'dmesg',
      'perf-script',
    ]);
  });

  const plain = gunzipSync(readFileSync(PERF));
  const packed = (tool: string) => execFileSync(tool, ['-c'], { input: plain, maxBuffer: 1 << 26 });
  const compressed: [string, () => Uint8Array][] = [
    ['plain', () => plain],
    ['gzip', () => readFileSync(PERF)],
    ['zstd', () => packed('zstd')],
    ['xz', () => packed('xz')],
  ];
  const packers: Readonly<Record<string, Lack>> = { zstd: program('zstd', 'zstd'), xz: program('xz', 'xz-utils') };
  for (const [name, bytes] of compressed) {
    test(`of perf script ${name}, from a file and from standard input`, needs(packers[name] ?? null), () => {
      // Neither the name nor its ending says what it is.
      expect(report(file('recording', bytes())).calls.total).toBe(2007);
      const { stdout } = run(['read', '--format', 'json', '-'], { input: bytes() });
      expect(JSON.parse(stdout).calls.total).toBe(2007);
    });
  }
});

test('a recording exported and read back says the same', () => {
  const perf = report(PERF);
  const figures = ({ calls, groups }: typeof perf) => [
    calls,
    groups.map(({ site, count, entries }: typeof perf) => [site, count, entries]),
  ];
  for (const ending of ['folded', 'pb.gz']) {
    const out = join(scratch, `perf.${ending}`);
    const { status, stdout } = run(['export', PERF, '--to', ending === 'folded' ? 'folded' : 'pprof', '-o', out]);
    expect([status, stdout]).toEqual([0, '']);
    expect(figures(report(out))).toEqual(figures(perf));
  }
  const csv = run(['export', PERF, '--to', 'csv']).stdout.split('\r\n');
  expect(csv[0]).toContain('rank,count,share');
  expect(csv.length).toBe(perf.groups.length + 2);
});

test('--by, --where and --top change what is shown, not what was counted', () => {
  for (const by of ['tree', 'syscall', 'cpu', 'stack']) {
    const { calls, groups } = report('--by', by, PERF);
    expect(calls.total, by).toBe(2007);
    expect(
      groups.reduce((sum: number, group: { count: number }) => sum + group.count, 0),
      by,
    ).toBe(2007);
  }
  const { calls, groups } = report('--where', 'comm=db_bench && !entry=write', '--top', '2', DMESG);
  expect(calls.total).toBe(3066);
  expect(groups).toHaveLength(3);
  expect(groups[2]).toMatchObject({ rank: null, key: null, site: null });
  expect(groups.reduce((sum: number, group: { count: number }) => sum + group.count, 0)).toBe(calls.matching);
});

describe('wrong usage is one line and status 2', () => {
  test.each([
    [['read'], /missing required argument/],
    [['read', '--bogus', SEED], /unknown option '--bogus'.*see 'whocalls read -h'/],
    [['read', '--by', 'colour', SEED], /--by.*'colour' is invalid.*site, subject/],
    [['read', '--format', 'yaml', SEED], /--format.*'yaml' is invalid/],
    [['read', '--top', 'many', SEED], /--top.*whole number/],
    [['read', '--top', '-1', SEED], /--top/],
    [['read', '--input-format', 'perf.data', SEED], /unknown input format 'perf.data' \(known: perf-data, pprof/],
    [['read', '--where', 'comm', SEED], /--where: expected =, !=, ~ or !~ at column 5/],
    [['read', '--where', 'colour=red', SEED], /unknown field 'colour' \(known: site, subject/],
    [['read', '--where', 'comm~(', SEED], /'\(' is not a regular expression at column 6/],
    [['read', '--where', 'comm="a', SEED], /missing closing "/],
    [['read', '--where', '(comm=a', SEED], /expected \)/],
    [['read', '--format', 'folded', '--where', 'comm=a', SEED], /--where cannot be combined/],
    [['vfs_write', '-o', 'a.pb.gz', '--where', 'comm=a', '--', 'echo'], /--where cannot be combined/],
    [['read', '-o', 'a.json.gz', SEED], /-o a\.json\.gz: no format goes with this ending \(known: \.txt, \.json/],
    [['vfs_write', '-o', 'a.xyz', '--', 'echo', 'ran'], /-o a\.xyz: no format goes with this ending/],
    [['export', SEED], /'--to <format>' not specified/],
    [['export', SEED, '--to', 'text'], /--to.*'text' is invalid/],
    [['--bogus'], /unknown option '--bogus'/],
    [['vfs_write', '--cpu', '3-1'], /--cpu.*'3-1' is invalid.*ranges/],
    [['vfs_write', '--cpu', '0-1-2'], /--cpu.*'0-1-2' is invalid.*ranges/],
    [['vfs_write', '--cpu', '0-'], /--cpu.*whole number/],
    [['vfs_write', '--duration', '5x'], /--duration.*'5x' is invalid.*500ms, 5s or 2m/],
    [['vfs_write', '--time-buckets', '-1'], /--time-buckets.*'-1' is invalid.*whole number from 0/],
    [['vfs_write', '--keys', 'arg0'], /--keys arg0: arguments are numbered from 1/],
  ])('%j', (args, message) => {
    fails(args, 2, message);
  });
});

test('--cpu takes ranges', () => {
  fails(['vfs_write', '--cpu', '60001-60003,60010', '--', 'true'], 1, /--cpu 60001,60002,60003,60010: not online/);
});

describe('nothing usable is one line and status 1', () => {
  const cases: [string, () => string[], RegExp][] = [
    ['missing file', () => ['/no/such/file'], /no such file: \/no\/such\/file/],
    ['a directory without files', () => [mkdtempSync(join(scratch, 'none-'))], /is a directory without files/],
    ['empty file', () => [file('empty', '')], /is empty/],
    ['empty standard input', () => ['-'], /standard input is empty/],
    [
      'binary junk',
      () => [file('junk', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31) % 256)))],
      /no known format \(tried perf-data,/,
    ],
    ['prose', () => [file('prose', 'Once upon a time\nthere was a kernel.\n')], /no known format/],
    ['invalid UTF-8', () => [file('latin1', Buffer.from('\xe9t\xe9 \xff\xfe\n', 'latin1'))], /no known format/],
    ['a line of 10 MB', () => [file('long', Buffer.alloc(10 << 20, 'x'))], /no known format/],
    [
      'a log without traces',
      () => [file('log', '[    0.000000] Linux version 6.1.0\n')],
      /has no stacks \(read as dmesg\)/,
    ],
    ['a differential file', () => [file('diff', 'a;b;c 1 2\n')], /line 1: a differential folded file/],
    ['a cut gzip file of 20 bytes', () => [file('cut.gz', readFileSync(PERF).subarray(0, 20))], /data end too early/],
    [
      'the wrong format',
      () => ['--input-format', 'perf-script', SEED],
      /has no stacks \(read as perf-script\); line 1: /,
    ],
  ];
  test.each(cases)('%s', (_name, args, message) => fails(['read', ...args()], 1, message));

  test('no permission', () => {
    const path = file('secret', 'x');
    chmodSync(path, 0);
    chmodSync(scratch, 0o755);
    // Root may read anything: be nobody.
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const { stderr, status } = spawnSync(process.execPath, [BUNDLE, 'read', path], { encoding: 'utf8', ...user });
    expect(stderr).toBe(`whocalls: no permission to read ${path}\n`);
    expect(status).toBe(1);
  });

  test.each(['text', 'json', 'csv'])('a report of whocalls as %s', (format) => {
    const { stdout } = run(['read', SEED, '--format', format]);
    fails(['read', '-'], 1, /standard input is a report of whocalls.* -o FILE\.pb\.gz or FILE\.folded/, stdout);
  });

  test('a file that cannot be written', () => {
    const missing = join(scratch, 'no', 'such', 'folder');
    fails(['export', SEED, '--to', 'csv', '-o', missing], 1, /cannot write .*no such/i);
    // It is said before anything is read, or COMMAND runs.
    fails(['read', '/no/such/file', '-o', missing], 1, /cannot write .*no such/i);
    fails(['vfs_write', '-o', missing, '--', 'echo', 'ran'], 1, /cannot write .*no such/i);
    fails(['vfs_write', '-o', scratch, '--', 'echo', 'ran'], 1, /cannot write .*it is a directory/);
  });
});

test('of several files the good ones are reported, the bad ones named', () => {
  const { stdout, stderr, status } = run(['read', '--format', 'json', SEED, '/no/such/file']);
  expect(status).toBe(0);
  expect(stderr).toBe('whocalls: no such file: /no/such/file\n');
  expect(JSON.parse(stdout).calls.total).toBe(1203418);
});

test('a cut recording is reported as far as it goes, and said to be cut', () => {
  const cut = file('cut-recording.gz', readFileSync(DMESG).subarray(0, 200_000));
  const { input, calls } = report(cut);
  expect(input.files).toMatchObject([{ truncated: 'the gzip data end too early' }]);
  expect(calls.attributed).toBeGreaterThan(100);
  expect(run(['read', cut]).stdout).toContain('The input is truncated: the gzip data end too early');
});

test('CRLF, a missing last newline and a byte order mark change nothing', () => {
  const text = readFileSync(SEED, 'utf8');
  for (const changed of [text.replaceAll('\n', '\r\n'), text.trimEnd(), `\ufeff${text}`]) {
    expect(report(file('changed', changed)).calls).toEqual(report(SEED).calls);
  }
});

describe('the text report', () => {
  const names = `process;${'a_very_long_function_name_'.repeat(12)};vfs_write 7\n`;
  const unicode = '名前の長いプロセス;entry_SYSCALL_64_after_hwframe;do_syscall_64;ksys_write;größe_функция 3\n';
  const hostile = 'ev\u001b[31mil\u0007;ret_from_fork;kthread;x\u009b2J;vfs_write 2\n';
  const odd = file('odd', names + unicode + hostile);

  test.each([80, 100, 200])('fits %i columns', (width) => {
    for (const args of [
      [SEED],
      [DMESG, '--verbose'],
      [DMESG, '--by', 'stack', '--top', '0'],
      [odd, '--by', 'comm'],
      [odd, '--verbose'],
      [odd, '--by', 'stack'],
    ]) {
      const { stdout } = run(['read', ...args], { env: { COLUMNS: String(width) } });
      const widest = Math.max(...stdout.split('\n').map(columns));
      expect(widest, args.join(' ')).toBeLessThanOrEqual(width);
      // Wide terminals are made use of.
      if (args.includes('--verbose') && args[0] === DMESG) expect(widest).toBeGreaterThan(width * 0.75);
    }
  });

  test('says "mostly" only of a part', () => {
    const stacks = 'a;entry_SYSCALL_64;ksys_read;vfs_read 7\na;entry_SYSCALL_64;ksys_pread64;vfs_read 3\n';
    const stdin = { input: `${stacks}b;entry_SYSCALL_64;ksys_write;vfs_read 5\n` };
    const { stdout } = run(['read', '-', '--by', 'comm', '--target', 'vfs_read'], stdin);
    expect(stdout).toMatch(/^ 1 .* a +mostly ksys_read, /m);
    expect(stdout).toMatch(/^ 2 .* b +ksys_write, /m);
  });

  test('hides no losses and obeys no escape sequences', () => {
    const { stdout } = run(['read', SEED]);
    expect(stdout.split('\n')[0]).toBe('! 11940 of 1203418 calls (1.0 %) are not attributed');
    expect(stdout).toContain(
      'Total 1203418 calls · attributed 1191478 (99.0 %) · lost 11940 (not listed in the input)',
    );
    const { stdout: odds } = run(['read', odd, '--by', 'comm', '--verbose']);
    expect([...odds].filter((character) => character !== '\n' && /\p{Cc}/u.test(character))).toEqual([]);
  });

  test('has no colours in a pipe', () => {
    expect(run(['read', SEED], { env: { FORCE_COLOR: '1' } }).stdout).not.toContain('\u001b');
  });

  test('tells what was peeled off, when asked', () => {
    expect(run(['read', '--verbose', DMESG]).stdout).toMatch(/taken off the stacks: .*dump_stack_lvl 3000/);
  });
});

test('a reader that has seen enough (| head -1) is no error', async () => {
  const child = spawn(process.execPath, [WHOCALLS, 'read', '--by', 'stack', '--top', '0', '--format', 'json', DMESG], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const status = await new Promise((resolve) => child.once('close', resolve));
  expect([status, stderr]).toEqual([0, '']);
});

describe('a full device', () => {
  test('loses no report that was to go to a file', () => {
    const { stdout, stderr, status } = run(['read', SEED, '--format', 'json', '-o', '/dev/full']);
    expect([stderr, status]).toEqual(['whocalls: cannot write /dev/full: no space left on device\n', 1]);
    expect(stdout).toBe(run(['read', SEED]).stdout);
  });

  test.each([[['read', SEED]], [['export', SEED, '--to', 'csv']], [['-h']]])('as standard output: %j', (args) => {
    const full = openSync('/dev/full', 'w');
    const { stderr, status } = spawnSync(process.execPath, [WHOCALLS, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    expect([stderr, status]).toEqual(['whocalls: cannot write the report: no space left on device\n', 1]);
  });
});

test('output goes where -o says, in the format its name says', () => {
  const out = join(scratch, 'report.json');
  const { stdout, status } = run(['read', STACKCOUNT, '-o', out]);
  expect([status, stdout]).toEqual([0, '']);
  expect(JSON.parse(readFileSync(out, 'utf8')).calls.total).toBe(40);
});

describe('help', () => {
  test.each(['read', 'export', 'record', 'explain', 'doctor', 'lab', 'demo', 'targets'])('%s -h', (command) => {
    const { stdout, stderr, status } = run([command, '-h']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^Usage: whocalls ${command} `));
    for (const line of stdout.split('\n')) expect(columns(line), line).toBeLessThanOrEqual(110);
  });

  test('of the whole, and of one command by its name', () => {
    expect(run(['-h']).stdout).toContain('report on stack data that exists already');
    expect(run(['help']).stdout).toBe(run(['-h']).stdout);
    expect(run(['help', 'read']).stdout).toBe(run(['read', '-h']).stdout);
  });

  test('nothing at all is wrong usage, answered with the help', () => {
    const { stdout, stderr, status } = run([]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe(run(['-h']).stdout);
  });
});
