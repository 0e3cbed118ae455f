import type { Armed, KernelCount } from './engine.ts';

/** A target of which the kernel counts the calls that it keeps from the BPF program. */
export class MissedCalls implements Armed {
  readonly #missed: () => number;
  #before = 0;
  #after = 0;

  /** @param missed reads how many these are so far */
  constructor(missed: () => number) {
    this.#missed = missed;
  }

  beforeStart(): void {
    this.#before = this.#missed();
  }

  afterStop(): void {
    this.#after = this.#missed();
  }

  kernelCount(): KernelCount {
    return { kind: 'missed', calls: this.#after - this.#before };
  }
}
