import type { KeyId } from '../../census/call-key.ts';
import type { Mappings } from './mappings.ts';

/** A stack as it was recorded: addresses, and what they belong to. */
export interface RawStack {
  /** Addresses with marks of contexts between them, innermost first, 8 bytes each. */
  readonly chain: Buffer;
  /** Of the process, when the sample was taken. */
  readonly mappings: Mappings;
}

/** Samples of one stack, event and task. */
export interface SampleTally {
  readonly stack: RawStack;
  /** Index of the event. */
  readonly event: number;
  readonly task: KeyId;
  /** As the samples say, -1 where they do not. */
  readonly period: number;
  samples: number;
}

/** Samples counted by what makes them the same, so that a recording costs memory for its distinct stacks only. */
export class SamplesByStack {
  readonly #tallies = new Map<string, SampleTally>();
  readonly #mappingIds = new WeakMap<object, number>();
  #mappings = 0;

  add(chain: Buffer, mappings: Mappings, event: number, task: KeyId, period: number): void {
    const key = `${event} ${task} ${period} ${this.#idOf(mappings)} ${chain.toString('latin1')}`;
    const known = this.#tallies.get(key);
    if (known) known.samples++;
    // A copy: the chain lies in a large piece of the file.
    else this.#tallies.set(key, { stack: { chain: Buffer.from(chain), mappings }, event, task, period, samples: 1 });
  }

  all(): Iterable<SampleTally> {
    return this.#tallies.values();
  }

  #idOf(mappings: Mappings): number {
    let id = this.#mappingIds.get(mappings);
    if (id === undefined) {
      id = this.#mappings++;
      this.#mappingIds.set(mappings, id);
    }
    return id;
  }
}
