import type { Benchmark, Facts } from './reader.ts';

/**
 * LevelDB's and RocksDB's db_bench; the second has more in its lines, and a listing may have less:
 * `LevelDB:    version 1.20`, `- Raw size:		110.6MB`
 * `fillseq      :       1.706 micros/op;   64.8 MB/s`
 * `readrandom   :       1.931 micros/op 516408 ops/sec 0.039 seconds 20000 operations;   57.1 MB/s (20000 of 20000 found)`
 */
export const dbBench: Benchmark = {
  name: 'db_bench',
  programs: ['db_bench', 'founding-case'],
  begins: (line) => /^(?:(?:LevelDB|RocksDB):\s+version|(?:- )?Keys:\s+\d+ ?(?:bytes|B) each|- CPU cache:)/.test(line),
  read(line, facts, { command, started }) {
    const result = /^(\S+)\s*:\s+([\d.]+) micros\/op(?: \d+ ops\/sec [\d.]+ seconds (\d+) operations)?;?(.*)$/.exec(
      line,
    );
    if (result) {
      const [, name = '', micros, counted, rest = ''] = result;
      const operations = counted === undefined ? levelDbOperations(name, rest, facts, command) : Number(counted);
      return { end: { name, ...(operations !== undefined && { operations }), microsPerOp: Number(micros) } };
    }
    if (/^-{40,}$/.test(line) && !started) return { start: true }; // histograms have such rulers too, later
    noteDbBenchFact(line, facts);
    // The head of a further db_bench that the same command runs: what passed since the last phase is not its.
    return started && /^FileSize:/.test(line) ? { start: true } : undefined;
  },
  headline: (workload) =>
    SIZES.filter(([, key]) => typeof workload[key] === 'string' || typeof workload[key] === 'number')
      .map(([label, key, unit]) => `${label} ${workload[key]}${unit}`)
      .join(' · '),
};

/** The facts that tell the size: their label, and the keys under which they may stand, as texts or with their unit. */
const SIZES: readonly (readonly [label: string, key: string, unit: string])[] = [
  ['Keys', 'keys', ''],
  ['Keys', 'keyBytes', ' B'],
  ['Values', 'values', ''],
  ['Values', 'valueBytes', ' B'],
  ['Entries', 'entries', ''],
  ['RawSize', 'rawSize', ''],
  ['RawSize', 'rawSizeMB', ' MB'],
  ['FileSize', 'fileSize', ''],
  ['FileSize', 'fileSizeMB', ' MB'],
];

function noteDbBenchFact(line: string, facts: Facts): void {
  const match = /^(?:- )?([A-Za-z][A-Za-z ]*):\s+(\S.*)?$/.exec(line);
  if (!match) return;
  const [, label = '', value = ''] = match;
  const first = Number.parseFloat(value);
  switch (label.toLowerCase().replaceAll(' ', '')) {
    case 'leveldb':
    case 'rocksdb':
      facts.engine = label;
      facts.version = value.replace(/^version\s+/, '');
      break;
    case 'date':
      facts.date = value;
      break;
    case 'cpu':
      facts.cpu = value;
      break;
    case 'cpucache':
      facts.cpuCache = value;
      break;
    case 'keys':
      if (first >= 0) facts.keyBytes = first;
      break;
    case 'values': {
      if (first >= 0) facts.valueBytes = first;
      const compressed = /\((\d+) bytes after compression\)/.exec(value)?.[1];
      if (compressed !== undefined) facts.compressedValueBytes = Number(compressed);
      break;
    }
    case 'entries':
      if (first >= 0) facts.entries = first;
      break;
    case 'rawsize':
      if (first >= 0) facts.rawSizeMB = first;
      break;
    case 'filesize':
      if (first >= 0) facts.fileSizeMB = first;
      break;
  }
}

/** LevelDB's result lines tell no number of operations: it follows from the head, the flags, and remarks such as `(1000 ops)`. */
function levelDbOperations(name: string, rest: string, facts: Facts, command: readonly string[]): number | undefined {
  if (name === 'compact') return 1;
  const threads = numericFlag(command, 'threads') ?? 1;
  const remarked = /\((\d+) ops\)/.exec(rest)?.[1];
  if (remarked !== undefined) return Number(remarked) * threads;
  const entries = typeof facts.entries === 'number' ? facts.entries : undefined;
  if (/^(?:fill|overwrite|delete)/.test(name)) return entries === undefined ? undefined : entries * threads;
  if (!/^(?:read|seek)/.test(name)) return undefined;
  const reads = numericFlag(command, 'reads');
  const each = reads !== undefined && reads >= 0 ? reads : entries;
  if (each === undefined) return undefined;
  // A walk ends where the entries end, and how many there are is not told: what was not written in order may be fewer.
  return (name === 'readrandomsmall' ? Math.trunc(each / 1000) : each) * threads;
}

/** `--name=5` or `--name 5`. */
function numericFlag(command: readonly string[], name: string): number | undefined {
  for (const [index, word] of command.entries()) {
    const text =
      word === `--${name}` ? command[index + 1] : word.startsWith(`--${name}=`) ? word.slice(name.length + 3) : '';
    if (text !== undefined && /^-?\d+$/.test(text)) return Number(text);
  }
  return undefined;
}
