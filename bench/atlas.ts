// How long the function map takes to open: npm run bench:atlas
// Each run is a fresh process of the built program that looks one function up. The yardstick of the same run is a
// process that starts node and does nothing; the runs alternate, and the median counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const RUNS = 15;
const root = fileURLToPath(new URL('../', import.meta.url));

/** Prints milliseconds from before the first look-up to behind it, and behind a second one in another file. */
const LOOKUP = `
import { placesOf } from './src/atlas/places.ts';
const start = process.hrtime.bigint();
placesOf('rb_insert_color');
const first = process.hrtime.bigint();
placesOf('tcp_v4_rcv');
const second = process.hrtime.bigint();
console.log(JSON.stringify([Number(first - start) / 1e6, Number(second - first) / 1e6]));
`;

async function main(): Promise<void> {
  // Beside dist/, so that the bundle finds dist/atlas/ where the program does.
  const folder = mkdtempSync(join(root, 'dist', 'bench-'));
  try {
    const lookup = join(folder, 'lookup.mjs');
    const empty = join(folder, 'empty.mjs');
    const bundle = { bundle: true, platform: 'node', format: 'esm' } as const;
    await build({ ...bundle, stdin: { contents: LOOKUP, resolveDir: root, loader: 'ts' }, outfile: lookup });
    await build({ ...bundle, stdin: { contents: '', resolveDir: root }, outfile: empty });
    const inside: number[] = [];
    const next: number[] = [];
    const whole: number[] = [];
    const nothing: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      nothing.push(runNode(empty).milliseconds);
      const { milliseconds, stdout } = runNode(lookup);
      const [first, second] = JSON.parse(stdout);
      whole.push(milliseconds);
      inside.push(first);
      next.push(second);
    }
    process.stdout.write(
      `first look-up ${ms(inside)}, the next ${ms(next)} (median of ${RUNS} fresh processes, fastest ${Math.min(...inside).toFixed(1)} ms)\n` +
        `process with a look-up ${ms(whole)}, empty process ${ms(nothing)}; ratio ${(median(whole) / median(nothing)).toFixed(2)}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runNode(file: string) {
  const start = process.hrtime.bigint();
  const { stdout, status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 });
  if (status !== 0) throw new Error(stderr);
  return { milliseconds: Number(process.hrtime.bigint() - start) / 1e6, stdout };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const ms = (values: readonly number[]) => `${median(values).toFixed(1)} ms`;

void main();
