import { type CallKind, directCallsArm64, directCallsX86 } from './direct-calls.ts';
import { readAddress } from './kernel-elf.ts';
import type { KeptAddresses, KernelImage } from './kernel-image.ts';

/** A place in a kernel's code from which a function is called, jumped to, or its address taken. */
export interface CallPlace {
  /** Of the instruction. */
  readonly address: number;
  /** Index of the function that is reached, in {@link KernelImage.functions}; {@link UNKNOWN_TARGET} through a pointer. */
  readonly target: number;
  readonly kind: CallKind;
}

const KINDS: readonly CallKind[] = ['call', 'jump', 'address', 'pointer call', 'pointer jump'];
const FIRST_CAPACITY = 1 << 16;

/** Sections whose entries list functions for tools of the kernel: who is in them is not kept to be called. */
const LISTS = /mcount|orc|altinstr|kprobe_blacklist|error_injection|ftrace|ibt_endbr|call_sites|return_sites|discard/;
/** The same by the symbols of their entries. */
const LISTED_BY = /^(?:_kbl_addr_|_eil_addr_|__start_|__stop_|__UNIQUE_ID|__ksymtab_|__mcount)/;

/** Every direct branch of a kernel image to the start of a function, and every address of a function that it keeps. */
export class CallGraph {
  readonly image: KernelImage;
  /** Bytes of code that are no instruction. */
  readonly unreadBytes: number;
  #addresses = new Float64Array(FIRST_CAPACITY);
  #targets = new Int32Array(FIRST_CAPACITY);
  #kinds = new Uint8Array(FIRST_CAPACITY);
  #size = 0;
  /** Indices of places by function that is reached; made when first asked for. */
  #byTarget: { readonly starts: Int32Array; readonly places: Int32Array } | undefined;
  #byAddress: Int32Array | undefined;
  #kept: Map<number, number[]> | undefined;
  readonly #keptAddresses: KeptAddresses;
  readonly #moved = new Set<number>();

  constructor(image: KernelImage) {
    this.image = image;
    this.#keptAddresses = image.keptAddresses();
    const walk = image.architecture === 'arm64' ? directCallsArm64 : directCallsX86;
    const moved = alternatives(image);
    let unread = 0;
    for (const code of image.code()) {
      unread += walk(code, image.functions, (place, target, kind) => {
        const at = moved(place);
        if (at !== place) this.#moved.add(at);
        this.#add(at, target, kind);
      });
    }
    this.unreadBytes = unread;
    this.#addCodeAddresses();
  }

  get size(): number {
    return this.#size;
  }

  place(index: number): CallPlace {
    return {
      address: this.#addresses[index] as number,
      target: this.#targets[index] as number,
      kind: KINDS[this.#kinds[index] as number] as CallKind,
    };
  }

  /** Whether the instruction at a place is an alternative that some processors have patched in there. */
  isMoved(address: number): boolean {
    return this.#moved.has(address);
  }

  /** The places that reach a function. */
  placesOf(target: number): CallPlace[] {
    const { starts, places } = this.#index();
    const found: CallPlace[] = [];
    for (let i = starts[target] as number; i < (starts[target + 1] as number); i++)
      found.push(this.place(places[i] as number));
    return found;
  }

  /** Places within a stretch of code, ascending. */
  placesWithin(start: number, end: number): CallPlace[] {
    const order = this.#ordered();
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#addresses[order[middle] as number] as number) < start) low = middle + 1;
      else high = middle;
    }
    const found: CallPlace[] = [];
    for (; low < order.length; low++) {
      const index = order[low] as number;
      if ((this.#addresses[index] as number) >= end) break;
      found.push(this.place(index));
    }
    return found;
  }

  /** Places in data that hold the address of a function. */
  keptOf(target: number): readonly number[] {
    this.#kept ??= this.#findKept();
    return this.#kept.get(target) ?? [];
  }

  /** Whether kept addresses are those of the kernel's own list; else what looks like one in its data. */
  get areKeptListed(): boolean {
    return this.#keptAddresses.areListed;
  }

  #findKept(): Map<number, number[]> {
    const kept = new Map<number, number[]>();
    const { data } = this.#keptAddresses;
    const { functions } = this.image;
    for (const place of data) {
      const bytes = this.image.bytesAt(place, 8);
      if (!bytes) continue;
      const address = readAddress(bytes, 0);
      const target = functions.at(address);
      if (target < 0 || functions.address(target) !== address || this.#isListed(place)) continue;
      const places = kept.get(target);
      if (places) places.push(place);
      else kept.set(target, [place]);
    }
    return kept;
  }

  #isListed(place: number): boolean {
    return LISTS.test(this.image.sectionAt(place)) || LISTED_BY.test(this.image.dataAt(place).object);
  }

  /** Addresses that stand in instructions as they are: `mov $hrtimer_wakeup, …`. */
  #addCodeAddresses(): void {
    const { image } = this;
    for (const field of this.#keptAddresses.code) {
      const bytes = image.bytesAt(field, 4);
      if (!bytes) continue;
      const address = bytes.readInt32LE(0);
      const target = image.functions.at(address);
      if (image.isCode(field) && target >= 0 && image.functions.address(target) === address)
        this.#add(field, target, 'address');
    }
  }

