import { UsageError } from '../errors.ts';
import { bccReader } from './bcc/read.ts';
import { bpftraceReader } from './bpftrace/read.ts';
import { countedTracesReader } from './counted-traces/read.ts';
import { foldedReader } from './folded/read.ts';
import { ftraceReader } from './ftrace/read.ts';
import { histReader } from './hist/read.ts';
import { dmesgReader } from './kernel-log/read.ts';
import { perfDataReader } from './perf-data/read.ts';
import { perfScriptReader } from './perf-script/read.ts';
import { pprofReader } from './pprof/read.ts';
import { CARRIED, type FormatReader, type SniffResult } from './reader.ts';
import { speedscopeReader } from './speedscope/read.ts';
import type { CensusWriter } from './writer.ts';

/** Every format that can be read. Asked in this order, strictest first; the first that says yes reads the file. */
export const READERS: readonly FormatReader[] = [
  perfDataReader,
  pprofReader,
  speedscopeReader,
  countedTracesReader,
  bccReader,
  bpftraceReader,
  histReader,
  ftraceReader,
  dmesgReader,
  perfScriptReader,
  foldedReader,
];

/** Every format of stack data that can be written. Loaded on use: most commands write none. */
export const WRITERS: readonly CensusWriter[] = [
  {
    name: 'folded',
    summary: 'folded stacks (a;b;c 12)',
    carries: ['targets', 'process', 'losses', 'user frames', 'unreliable frames'],
    endings: ['.folded', '.collapsed'],
    write: async (census) => (await import('./folded/write.ts')).foldedStacks(census),
  },
  {
    name: 'speedscope',
    summary: "a file of speedscope's, a profile for each target",
    carries: ['targets', 'process', 'losses', 'modules', 'user frames', 'source lines', 'unreliable frames'],
    endings: ['.speedscope.json', '.speedscope'],
    write: async (census) => (await import('./speedscope/write.ts')).speedscopeFile(census),
  },
  {
    name: 'pprof',
    summary: 'a census file: a gzipped pprof profile that loses nothing',
    carries: CARRIED,
    endings: ['.pb.gz', '.pb', '.pprof'],
    write: async (census) => (await import('./pprof/write.ts')).writePprof(census),
  },
];

/** The reader of a name. @throws {UsageError} for an unknown one */
export function readerNamed(name: string): FormatReader {
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
): FormatReader | Exclude<SniffResult, 'yes'> {
  let wantsMore = false;
  for (const reader of READERS) {
    const answer = reader.sniff(head, fileName, isWhole);
    if (answer === 'yes') return reader;
    if (answer === 'more') wantsMore = true;
  }
  return wantsMore ? 'more' : 'no';
}
