import { readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { kernelKnowledge } from '../../src/atlas/knowledge.ts';
import { decompress } from '../../src/formats/input.ts';
import { readInput } from '../../src/formats/read-file.ts';
import { READERS, sniffReader, WRITERS } from '../../src/formats/registry.ts';
import { chunked } from '../support/chunked.ts';
import { DUMPS, PRINTERS, printed } from '../support/kernel-log.ts';
import { perfScript, SAMPLES } from '../support/perf-output.ts';
import { ALL_RECORDINGS } from '../support/recordings.ts';
import { Dice } from './dice.ts';
import { slice } from './mutate.ts';

/** What cases are made from: files of every format that is known, whole or in parts that are files themselves. */
export interface Seeds {
  /** By name of the reader that takes them; every reader has some, or what belongs to others. */
  readonly ofReader: ReadonlyMap<string, readonly Buffer[]>;
  readonly all: readonly Buffer[];
}

/** Larger recordings are cut into windows: cases are many, and small. */
const WINDOW = 3000;
const WINDOWS = 60;
const LARGEST_PROFILE = 40_000;

/**
 * Recordings, what prints like them, and what every writer makes of them. A format that is new to the registry joins with
 * its first recording, or with its writer.
 */
export async function makeSeeds(): Promise<Seeds> {
  const dice = new Dice(1);
  const files = ALL_RECORDINGS.filter((path) => statSync(path).size < LARGEST_PROFILE || path.endsWith('.txt.gz')).map(
    (path) => (path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)),
  );
  const texts = files.filter((bytes) => bytes.subarray(0, 200).every((byte) => byte >= 9));
  const parts = [
    ...Object.values(PRINTERS).map((printer) => Buffer.from(printed(DUMPS, printer))),
    Buffer.from(
      perfScript(SAMPLES, ['comm', 'pid', 'tid', 'cpu', 'time', 'period', 'event', 'ip', 'sym', 'symoff', 'dso']),
    ),
    Buffer.from(perfScript(SAMPLES, ['comm', 'tid', 'event', 'ip', 'sym'])),
    ...files.filter((bytes) => bytes.length <= 2 * WINDOW),
    ...texts.flatMap((bytes) => Array.from({ length: WINDOWS }, () => slice(dice, bytes, WINDOW))),
  ];
  const written: Buffer[] = [];
  for (const part of parts) {
    const census = await censusOf(part);
    if (!census || written.length > 400) continue;
    for (const { write } of WRITERS) {
      const bytes = Buffer.from(await write(census));
      written.push(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
    }
  }
  const all = [...parts, ...written].filter((bytes) => bytes.length > 0 && bytes.length < 8 * WINDOW);
  const ofReader = new Map<string, Buffer[]>(READERS.map(({ name }) => [name, []]));
  for (const bytes of all) {
    const reader = sniffReader(bytes, 'seed', true);
    if (typeof reader === 'object') ofReader.get(reader.name)?.push(bytes);
  }
  return { ofReader, all };
}

async function censusOf(bytes: Buffer) {
  try {
    const input = await decompress('seed', chunked(bytes, 1 << 20));
    return (await readInput(input, { knowledge: kernelKnowledge() })).census;
  } catch {
    return null;
  }
}
