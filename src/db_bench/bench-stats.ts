import { Histogram } from './histogram.ts';
import type { Watch } from './store.ts';

/** Times and counts of one thread of one benchmark, and the line that reports them. Times are microseconds. */
export class BenchStats implements Watch {
  readonly signal: AbortSignal;
  readonly #histogram: Histogram | undefined;
  readonly #progress: ((text: string) => void) | undefined;
  readonly #messages: string[] = [];
  #start = 0;
  #finish = 0;
  #elapsed = 0;
  #lastOperation = 0;
  #done = 0;
  #bytes = 0;
  #nextProgress = 100;

  constructor(options: { signal: AbortSignal; histogram: boolean; progress: ((text: string) => void) | undefined }) {
    this.signal = options.signal;
    this.#histogram = options.histogram ? new Histogram() : undefined;
    this.#progress = options.progress;
    this.start();
  }

  get timesEach(): boolean {
    return this.#histogram !== undefined;
  }

  start(): void {
    this.#start = performance.now() * 1000;
    this.#finish = this.#start;
    this.#lastOperation = this.#start;
  }

  stop(): void {
    this.#finish = performance.now() * 1000;
    this.#elapsed = this.#finish - this.#start;
  }

  operation(): void {
    this.#done += 1;
    if (this.#histogram !== undefined) this.#time(1);
    if (this.#done >= this.#nextProgress) this.#showProgress();
  }

  operations(count: number): void {
    this.#done += count;
    if (this.#histogram !== undefined) this.#time(count);
    if (this.#done >= this.#nextProgress) this.#showProgress();
  }

  addBytes(count: number): void {
    this.#bytes += count;
  }

  addMessage(text: string): void {
    this.#messages.push(text);
  }

  /** Adds another thread's; messages are kept from the first that has any. */
  merge(other: BenchStats): void {
    if (other.#histogram) this.#histogram?.merge(other.#histogram);
    this.#done += other.#done;
    this.#bytes += other.#bytes;
    this.#elapsed += other.#elapsed;
    this.#start = Math.min(this.#start, other.#start);
    this.#finish = Math.max(this.#finish, other.#finish);
    if (this.#messages.length === 0) this.#messages.push(...other.#messages);
  }

  /** `fillseq      :       1.706 micros/op;   64.8 MB/s`, and the histogram if one was kept. */
  report(name: string): string {
    const micros = this.#elapsed / Math.max(1, this.#done);
    const rate = this.#bytes / 2 ** 20 / ((this.#finish - this.#start) / 1e6);
    const extra = [...(this.#bytes > 0 ? [`${rate.toFixed(1).padStart(6)} MB/s`] : []), ...this.#messages].join(' ');
    const line = `${name.padEnd(12)} : ${micros.toFixed(3).padStart(11)} micros/op;${extra === '' ? '' : ` ${extra}`}\n`;
    return this.#histogram ? `${line}Microseconds per op:\n${this.#histogram}\n` : line;
  }

  #time(operations: number): void {
    const now = performance.now() * 1000;
    const each = (now - this.#lastOperation) / operations;
    for (let i = 0; i < operations; i += 1) this.#histogram?.add(each);
    this.#lastOperation = now;
  }

  #showProgress(): void {
    while (this.#nextProgress <= this.#done) this.#nextProgress += progressStep(this.#nextProgress);
    this.#progress?.(`... finished ${this.#done} ops${' '.repeat(30)}\r`);
  }
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
