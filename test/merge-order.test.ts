import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Census } from '../src/census/census.ts';
import { GROUPINGS } from '../src/census/dimensions.ts';
import { mergeCensus } from '../src/census/merge.ts';
import { writePprof } from '../src/formats/pprof/write.ts';
import { jsonReport } from '../src/report/json.ts';
import { readInputs } from '../src/report/read-inputs.ts';
import { buildReport } from '../src/report/report.ts';
import { generator } from './support/random.ts';
import { ALL_RECORDINGS } from './support/recordings.ts';

// Whoever counts several recordings together names them in any order, and may have put some of them together before.

const SEED = 20261126;
const ROUNDS = 200;

/** Real recordings of every format, of two kernels, with several targets, measures, commands and a workload. */
const FILES = ALL_RECORDINGS.filter((path) =>
  /rbtree-inserts|perf-script|stackcount|-(?:kmem|schedule|submit_bio|tcp_sendmsg|vfs_write)\./.test(basename(path)),
);

let folder = '';
let parts: Census[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'whocalls-merge-'));
  parts = await Promise.all(FILES.map(async (file) => (await readInputs([file])).census));
  // Recordings by hand and by perf have no times; here are some that do, of two widths, and facts that differ.
  for (const [i, width] of [100, 40, null, 60].entries()) {
    const census = new Census();
    census.facts.bucketMilliseconds = width;
    census.facts.durationSeconds = [0.1, 0.2, 0.7, null][i] ?? null;
    census.facts.kernels = [['6.12.1'], ['6.1.0', '5.10'], [], ['6.12.1', '6.1.0']][i] ?? [];
    census.facts.notes.push({ code: 'stated', text: `note ${3 - i}` });
    // One name in several files: site, subsystem and place of most of the calls.
    const module = ['ext4', 'xfs', 'btrfs', 'ext4'][i] ?? '';
    for (const [j, name] of ['write_something', 'open_something', `of_${module}`].entries()) {
      const frames = [`target_${(i * 7 + j) % 3}`, name, 'do_syscall_64'].map((raw, depth) => ({
        symbol: census.symbols.intern(raw, depth === 1 ? module : ''),
        offset: i,
      }));
      const key = { comm: `task ${j % 2}`, bucket: width === null ? -1 : i * 10 + j };
      const target = j === 2 ? {} : { target: census.target(`target_${(i * 7 + j) % 3}`) };
      census.add({ stack: census.stack(frames), ...target, ...key }, 5);
    }
    parts.push(census);
  }
  // Every part as whoever reads it from a file has it.
  parts = await Promise.all(parts.map((census, i) => written(census, `part-${i}`)));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

async function written(census: Census, name: string): Promise<Census> {
  const file = join(folder, `${name}.pb.gz`);
  writeFileSync(file, await writePprof(census));
  return (await readInputs([file])).census;
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

function merged(censuses: readonly Census[]): Census {
  const whole = new Census();
  for (const census of censuses) mergeCensus(whole, census);
  return whole;
}

const json = (census: Census, by: string) => jsonReport(buildReport(census, { by, explain: 'full' }), '0');

test(`${ROUNDS} orders and splits of the same recordings give the same report, byte by byte`, async () => {
  expect(parts.length).toBe(FILES.length + 4);
  const random = generator(SEED);
  const expected = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const order = shuffled(parts, random);
    const groups: Census[][] = [];
    while (order.length > 0) groups.push(order.splice(0, 1 + Math.floor(random() * 5)));
    // Some of the parts go through a file on their way.
    const halves = await Promise.all(
      groups.map((group, i) => (random() < 0.2 ? written(merged(group), `half-${i}`) : merged(group))),
    );
    const by = GROUPINGS[round % GROUPINGS.length] ?? 'site';
    const report = json(merged(halves), by);
    if (!expected.has(by)) expected.set(by, report);
    expect(report === expected.get(by), `round ${round}, by ${by}, seed ${SEED}`).toBe(true);
  }
}, 600_000);

test('files named in another order give the same report, its list of files included', async () => {
  const random = generator(SEED + 1);
  const reports = new Set<string>();
  for (let round = 0; round < 5; round++) {
    const { census, ...input } = await readInputs(shuffled([...FILES, '/no/such/file'], random));
    reports.add(jsonReport(buildReport(census, {}, input), '0'));
  }
  expect(reports.size).toBe(1);
}, 120_000);
