import type { Armed, Truth } from './engine.ts';

/** A target of which the kernel counts the calls that it keeps from the program. */
export class MissedCalls implements Armed {
  readonly #missed: () => number;
  #before = 0;
  #after = 0;

  /** @param missed reads how many these are so far */
  constructor(missed: () => number) {
    this.#missed = missed;
  }

  opening(): void {
    this.#before = this.#missed();
  }

  closed(): void {
    this.#after = this.#missed();
  }

  truth(): Truth {
    return { kind: 'missed', calls: this.#after - this.#before };
  }
}
