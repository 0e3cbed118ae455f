import { type BpfMap, createMap, lookupMap, MAP_ARRAY, MAP_MMAPABLE, updateMap } from '../sys/bpf-maps.ts';
import type { Descriptors } from '../sys/descriptors.ts';
import { has } from '../sys/features.ts';
import { SharedMemory } from '../sys/memory.ts';
import { allocate } from '../sys/native.ts';

const WORD = 8;

/**
 * Whether calls count. BPF programs look at it first, so that one store begins and ends the counting of all targets on
 * all CPUs, however long it takes to arm and disarm them one by one. Calls that find it off are counted aside.
 */
export class EnableFlag {
  readonly #flag: Words;
  readonly #uncounted: Words;
  readonly #targets: number;

  /** Off at first. */
  constructor(targets: number, held: Descriptors) {
    this.#flag = words('whocalls_enabled', 1, held);
    // One more: keys that were inserted.
    this.#uncounted = words('whocalls_uncounted', targets + 1, held);
    this.#targets = targets;
  }

  /** Descriptors of two arrays of one value: a 64-bit number, 0 while the flag is off; one for each target. */
  get maps(): { readonly enabled: number; readonly uncounted: number } {
    return { enabled: this.#flag.descriptor, uncounted: this.#uncounted.descriptor };
  }

  set(): void {
    this.#flag.write(0, 1n);
  }

  clear(): void {
    this.#flag.write(0, 0n);
  }

  /** Offset in the map of uncounted calls of the number of keys that programs inserted, where they count them. */
  get insertedAt(): number {
    return this.#targets * WORD;
  }

  /** How many keys were inserted. */
  get inserted(): number {
    return Number(this.#uncounted.read(this.#targets));
  }

  /** How many calls of a target have found the flag off. */
  uncounted(target: number): number {
    return Number(this.#uncounted.read(target));
  }
}

/** 64-bit numbers that BPF programs see as the only value of an array. */
interface Words {
  readonly descriptor: number;
  write(index: number, word: bigint): void;
  read(index: number): bigint;
}

/** Shared where they can be: bpf(2) keeps BPF programs of breakpoints from running meanwhile. */
function words(name: string, count: number, held: Descriptors): Words {
  const isShared = has('shared arrays');
  const map = createMap(name, MAP_ARRAY, 4, count * WORD, 1, isShared ? MAP_MMAPABLE : 0);
  held.hold(map.descriptor);
  return isShared ? new SharedWords(map) : new CopiedWords(map);
}

class SharedWords implements Words {
  readonly descriptor: number;
  readonly #words: BigInt64Array;

  constructor({ descriptor, valueSize }: BpfMap) {
    this.descriptor = descriptor;
    const { buffer, byteOffset } = new SharedMemory(descriptor, valueSize).bytes;
    this.#words = new BigInt64Array(buffer, byteOffset, valueSize / WORD);
  }

  write(index: number, word: bigint): void {
    Atomics.store(this.#words, index, word);
  }

  read(index: number): bigint {
    return Atomics.load(this.#words, index);
  }
}

class CopiedWords implements Words {
  readonly descriptor: number;
  readonly #map: BpfMap;

  constructor(map: BpfMap) {
    this.descriptor = map.descriptor;
    this.#map = map;
  }

  write(index: number, word: bigint): void {
    const value = this.#copy();
    value.writeBigInt64LE(word, WORD * index);
    updateMap(this.#map, allocate(4), value);
  }

  read(index: number): bigint {
    return this.#copy().readBigInt64LE(WORD * index);
  }

  #copy(): Buffer {
    const value = allocate(this.#map.valueSize);
    lookupMap(this.#map, allocate(4), value);
    return value;
  }
}
