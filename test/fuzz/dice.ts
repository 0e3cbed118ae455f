import { generator } from '../support/random.ts';

/** Choices that are the same for the same seed. */
export class Dice {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = generator(seed);
  }

  /** 0 to below `limit`, whole. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  /** Mostly small, at most `limit`, at least 1. */
  few(limit: number): number {
    return 1 + Math.floor(this.#next() ** 4 * limit);
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const value = list[this.below(list.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }
}

/** The seed of one case of a run: any case can be had again without those before it. */
export function caseSeed(seed: number, number: number): number {
  let h = Math.imul(seed ^ (number >>> 0), 0x9e3779b1) ^ Math.imul(Math.floor(number / 2 ** 32), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return Math.imul(h ^ (h >>> 13), 0x297a2d39) ^ number;
}
