// How fast recordings are read: `npm run bench:read [-- SIZE_IN_MB [FORMAT]]`.
// Makes large inputs by repeating real recordings with shifted time stamps, and reads each with the built command
// line; the yardstick is `wc -l` on the same file in the same run.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('../', import.meta.url));
const wanted = Number(process.argv[2] ?? 1000) * 1e6;
const RUNS = 3;

const INPUTS = [
  { name: 'perf-script', file: 'perf-script.txt.gz', stamp: /(?<=\] +)\d+\.\d{6}(?=:)/g },
  { name: 'dmesg', file: 'dmesg.txt.gz', stamp: /(?<=^\[ *)\d+\.\d{6}(?=\])/gm },
  { name: 'ftrace', file: 'ftrace.txt.gz', stamp: /(?<=^.{16,32}\[\d+\] \S+ +)\d+\.\d{6}(?=: )/gm },
  { name: 'trace-cmd', file: 'trace-cmd-report.txt.gz', stamp: /(?<=^.{16,32}\[\d+\] +)\d+\.\d{6}(?=: )/gm },
].filter(({ name }) => process.argv[3] === undefined || process.argv[3] === name);

/** The child tells its own peak memory and processor time on descriptor 3. */
const REPORT_USAGE = [
  '--import',
  `data:text/javascript,${encodeURIComponent(
    "import { writeSync } from 'node:fs'; process.on('exit', () => writeSync(3, JSON.stringify(process.resourceUsage())));",
  )}`,
];

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-bench-'));
try {
  process.stdout.write(`node ${process.version}, ${RUNS} runs each, best taken\n`);
  for (const input of INPUTS) {
    const path = join(scratch, `${input.name}.txt`);
    const megabytes = makeInput(join(root, 'test', 'recordings', input.file), input.stamp, path) / 1e6;
    const lines = best(() => run('wc', ['-l', path]));
    const read = best(() => run(process.execPath, [...REPORT_USAGE, join(root, 'dist/cli/main.cjs'), 'read', path]));
    process.stdout.write(
      `${input.name.padEnd(12)} ${megabytes.toFixed(0)} MB  ${(megabytes / read.seconds).toFixed(0)} MB/s elapsed, ` +
        `${(megabytes / read.cpuSeconds).toFixed(0)} MB/s per core, peak ${(read.peakKilobytes / 1000).toFixed(0)} MB, ` +
        `${(read.seconds / lines.seconds).toFixed(1)} x wc -l (${(megabytes / lines.seconds).toFixed(0)} MB/s)\n`,
    );
    rmSync(path);
  }
  const start = best(() => run(process.execPath, [join(root, 'bin/whocalls'), '--version']));
  const node = best(() => run(process.execPath, ['-e', '0']));
  process.stdout.write(
    `--version    ${(start.seconds * 1000).toFixed(0)} ms, ${(start.seconds / node.seconds).toFixed(1)} x an empty node program\n`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Writes the recording again and again, each time later, until the size is reached; returns the size in bytes. */
function makeInput(recording: string, stamp: RegExp, path: string): number {
  const text = gunzipSync(readFileSync(recording)).toString('latin1');
  const parts = text.split(stamp);
  const stamps = [...text.matchAll(stamp)].map(([match]) => ({ seconds: Number(match), width: match.length }));
  const file = openSync(path, 'w');
  for (let written = 0, round = 0; written < wanted; round++) {
    const shifted = stamps.map(({ seconds, width }) => (seconds + round * 20).toFixed(6).padStart(width));
    const copy = parts.map((part, i) => part + (shifted[i] ?? '')).join('');
    written += writeSync(file, Buffer.from(copy, 'latin1'));
  }
  closeSync(file);
  return statSync(path).size;
}

interface Usage {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakKilobytes: number;
}

function run(command: string, args: readonly string[]): Usage {
  const start = process.hrtime.bigint();
  const { status, output } = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    maxBuffer: 1 << 28,
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (status !== 0) throw new Error(`${command} ended with status ${status}`);
  const usage = JSON.parse(output[3]?.toString() || '{}') as Partial<NodeJS.ResourceUsage>;
  return {
    seconds,
    cpuSeconds: ((usage.userCPUTime ?? 0) + (usage.systemCPUTime ?? 0)) / 1e6,
    peakKilobytes: usage.maxRSS ?? 0,
  };
}

function best(measure: () => Usage): Usage {
  const runs = Array.from({ length: RUNS }, measure);
  return runs.reduce((a, b) => (b.seconds < a.seconds ? b : a));
}
