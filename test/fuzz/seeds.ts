import { readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { kernelKnowledge } from '../../src/atlas/knowledge.ts';
import { decompress } from '../../src/formats/input.ts';
import { readInput } from '../../src/formats/read-file.ts';
import { READERS, readerNamed, sniffReader, WRITERS } from '../../src/formats/registry.ts';
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
  const seeds: Seed[] = [];
  // Parts of a recording belong to its reader, also where they do not look like its format any more.
  for (const bytes of files)
    seeds.push(...partsOf(dice, bytes).map((part) => ({ bytes: part, reader: readerOf(bytes) })));
  const alone = [
    ...Object.values(PRINTERS).map((printer) => printed(DUMPS, printer)),
    perfScript(SAMPLES, ['comm', 'pid', 'tid', 'cpu', 'time', 'period', 'event', 'ip', 'sym', 'symoff', 'dso']),
    perfScript(SAMPLES, ['comm', 'tid', 'event', 'ip', 'sym']),
  ];
  for (const bytes of alone.map((text) => Buffer.from(text))) seeds.push({ bytes, reader: readerOf(bytes) });
  for (const { bytes, reader } of seeds.filter((_, i) => i % 3 === 0)) {
    const census = await censusOf(bytes, reader);
    for (const { write } of census ? WRITERS : []) {
      const packed = Buffer.from(await write(census as never));
      const plain = packed[0] === 0x1f && packed[1] === 0x8b ? gunzipSync(packed) : packed;
      seeds.push({ bytes: plain, reader: readerOf(plain) });
    }
  }
  const small = seeds.filter(({ bytes }) => bytes.length > 0 && bytes.length < 8 * WINDOW);
  const ofReader = new Map<string, Buffer[]>(READERS.map(({ name }) => [name, []]));
  for (const { bytes, reader } of small) ofReader.get(reader)?.push(bytes);
  return { ofReader, all: small.map(({ bytes }) => bytes) };
}

/** A file with the name of its reader, '' where none takes it. */
interface Seed {
  readonly bytes: Buffer;
  readonly reader: string;
}

function readerOf(bytes: Buffer): string {
  const reader = sniffReader(bytes.subarray(0, 1 << 16), 'seed', true);
  return typeof reader === 'object' ? reader.name : '';
}

/** The file, its beginning, and windows of whole lines; only profiles make no sense in parts. */
function partsOf(dice: Dice, bytes: Buffer): Buffer[] {
  const isText = bytes.subarray(0, 200).every((byte) => byte >= 9);
  const windows = isText ? Array.from({ length: WINDOWS }, () => slice(dice, bytes, WINDOW)) : [];
  const beginnings = isText ? [200, 700, 2000, 5000].map((size) => bytes.subarray(0, size)) : [];
  return [...(bytes.length <= 2 * WINDOW ? [bytes] : []), ...beginnings, ...windows];
}

async function censusOf(bytes: Buffer, reader: string) {
  try {
    const input = await decompress('seed', chunked(bytes, 1 << 20));
    return (
      await readInput(input, { knowledge: kernelKnowledge(), ...(reader !== '' && { reader: readerNamed(reader) }) })
    ).census;
  } catch {
    return null;
  }
}
