// Runs inside a virtual machine, as root: `capture-guest.mjs MAIN PROGRAMS [all]` counts calls of programs that are known to
// make a certain number of them, and prints what came of it as one JSON object. Judged by src/capture/capture.vm.test.ts.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [main, programs, everything] = process.argv.slice(2);
const scratch = '/data/capture';
mkdirSync(scratch, { recursive: true });
const adds = join(programs, 'epoll-adds');
const stacks = join(programs, 'many-stacks');
const userCalls = join(programs, 'user-calls');
const DEADLINE = 120_000;
/** What --debug says about stacks. */
const WALKS = /stacks recognised by walking: (\d+), of (\d+) checked (\d+) differed\n/;
let runs = 0;

/** Runs `whocalls record` with these words; resolves to its JSON report, status and both streams. */
function record(words, command, prepare = () => {}) {
  const file = join(scratch, `${runs++}.json`);
  const rest = command === null ? [] : ['--', ...command];
  const child = spawn(process.execPath, [main, 'record', ...words, '--format', 'json', '-o', file, ...rest], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) child[stream].on('data', (chunk) => (output[stream] += chunk));
  const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE);
  prepare(child);
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(deadline);
      process.stderr.write(`${(performance.now() / 1000).toFixed(1)} s: ${[...words, ...rest].join(' ')}\n`);
      const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
      const [line, walked, checked, differed] = WALKS.exec(output.stderr) ?? [];
      if (line) output.stderr = output.stderr.replace(line, '');
      const walks = line && { walked: Number(walked), checked: Number(checked), differed: Number(differed) };
      resolve({ status: status ?? signal, ...output, walks, ...summary(report) });
    });
  });
}

/** What the tests look at; whole reports would be megabytes. */
function summary(report) {
  if (!report) return { calls: null };
  const comms = {};
  const sites = {};
  for (const group of report.groups) {
    const site = group.site?.name ?? '(no caller)';
    sites[site] = (sites[site] ?? 0) + group.count;
    for (const { name, count } of group.comms) {
      comms[name] = (comms[name] ?? 0) + count;
      comms[`${site}/${name}`] = (comms[`${site}/${name}`] ?? 0) + count;
    }
  }
  const trees = report.groups.map(({ subject }) => subject?.id).filter(Boolean);
  const texts = (list) => list.map(({ text }) => text);
  const { total, attributed, losses } = report.calls;
  const calls = { total, attributed, losses };
  return { calls, comms, sites, trees, notes: texts(report.notes), warnings: texts(report.warnings) };
}

