import type { Mutable, Phase, Workload } from './workload.ts';

/** What a line says about phases. */
export type PhaseNews =
  | { readonly end: Omit<Phase, 'startMs' | 'endMs'> }
  /** Preparations are over: the first phase begins here. */
  | { readonly start: true }
  /** Belongs to the phase that ended last. */
  | { readonly amend: Partial<Pick<Phase, 'operations'>> };

type Facts = Mutable<Partial<Omit<Workload, 'phases'>>>;

/** One family of benchmarks. */
export interface BenchmarkReader {
  /** Whether this line is the first that such a benchmark prints. */
  begins(line: string): boolean;
  /** Notes facts; returns what the line says about phases. */
  read(line: string, facts: Facts, so: SoFar): PhaseNews | undefined;
}

/** What was read before the line. */
export interface SoFar {
  readonly command: readonly string[];
  /** Whether the end of the preparations was seen. */
  readonly started: boolean;
  /** Phases that have ended. */
  readonly phases: number;
}

/**
 * LevelDB's and RocksDB's db_bench; the second has more in its lines, and a listing may have less:
 * `LevelDB:    version 1.20`, `- Raw size:		110.6MB`
 * `fillseq      :       1.706 micros/op;   64.8 MB/s`
 * `readrandom   :       1.931 micros/op 516408 ops/sec 0.039 seconds 20000 operations;   57.1 MB/s (20000 of 20000 found)`
 */
const dbBench: BenchmarkReader = {
  begins: (line) => /^(?:(?:LevelDB|RocksDB):\s+version|(?:- )?Keys:\s+\d+ ?(?:bytes|B) each|- CPU cache:)/.test(line),
  read(line, facts, { command, started }) {
    facts.name = 'db_bench';
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
};

function noteDbBenchFact(line: string, facts: Facts): void {
  const match = /^(?:- )?([A-Za-z][A-Za-z ]*?):\s+(.*)$/.exec(line);
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
  if (/^(?:fill|overwrite|delete)/.test(name)) return facts.entries === undefined ? undefined : facts.entries * threads;
  if (!/^(?:read|seek)/.test(name)) return undefined;
  const reads = numericFlag(command, 'reads');
  const each = reads !== undefined && reads >= 0 ? reads : facts.entries;
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

/**
 * fio prints all results when everything is over, so that its jobs are known but not when each ran:
 * `randw: (g=0): rw=randwrite, bs=(R) 4096B-4096B, (W) 4096B-4096B, (T) 4096B-4096B, ioengine=psync, iodepth=1`
 * `     issued rwts: total=0,1024,0,0 short=0,0,0,0 dropped=0,0,0,0`
 */
const fio: BenchmarkReader = {
  begins: (line) => /^(?:fio-\d|.+: \(g=\d+\): rw=\S+, bs=)/.test(line),
  read(line, facts) {
    facts.name = 'fio';
    facts.jobs ??= [];
    const job = /^(.+): \(g=\d+\): rw=(\w+), bs=\(R\) ([^,]+),.*?ioengine=([\w-]+), iodepth=(\d+)/.exec(line);
    if (job) {
      const [, name = '', rw, size, engine, depth] = job;
      facts.jobs = [...facts.jobs, { name, what: `${rw}, ${size}, ${engine}, depth ${depth}` }];
    }
    const version = /^fio-(\d\S*)$/.exec(line)?.[1];
    if (version !== undefined) facts.version = version;
    const issued = /^\s+issued rwts: total=([\d,]+) /.exec(line)?.[1];
    if (issued !== undefined) {
      const operations = issued.split(',').reduce((sum, part) => sum + Number(part), 0);
      const next = facts.jobs.findIndex((one) => one.operations === undefined);
      facts.jobs = facts.jobs.map((one, index) => (index === next ? { ...one, operations } : one));
    }
    return undefined;
  },
};

/** `Threads started!` … the first line of results … `    total number of events:              3325` */
const sysbench: BenchmarkReader = {
  begins: (line) => /^sysbench \d/.test(line),
  read(line, facts, { phases }) {
    facts.name = 'sysbench';
    const version = /^sysbench (\d\S*)/.exec(line)?.[1];
    if (version !== undefined) facts.version = version;
    const threads = /^Number of threads: (\d+)$/.exec(line)?.[1];
    if (threads !== undefined) facts.threads = Number(threads);
    if (line === 'Threads started!') return { start: true };
    if (
      /^(?:CPU speed|General statistics|SQL statistics|File operations|Total operations\b.*|Throughput):?/.test(line)
    ) {
      return phases === 0 ? { end: { name: 'run' } } : undefined;
    }
    const events = /^\s+total number of events:\s+(\d+)$/.exec(line)?.[1];
    return events === undefined ? undefined : { amend: { operations: Number(events) } };
  },
};

/**
 * `stress-ng: info:  [20997] dispatching hogs: 1 switch, 1 pipe`
 * `stress-ng: metrc: [20997] switch            161163      1.00      0.07      0.82    161087.61      181463.71`
 */
const stressNg: BenchmarkReader = {
  begins: (line) => /^stress-ng: \w+:\s+\[\d+\]/.test(line),
  read(line, facts, { phases }) {
    facts.name = 'stress-ng';
    facts.jobs ??= [];
    const said = /^stress-ng: \w+:\s+\[\d+\] (.*)$/.exec(line)?.[1];
    if (said === undefined) return undefined;
    const hogs = /^dispatching hogs: (.*)$/.exec(said)?.[1];
    if (hogs !== undefined) {
      facts.jobs = hogs.split(/, /).map((hog) => ({ name: hog.replace(/^\d+ /, '') }));
      return { start: true };
    }
    const name = facts.jobs.map((job) => job.name).join('+');
    if (/^(?:stressor\s+bogo ops|successful run completed|unsuccessful run completed)/.test(said)) {
      return phases === 0 ? { end: { name } } : undefined;
    }
    const measured = /^(\S+)\s+(\d+)\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+[\d.]+/.exec(said);
    if (!measured) return undefined;
    facts.jobs = facts.jobs.map((job) =>
      job.name === measured[1] ? { ...job, operations: Number(measured[2]) } : job,
    );
    return { amend: { operations: facts.jobs.reduce((sum, job) => sum + (job.operations ?? 0), 0) } };
  },
};

export const BENCHMARK_READERS: readonly BenchmarkReader[] = [dbBench, fio, sysbench, stressNg];
