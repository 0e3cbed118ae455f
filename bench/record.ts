// What counting costs, against bpftrace and perf on the same workload in the same virtual machine.
// Emulated processors: only the ratios mean anything. `npm run bench:record [-- --kernel 6.12]`
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { guestPath } from '../src/lab/guest.ts';
import { runInLab } from '../src/lab/run.ts';

interface Measurement {
  readonly name: string;
  readonly callsPerAdd: number;
  /** Time of all adds, from the quickest batch of all rounds. */
  readonly nanoseconds?: number;
  /** Time from starting the tool until the workload ran, best of the rounds. */
  readonly armed?: number;
  readonly failed?: string;
}

const { values } = parseArgs({
  options: {
    kernel: { type: 'string', default: '6.1' },
    adds: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
  },
});
const root = fileURLToPath(new URL('../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'whocalls-bench-'));

try {
  const program = join(scratch, 'epoll-adds');
  const compiled = spawnSync('cc', ['-O1', '-o', program, join(root, 'test', 'programs', 'epoll-adds.c')]);
  if (compiled.status !== 0) throw new Error('a C compiler (cc) is needed');
  const files = [
    process.execPath,
    join(root, 'bench', 'record-guest.mjs'),
    join(root, 'dist', 'cli', 'main.cjs'),
    program,
  ];
  const words = [...files.map(guestPath), values.adds, values.rounds];
  const { stdout, stderr, status } = await runInLab({ kernel: values.kernel, accelerator: 'tcg', timeout: 900 }, words);
  if (status !== 0) throw new Error(`status ${status} in the guest: ${stderr}`);
  print(JSON.parse(stdout.toString()) as Measurement[], Number(values.adds));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function print(measurements: readonly Measurement[], adds: number): void {
  const idle = measurements.find(({ name }) => name === 'nothing')?.nanoseconds ?? 0;
  const costs = new Map<string, number>();
  const armed = new Map<string, number>();
  console.log(
    `Linux ${values.kernel}, emulated; ${adds} adds, quickest batch of ${values.rounds} rounds; only ratios mean anything`,
  );
  console.log(`${'subject'.padEnd(30)}${'µs per call'.padStart(12)}${'armed after s'.padStart(15)}`);
  for (const { name, callsPerAdd, nanoseconds, armed: seconds, failed } of measurements) {
    if (nanoseconds === undefined || seconds === undefined) {
      console.log(`${name.padEnd(30)}  failed: ${failed}`);
      continue;
    }
    const cost = name === 'nothing' ? nanoseconds : nanoseconds - idle;
    costs.set(name, cost / adds / callsPerAdd / 1000);
    armed.set(name, seconds / 1e9);
    console.log(
      `${name.padEnd(30)}${costs.get(name)?.toFixed(2).padStart(12)}${armed.get(name)?.toFixed(2).padStart(15)}`,
    );
  }
  const compare = (what: string, of: Map<string, number>, ours: string, theirs: string, most: number): void => {
    const [a, b] = [of.get(ours), of.get(theirs)];
    if (a === undefined || b === undefined) return;
    console.log(`${what}: ${ours} is ${(a / b).toFixed(2)} of ${theirs} (wanted: at most ${most})`);
  };
  compare('cost', costs, 'breakpoint: whocalls', 'breakpoint: bpftrace', 0.8);
  compare('cost', costs, 'breakpoint: whocalls', 'breakpoint: perf record -g', 0.5);
  compare('cost', costs, 'kprobe: whocalls', 'kprobe: bpftrace', 1.0);
  compare('cost', costs, 'kprobe: whocalls', 'kprobe: perf record -g', 0.5);
  compare('cost', costs, 'breakpoint: whocalls', 'breakpoint: without times', 1.0);
  compare('cost', costs, 'kprobe: whocalls', 'kprobe: without times', 1.0);
  compare('start', armed, 'breakpoint: whocalls', 'breakpoint: bpftrace', 1.0);
  compare('start', armed, 'kprobe: whocalls', 'kprobe: bpftrace', 1.0);
}
