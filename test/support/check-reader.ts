import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect } from 'vitest';
import { kernelKnowledge } from '../../src/atlas/knowledge.ts';
import type { Census } from '../../src/census/census.ts';
import { groupCensus } from '../../src/census/group.ts';
import { foldedStacks } from '../../src/formats/folded/write.ts';
import { decompress } from '../../src/formats/input.ts';
import { writePprof } from '../../src/formats/pprof/write.ts';
import { type ReadFileOptions, type ReadResult, readInput } from '../../src/formats/read-file.ts';
import { readerNamed } from '../../src/formats/registry.ts';
import { checkCensus, expectSame } from './check-census.ts';
import { chunked } from './chunked.ts';
import { recording } from './recordings.ts';

type Options = Partial<ReadFileOptions>;

/** Reads bytes as if they came from a file of which only the content tells the format. */
export async function readBytes(
  bytes: Uint8Array | string,
  options: Options = {},
  size = 1 << 20,
): Promise<ReadResult> {
  const raw = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return readInput(await decompress('input', chunked(raw, size)), { knowledge: kernelKnowledge(), ...options });
}

/** Groups by key and count, sorted: what a round trip must keep. */
export function groupCounts(census: Census, by = 'site'): [string, number][] {
  return groupCensus(census, { by, knowledge: kernelKnowledge() }).groups.map(({ label, count }) => [label, count]);
}

/**
 * Reads a recording every way there is: by name, as bytes of unknown origin, in small pieces, and back from what it was
 * exported to. All must say the same.
 */
export async function checkReader(format: string, name: string, options: Options = {}): Promise<ReadResult> {
  return checkBytes(format, readFileSync(recording(name)), options, basename(name));
}

/** {@link checkReader} for bytes. */
export async function checkBytes(
  format: string,
  bytes: Uint8Array | string,
  options: Options = {},
  label = '',
): Promise<ReadResult> {
  const raw = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  const result = await readBytes(raw, options);
  const { census } = result;
  expect(result.format, label).toBe(format);
  checkCensus(census);

  const named = await readBytes(raw, { ...options, reader: readerNamed(format) });
  expectSame(named.census, census, 'by name');

  for (const size of raw.length < 20_000 ? [1, 7, 100] : [100]) {
    const again = await readBytes(raw, options, size);
    expectSame(again.census, census, `in pieces of ${size} bytes`);
    expect(again.diagnostics, `in pieces of ${size} bytes`).toEqual(result.diagnostics);
  }

  const profile = await readBytes(await writePprof(census));
  expect(profile.format).toBe('pprof');
  checkCensus(profile.census);
  expectSame(profile.census, census, 'from the profile');

  const folded = await readBytes(foldedStacks(census));
  expect(folded.format).toBe('folded');
  checkCensus(folded.census);
  expect(folded.census.losses).toEqual(census.losses);
  for (const by of ['site', 'entry', 'comm'] as const) {
    expect(groupCounts(folded.census, by), `from folded stacks, by ${by}`).toEqual(groupCounts(census, by));
  }
  return result;
}
