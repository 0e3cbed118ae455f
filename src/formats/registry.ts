import { UsageError } from '../errors.ts';
import { countedTracesReader } from './counted-traces/read.ts';
import { foldedReader } from './folded/read.ts';
import { dmesgReader } from './kernel-log/read.ts';
import { perfScriptReader } from './perf-script/read.ts';
import { pprofReader } from './pprof/read.ts';
import type { SniffResult, StackReader } from './reader.ts';

/** Every format that can be read. Asked in this order; the first that says yes reads the file. */
export const READERS: readonly StackReader[] = [
  pprofReader,
  countedTracesReader,
  dmesgReader,
  perfScriptReader,
  foldedReader,
];

/** The reader of a name. @throws {UsageError} for an unknown one */
export function readerNamed(name: string): StackReader {
  const reader = READERS.find((candidate) => candidate.name === name);
  if (!reader) {
    throw new UsageError(`unknown input format '${name}' (known: ${READERS.map((known) => known.name).join(', ')})`);
  }
  return reader;
}

/** The reader whose format these first bytes are, or `more`, or `no`. */
export function sniffReader(
  head: Buffer,
  fileName: string,
  isWhole: boolean,
): StackReader | Exclude<SniffResult, 'yes'> {
  let wantsMore = false;
  for (const reader of READERS) {
    const answer = reader.sniff(head, fileName, isWhole);
    if (answer === 'yes') return reader;
    if (answer === 'more') wantsMore = true;
  }
  return wantsMore ? 'more' : 'no';
}
