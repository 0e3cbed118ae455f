// Runs inside a virtual machine, as root: `record-guest.mjs MAIN EPOLL_ADDS N ROUNDS` measures what counting costs with
// whocalls and with others on the same workload, and prints the figures as one JSON object. Read by bench/record.ts.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const [main, adds, n, rounds] = process.argv.slice(2);
const address = readFileSync('/proc/kallsyms', 'latin1')
  .split('\n')
  .find((line) => line.endsWith(' T rb_insert_color'))
  .split(' ')[0];
const program = [adds, n, 'time'];
const whocalls = (target, engine, ...options) => [
  ...[
    process.execPath,
    main,
    'record',
    target,
    '--engine',
    engine,
    '--keys',
    'none',
    '--format',
    'json',
    '-o',
    '/dev/null',
    ...options,
  ],
  ...['--', ...program],
];
const bpftrace = (probe) => ['bpftrace', '-e', `${probe} { @[kstack] = count(); }`, '-c', program.join(' ')];
const perf = (event) => [
  ...['perf', 'record', '-q', '-N', '-B', '-m', '4M', '-e', event, '-c', '1', '-a', '-g', '-o', '/data/perf.data'],
  ...['--', ...program],
];

spawnSync('perf', ['probe', '-q', '--add', 'do_epoll_ctl']);
/** name -> [command, calls it makes per add] */
const subjects = {
  nothing: [program, 1],
  'breakpoint: whocalls': [whocalls('rb_insert_color', 'breakpoint'), 1],
  'breakpoint: without times': [whocalls('rb_insert_color', 'breakpoint', '--time-buckets', '0'), 1],
  'breakpoint: bpftrace': [bpftrace(`watchpoint:0x${address}:8:x`), 1],
  'breakpoint: perf record -g': [perf(`mem:0x${address}:x`), 1],
  'kprobe: whocalls': [whocalls('do_epoll_ctl', 'kprobe'), 2],
  'kprobe: without times': [whocalls('do_epoll_ctl', 'kprobe', '--time-buckets', '0'), 2],
  'kprobe: bpftrace': [bpftrace('kprobe:do_epoll_ctl'), 2],
  'kprobe: perf record -g': [perf('probe:do_epoll_ctl'), 2],
};

const best = {};
// Rounds outside, subjects inside: a slow moment of the machine falls on all of them.
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, [command]] of Object.entries(subjects)) {
    const spawned = process.hrtime.bigint();
    const { error, stderr, stdout, status } = spawnSync(command[0], command.slice(1), {
      encoding: 'utf8',
      timeout: 120_000,
    });
    const [, start, elapsed] = /EPOLL-ADDS (\d+) (\d+)/.exec(`${stderr}${stdout}`) ?? [];
    if (start === undefined) {
      // A tool that is not installed has printed nothing at all.
      best[name] ??= { failed: error ? error.message : `status ${status}: ${stderr.slice(0, 300)}` };
      continue;
    }
    const known = best[name]?.nanoseconds === undefined ? { nanoseconds: Infinity, armed: Infinity } : best[name];
    best[name] = {
      nanoseconds: Math.min(known.nanoseconds, Number(elapsed)),
      armed: Math.min(known.armed, Number(BigInt(start) - spawned)),
    };
  }
}
const result = Object.entries(best).map(([name, found]) => ({ name, callsPerAdd: subjects[name][1], ...found }));
process.stdout.write(`${JSON.stringify(result)}\n`);