/** Waits until `ready` holds; false where it never does. */
async function until(ready, milliseconds = 30_000) {
  for (const end = Date.now() + milliseconds; Date.now() < end; ) {
    if (ready()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** Waits until do_epoll_ctl is armed, and for what then comes before it is counted. */
async function untilCounting() {
  await until(() => readFileSync('/sys/kernel/debug/kprobes/list', 'utf8').includes('do_epoll_ctl'));
  await new Promise((resolve) => setTimeout(resolve, 1500));
}

function kallsyms(name) {
  const line = readFileSync('/proc/kallsyms', 'latin1')
    .split('\n')
    .find((text) => text.endsWith(` T ${name}`));
  return line?.split(' ')[0];
}

const results = {};
const N = 100_000;

results.doctor = JSON.parse(
  spawnSync(process.execPath, [main, 'doctor', '--format', 'json'], { encoding: 'utf8' }).stdout,
).findings;
results.breakpoint = await record(['rb_insert_color', '--debug'], [adds, `${N}`]);
results.kprobe = await record(['do_epoll_ctl', '--debug'], [adds, `${N}`]);
results.notWalked = await record(['do_epoll_ctl', '--no-walk', '--debug'], [adds, '5000']);
results.tracepoint = await record(['syscalls:sys_enter_epoll_ctl'], [adds, '20000']);
results.hist = await record(['do_epoll_ctl', '--engine', 'hist'], [adds, '20000']);

if (spawnSync('perf', ['--version']).status === 0) {
  const data = join(scratch, 'perf.data');
  const event = `mem:0x${kallsyms('rb_insert_color')}:x`;
  const options = ['-q', '-N', '-B', '-m', '4M', '-e', event, '-c', '1', '-a', '-g', '-o', data];
  results.beside = await record(['rb_insert_color'], ['perf', 'record', ...options, '--', adds, '2000']);
  const script = spawnSync('perf', ['script', '-i', data, '-G', '-F', 'comm'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  results.perf = { count: script.stdout.split('\n').filter((line) => line.trim() === 'epoll-adds').length };
  rmSync(data, { force: true });
}

// Functions of programs, by known numbers of callers; the child of fork(2) is one too.
const USER = 1000;
const libc = /\s(\/\S*\/libc[.-]\S*)$/m.exec(readFileSync('/proc/self/maps', 'latin1'))?.[1];
results.user = await record([`${userCalls}:work,${userCalls}:recurse`], [userCalls, `${USER}`]);
if (everything === 'all') results.malloc = await record([`${libc}:malloc`], [userCalls, `${USER}`]);

results.manyStacks = await record(['do_epoll_ctl', '--user-stacks'], [stacks, '20000']);
results.fewStacks = await record(['do_epoll_ctl', '--user-stacks', '--max-stacks', '100'], [stacks, '2000']);

// One inside the other: both watch the same program at the same time.
const inner = join(scratch, 'inner.json');
const innerWords = [process.execPath, main, 'record', 'do_epoll_ctl', '--format', 'json', '-o', inner];
results.outer = await record(['rb_insert_color'], [...innerWords, '--', adds, '5000']);
results.inner = existsSync(inner) ? summary(JSON.parse(readFileSync(inner, 'utf8'))) : null;

if (existsSync('/usr/bin/db_bench')) {
  const bench = ['db_bench', `--db=${scratch}/db`, '--benchmarks=fillseq,readrandom', '--num=20000'];
  results.dbBench = await record(['@rbtree-insert', '--debug'], bench);
}

// Killed while everything is armed: nothing may stay, and all breakpoints must be free again.
const started = join(scratch, 'started');
let victim;
const killed = record(
  ['rb_insert_color,rb_erase,do_epoll_ctl'],
  ['sh', '-c', `touch ${started}; exec sleep 60`],
  (child) => {
    victim = child;
  },
);
const armed = await until(() => existsSync(started));
const probesArmed = readFileSync('/sys/kernel/debug/kprobes/list', 'utf8');
victim.kill('SIGKILL');
spawnSync('pkill', ['-x', 'sleep']);
await killed;
const gone = await until(() => readFileSync('/sys/kernel/debug/kprobes/list', 'utf8').trim() === '');
results.killed = { armed, probesArmed, gone };
const four = 'rb_insert_color,rb_erase,__rb_insert_augmented,rb_next';
results.afterKill = await record([four, '--engine', 'breakpoint'], [adds, '1000']);

// Filters, users, and ways to end: the same on every kernel, so asked of one only.
if (everything === 'all') {
  results.fiveBreakpoints = await record([`${four},rb_first`, '--engine', 'breakpoint'], [adds, '1000']);
  results.onlyCommand = await record(
    ['do_epoll_ctl', '--only-command'],
    ['sh', '-c', `${adds} 500; ${adds} 500; exit 7`],
  );
  // A cgroup asked for as well: COMMAND is under the first, not under the second.
  const cgroups = '/sys/fs/cgroup';
  const other = join(cgroups, 'other');
  mkdirSync(other);
  const twice = ['do_epoll_ctl', '--only-command', '--cgroup'];
  results.bothCgroups = await record([...twice, cgroups], [adds, '50']);
  results.otherCgroup = await record([...twice, other], [adds, '50']);
  // It takes long to disarm so many, and the command leaves something behind that goes on calling.
  const leaves = `(sleep 1; exec ${adds} 20000) > /dev/null 2>&1 & exec ${adds} 100`;
  results.many = await record(['vfs_r*,vfs_s*,do_epoll_ctl', '--comm', 'epoll-adds'], ['sh', '-c', leaves]);
  spawnSync('pkill', ['-x', 'epoll-adds']);
  // A process that is there already; the run ends when it does.
  const go = join(scratch, 'go');
  const watched = spawn('sh', ['-c', `while [ ! -e ${go} ]; do sleep 0.1; done; exec ${adds} 50`]);
  results.pid = await record(['do_epoll_ctl', '--pid', `${watched.pid}`], null, () => {
    untilCounting().then(() => writeFileSync(go, ''));
  });
  results.self = await record(['vfs_write', '--no-exclude-self'], [adds, '1']);
  // Processes have other numbers in a namespace of their own, whocalls first of all.
  const inside = join(scratch, 'inside.json');
  const within = ['--pid', '--fork', '--mount-proc', process.execPath, main, 'record', 'do_epoll_ctl', '--by', 'pid'];
  spawnSync('unshare', [...within, '--format', 'json', '-o', inside, '--', adds, '50']);
  results.inside = summary(JSON.parse(readFileSync(inside, 'utf8')));
  // A task may be preempted inside a program of a uprobe, and others run it meanwhile.
  const preemption = '/sys/kernel/debug/sched/preempt';
  if (existsSync(preemption)) {
    const before = /\((\w+)\)/.exec(readFileSync(preemption, 'utf8'))?.[1] ?? 'voluntary';
    writeFileSync(preemption, 'full');
    const crowd = `for i in 1 2 3 4 5 6 7 8; do ${adds} 2000 & done; wait`;
    results.preempted = await record([`${libc}:epoll_ctl`], ['sh', '-c', crowd]);
    writeFileSync(preemption, before);
  }
  // The histogram of a call takes its stack, where a kprobe finds another one being handled.
  results.histMissed = await record(['do_epoll_ctl,stack_trace_save', '--engine', 'hist'], [adds, '1000']);
  // Twenty bytes: the kernel keeps fifteen, the last of them half a letter.
  const umlauts = join(scratch, 'ääääääääää');
  copyFileSync(adds, umlauts);
  results.umlauts = await record(['do_epoll_ctl', '--comm', 'ääääääääää'], [umlauts, '50']);

  // A processor that goes away takes its breakpoints with it, and comes back without.
  const cpu1 = '/sys/devices/system/cpu/cpu1/online';
  const bounce = `taskset -c 1 ${adds} 100; echo 0 > ${cpu1}; sleep 0.2; echo 1 > ${cpu1}; taskset -c 1 ${adds} 50; taskset -c 0 ${adds} 25`;
  results.hotplug = await record(['rb_insert_color'], ['sh', '-c', bounce]);
  results.notMine = await record(['do_epoll_ctl', '--comm', 'nobody-has-this'], [adds, '500']);
  // Node raises how many files it may open, as whocalls does; COMMAND should have the limit whocalls was started with.
  spawnSync('prlimit', ['--pid', `${process.pid}`, '--nofile=777:']);
  results.asUser = await record(['do_epoll_ctl', '--user', 'nobody'], ['sh', '-c', 'id -un; ulimit -S -n']);
  results.missing = await record(['do_epoll_ctl'], ['no-such-command']);
  results.typo = await record(['rb_insert_colour'], ['true']);
  // What is kept of a run gives the same groups again.
  const kept = join(scratch, 'user.pb.gz');
  const folded = join(scratch, 'user.folded');
  const whocalls = (...words) => spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });
  whocalls('record', `${userCalls}:work`, '-o', kept, '--', userCalls, `${USER}`);
  whocalls('read', kept, '-o', folded);
  results.userKept = [kept, folded].map((file) =>
    summary(JSON.parse(whocalls('read', file, '--format', 'json').stdout)),
  );

  const beat = join(scratch, 'beat');
  results.interrupted = await record(
    ['do_epoll_ctl'],
    ['sh', '-c', `${adds} 300; touch ${beat}; exec sleep 60`],
    (child) => {
      until(() => existsSync(beat)).then(() => child.kill('SIGINT'));
    },
  );
  // Without COMMAND or time it counts until it is interrupted.
  results.open = await record(['do_epoll_ctl', '--comm', 'epoll-adds'], null, (child) => {
    untilCounting().then(() => {
      spawnSync(adds, ['50']);
      child.kill('SIGINT');
    });
  });
  // Where BPF is refused, histograms stand in.
  const without = ['--inh-caps=-all', '--bounding-set=-sys_admin,-bpf,-perfmon'];
  const refused = spawnSync(
    'setpriv',
    [...without, process.execPath, main, 'record', 'do_epoll_ctl', '--', adds, '10'],
    {
      encoding: 'utf8',
    },
  );
  results.withoutBpf = { status: refused.status, stdout: refused.stdout, stderr: refused.stderr };
  const room = ['do_epoll_ctl', '--max-stacks', '16777216'];
  results.tooLarge = await record(room, [adds, '10']);
  results.duration = await record(['sched:sched_switch', '--duration', '1'], ['sleep', '60']);
  const asNobody = [
    '--reuid=65534',
    '--clear-groups',
    process.execPath,
    main,
    'record',
    'rb_insert_color',
    '--',
    'true',
  ];
  const unprivileged = spawnSync('setpriv', asNobody, { encoding: 'utf8' });
  results.unprivileged = { status: unprivileged.status, stderr: unprivileged.stderr };
}

process.stdout.write(`${JSON.stringify(results)}\n`);
