/** One value with the calls that are for it. */
interface Vote<T> {
  readonly value: T;
  count: number;
}

/**
 * What most calls have in common. Values have a name and perhaps details in which values of one name differ: the name of
 * the most calls wins, and of its values the one of the most calls. Of equals the first in the order of text, so that
 * the order in which calls came says nothing; before it the `preferred` one.
 */
export class Votes<T> {
  readonly #names = new Map<string, Map<string, Vote<T>>>();

  add(name: string, detail: string, value: T, count: number): void {
    let details = this.#names.get(name);
    if (!details) {
      details = new Map();
      this.#names.set(name, details);
    }
    const known = details.get(detail);
    if (known) known.count += count;
    else details.set(detail, { value, count });
  }

  /** undefined before the first vote. */
  winner(preferred?: string): T | undefined {
    const sums = new Map<string, { details: ReadonlyMap<string, Vote<T>>; count: number }>();
    for (const [name, details] of this.#names) {
      let count = 0;
      for (const vote of details.values()) count += vote.count;
      sums.set(name, { details, count });
    }
    const details = most(sums, preferred)?.details;
    return details && most(details)?.value;
  }
}

function most<V extends { readonly count: number }>(
  candidates: ReadonlyMap<string, V>,
  preferred?: string,
): V | undefined {
  let best: V | undefined;
  let bestKey = '';
  for (const [key, candidate] of candidates) {
    if (
      !best ||
      candidate.count > best.count ||
      (candidate.count === best.count && isBefore(key, bestKey, preferred))
    ) {
      best = candidate;
      bestKey = key;
    }
  }
  return best;
}

function isBefore(a: string, b: string, preferred: string | undefined): boolean {
  return a === preferred || (b !== preferred && a < b);
}