  #add(address: number, target: number, kind: CallKind): void {
    if (this.#size === this.#targets.length) this.#grow();
    this.#addresses[this.#size] = address;
    this.#targets[this.#size] = target;
    this.#kinds[this.#size] = KINDS.indexOf(kind);
    this.#size++;
  }

  #grow(): void {
    const capacity = 2 * this.#size;
    const [addresses, targets, kinds] = [
      new Float64Array(capacity),
      new Int32Array(capacity),
      new Uint8Array(capacity),
    ];
    addresses.set(this.#addresses);
    targets.set(this.#targets);
    kinds.set(this.#kinds);
    [this.#addresses, this.#targets, this.#kinds] = [addresses, targets, kinds];
  }

  #index(): { readonly starts: Int32Array; readonly places: Int32Array } {
    if (this.#byTarget) return this.#byTarget;
    const starts = new Int32Array(this.image.functions.size + 1);
    for (let i = 0; i < this.#size; i++) {
      if ((this.#targets[i] as number) < 0) continue;
      const next = (this.#targets[i] as number) + 1;
      starts[next] = (starts[next] as number) + 1;
    }
    for (let i = 1; i < starts.length; i++) starts[i] = (starts[i] as number) + (starts[i - 1] as number);
    const at = starts.slice();
    const places = new Int32Array(this.#size);
    for (let i = 0; i < this.#size; i++) {
      const target = this.#targets[i] as number;
      if (target < 0) continue;
      const slot = at[target] as number;
      places[slot] = i;
      at[target] = slot + 1;
    }
    this.#byTarget = { starts, places };
    return this.#byTarget;
  }

  #ordered(): Int32Array {
    this.#byAddress ??= Int32Array.from({ length: this.#size }, (_, i) => i).sort(
      (a, b) => (this.#addresses[a] as number) - (this.#addresses[b] as number),
    );
    return this.#byAddress;
  }
}

/** Sizes of an entry of `.altinstructions`, and where in it the length of the replacement stands: 6.x, and before. */
const ALTERNATIVES: readonly (readonly [size: number, lengthAt: number])[] = [
  [14, 13],
  [12, 11],
  [13, 11],
];

/**
 * Where code of `.altinstr_replacement` runs: what it replaces (arch/x86/include/asm/alternative.h). Another address
 * stays as it is.
 */
function alternatives(image: KernelImage): (address: number) => number {
  const stretch = image.sectionNamed('.altinstructions');
  const replacement = image.sectionNamed('.altinstr_replacement');
  if (!stretch || !replacement) return (address) => address;
  const end = replacement.address + replacement.bytes.length;
  for (const [size, lengthAt] of ALTERNATIVES) {
    if (stretch.bytes.length % size !== 0) continue;
    const moves: { from: number; to: number; length: number }[] = [];
    let fits = true;
    for (let at = 0; at < stretch.bytes.length && fits; at += size) {
      const to = stretch.address + at + stretch.bytes.readInt32LE(at);
      const from = stretch.address + at + 4 + stretch.bytes.readInt32LE(at + 4);
      fits = from >= replacement.address && from <= end;
      moves.push({ from, to, length: stretch.bytes[at + lengthAt] ?? 0 });
    }
    if (!fits) continue;
    moves.sort((a, b) => a.from - b.from);
    return (address) => {
      if (address < replacement.address || address >= end) return address;
      const move = moves.find(({ from, length }) => address >= from && address < from + length);
      return move ? move.to + address - move.from : address;
    };
  }
  return (address) => address;
}
