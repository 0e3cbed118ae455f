import { Histogram, type HistogramCounts } from './histogram.ts';
import type { Watch } from './operations.ts';

/** What one thread of one benchmark came to, or several together. Plain data; times are microseconds. */
export interface BenchResult {
  readonly operations: number;
  readonly bytes: number;
  /** Time from start to finish, added up over the threads. */
  readonly elapsed: number;
  /** On the system's monotonic clock, which all threads share. */
  readonly start: number;
  readonly finish: number;
  readonly messages: readonly string[];
  readonly histogram?: HistogramCounts;
}

/** Counts the operations of one thread of one benchmark, and times them. */
export class BenchStats implements Watch {
  readonly pause: Watch['pause'];
  readonly #histogram: Histogram | undefined;
  readonly #progress: ((text: string) => void) | undefined;
  readonly #messages: string[] = [];
  #start = 0;
  #lastOperation = 0;
  #done = 0;
  #bytes = 0;
  #nextProgress = 100;

  constructor(options: {
    pause: Watch['pause'];
    histogram: boolean;
    progress: ((text: string) => void) | undefined;
  }) {
    this.pause = options.pause;
    this.#histogram = options.histogram ? new Histogram() : undefined;
    this.#progress = options.progress;
  }

  get timesEach(): boolean {
    return this.#histogram !== undefined;
  }

  start(): void {
    this.#start = monotonicMicros();
    this.#lastOperation = performance.now() * 1000;
  }

  stop(): BenchResult {
    const finish = monotonicMicros();
    return {
      operations: this.#done,
      bytes: this.#bytes,
      elapsed: finish - this.#start,
      start: this.#start,
      finish,
      messages: this.#messages,
      ...(this.#histogram && { histogram: this.#histogram.counts }),
    };
  }

  operation(): void {
    this.#done += 1;
    if (this.#histogram !== undefined) this.#time(this.#histogram);
    if (this.#done >= this.#nextProgress) this.#showProgress();
  }

  operations(count: number): void {
    this.#done += count;
    if (this.#done >= this.#nextProgress) this.#showProgress();
  }

  addBytes(count: number): void {
    this.#bytes += count;
  }

  addMessage(text: string): void {
    this.#messages.push(text);
  }

  #time(histogram: Histogram): void {
    const now = performance.now() * 1000; // sooner told than the clock that threads share
    histogram.add(now - this.#lastOperation);
    this.#lastOperation = now;
  }

  #showProgress(): void {
    while (this.#nextProgress <= this.#done) this.#nextProgress += progressStep(this.#nextProgress);
    this.#progress?.(`... finished ${this.#done} ops${' '.repeat(30)}\r`);
  }
}

/** What several threads came to together; messages are those of the first that has any. */
export function mergeResults(results: readonly BenchResult[]): BenchResult {
  const histograms = results.flatMap(({ histogram }) => (histogram ? [new Histogram(histogram)] : []));
  const [histogram, ...others] = histograms;
  for (const other of others) histogram?.merge(other);
  const sum = (value: (result: BenchResult) => number) => results.reduce((total, result) => total + value(result), 0);
  return {
    operations: sum((result) => result.operations),
    bytes: sum((result) => result.bytes),
    elapsed: sum((result) => result.elapsed),
    start: Math.min(...results.map((result) => result.start)),
    finish: Math.max(...results.map((result) => result.finish)),
    messages: results.find(({ messages }) => messages.length > 0)?.messages ?? [],
    ...(histogram && { histogram: histogram.counts }),
  };
}

/** `fillseq      :       1.706 micros/op;   64.8 MB/s`, and the histogram if one was kept. */
export function resultLines(name: string, result: BenchResult): string {
  const { operations, bytes, elapsed, start, finish, messages, histogram } = result;
  const micros = elapsed / Math.max(1, operations);
  const rate = bytes / 2 ** 20 / ((finish - start) / 1e6);
  const extra = [...(bytes > 0 ? [`${rate.toFixed(1).padStart(6)} MB/s`] : []), ...messages].join(' ');
  const line = `${name.padEnd(12)} : ${micros.toFixed(3).padStart(11)} micros/op;${extra === '' ? '' : ` ${extra}`}\n`;
  return histogram ? `${line}Microseconds per op:\n${new Histogram(histogram)}\n` : line;
}

function monotonicMicros(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

/** 100, 200 … 1000, 1500 … 5000, 6000 … 10000, 15000 … and from half a million on every 100,000. */
function progressStep(done: number): number {
  if (done < 1000) return 100;
  for (let decade = 1000; decade <= 100_000; decade *= 10) {
    if (done < decade * 5) return decade / 2;
    if (done < decade * 10) return decade;
  }
  return 100_000;
}
