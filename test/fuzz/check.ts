import { rmSync, writeFileSync } from 'node:fs';
import { kernelKnowledge } from '../../src/atlas/knowledge.ts';
import { Census } from '../../src/census/census.ts';
import { GROUPINGS } from '../../src/census/dimensions.ts';
import { mergeCensus } from '../../src/census/merge.ts';
import { messageOf, UserError } from '../../src/errors.ts';
import { decompress } from '../../src/formats/input.ts';
import { type ReadResult, readInput } from '../../src/formats/read-file.ts';
import { READERS, readerNamed, WRITERS } from '../../src/formats/registry.ts';
import { explainStacks, readStacks } from '../../src/report/explain-stacks.ts';
import { jsonReport } from '../../src/report/json.ts';
import { buildReport, inputFile } from '../../src/report/report.ts';
import { stackText } from '../../src/report/stack-text.ts';
import { REPORT_WRITERS } from '../../src/report/writers.ts';
import { columns } from '../../src/text/columns.ts';
import { canonical } from '../support/canonical.ts';
import { censusProblems } from '../support/census-problems.ts';
import { chunked } from '../support/chunked.ts';
import type { Case } from './case.ts';

const WIDTH = 100;
const LONGEST_MESSAGE = 1000;

/** What a terminal would obey, or what turns text around. */
const OBEYED = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;

/** What came of a case. */
export interface Outcome {
  /** What does not hold, in one line; null where all does. */
  readonly problem: string | null;
  /** The input was refused, as inputs may be. */
  readonly isRefused: boolean;
  /** Distinct stacks it had, prefixes included: memory may follow these. */
  readonly stacks: number;
}

/** Reads an input in every way the case asks for and looks whether what must hold does. */
export async function tryCase(input: Case, scratch: string): Promise<Outcome> {
  let isRefused = false;
  let stacks = 0;
  try {
    const result = await read(input);
    if (result === null) isRefused = true;
    else {
      stacks = result.census.stacks.size;
      must(result.census.total > 0, 'a census without calls');
      for (const what of censusProblems(result.census)) throw new Broken(what);
      if (input.depth !== 'read') await tryReports(result, input);
      if (input.depth === 'all') {
        await tryWriters(result.census);
        tryMerging(result.census);
      }
    }
    if (input.depth === 'all') await tryExplaining(input.bytes, scratch);
    return { problem: null, isRefused, stacks };
  } catch (error) {
    return { problem: problemText(error), isRefused, stacks };
  }
}

/** Something that must hold does not. */
class Broken extends Error {}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Broken(what);
}

function problemText(error: unknown): string {
  if (error instanceof Broken) return error.message;
  const at = error instanceof Error ? (/\n\s+at ([^\n]*)/.exec(error.stack ?? '')?.[1] ?? '') : '';
  return `${error instanceof Error ? error.name : 'thrown'}: ${messageOf(error).slice(0, 200)} (${at.replace(/\S*\/(?=src|test)/, '')})`;
}

async function read({ bytes, reader, chunk }: Case): Promise<ReadResult | null> {
  return refusable(async () => {
    const input = await decompress('input', chunked(bytes, chunk));
    return readInput(input, {
      knowledge: kernelKnowledge(),
      ...(reader !== null && { reader: readerNamed(reader) }),
    });
  });
}

/** An error for users is a good end, as long as it is one line that fits. */
async function refusable<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    must(error.message.length <= LONGEST_MESSAGE, `a message of ${error.message.length} characters`);
    must(!error.message.includes('\n'), 'a message of several lines');
    return null;
  }
}

/** The report in every form, by a dimension that the input chooses. */
async function tryReports(result: ReadResult, { bytes, depth }: Case): Promise<void> {
  const { census } = result;
  const by = GROUPINGS[bytes.length % GROUPINGS.length] ?? 'site';
  const input = { files: [inputFile(result)], unreadable: [] };
  const report = buildReport(census, { by, explain: 'full' }, input);
  const grouped = report.groups.reduce((sum, { count }) => sum + count, 0);
  must(grouped === census.attributed, `groups by ${by} have ${grouped} of ${census.attributed} calls`);
  const { calls } = JSON.parse(jsonReport(report, '0'));
  const lost = calls.losses.reduce((sum: number, { count }: { count: number }) => sum + count, 0);
  must(calls.total === calls.attributed + lost, `total ${calls.total} is not ${calls.attributed} and ${lost}`);
  const layout = { width: WIDTH, colour: false, verbose: bytes.length % 2 === 0 };
  for (const { name, isCensus, write } of REPORT_WRITERS) {
    if (isCensus || (name === 'html' && depth !== 'all')) continue;
    const text = String(await write(report, layout));
    if (name !== 'text') continue;
    for (const line of text.split('\n')) {
      // Commands stay on one line, to be copied.
      must(columns(line) <= WIDTH || /^ {4}(?:sudo )?whocalls /.test(line), 'a line wider than the terminal');
      must(!OBEYED.test(line), 'a character that a terminal obeys');
    }
  }
}

/** What is written can be read, and says the same. */
async function tryWriters(census: Census): Promise<void> {
  for (const { name, write } of WRITERS) {
    const bytes = Buffer.from(await write(census));
    const reader = READERS.find((one) => one.name === name)?.name ?? null;
    if (reader === null) continue;
    const back = await read({ bytes, reader, chunk: 1 << 20, depth: 'read' });
    must(back !== null, `${name} cannot be read back`);
    if (back === null) continue;
    must(back.census.total === census.total, `${name}: ${back.census.total} of ${census.total} calls come back`);
    must(name !== 'pprof' || same(back.census, census), `${name}: not the same census comes back`);
  }
}

function same(a: Census, b: Census): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

/** Some other census to merge with. */
const other = new Census();
other.facts.bucketMilliseconds = 30;
other.facts.kernels.push('6.1.0');
other.add(
  {
    stack: other.stack([{ symbol: other.symbols.intern('vfs_write'), offset: 1 }]),
    target: other.target('vfs_write'),
    bucket: 7,
  },
  3,
);

function tryMerging(census: Census): void {
  if (!Number.isSafeInteger(census.total + 3)) return;
  const one = new Census();
  mergeCensus(one, census);
  must(same(one, census), 'merged into an empty census it is not the same');
  mergeCensus(one, other);
  const two = new Census();
  mergeCensus(two, other);
  mergeCensus(two, census);
  must(same(one, two), 'merging depends on the order');
  must(one.total === census.total + other.total, 'calls are lost in merging');
}

/** The same input as `whocalls explain` would have it. */
async function tryExplaining(bytes: Buffer, scratch: string): Promise<void> {
  writeFileSync(scratch, bytes);
  try {
    const stacks = await refusable(async () => explainStacks(await readStacks(scratch)));
    for (const stack of stacks ?? []) {
      for (const line of stackText(stack, stack.heading, WIDTH).split('\n')) {
        must(!OBEYED.test(line), 'explain: a character that a terminal obeys');
      }
    }
  } finally {
    rmSync(scratch, { force: true });
  }
}
