import { placesOf } from '../../atlas/places.ts';
import type { CallKey } from '../../census/call-key.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { SymbolSpace } from '../../census/symbol-table.ts';
import type { CensusBuilder } from '../builder.ts';
import { CountedStacks, type Sum } from '../counted-stacks.ts';
import { type BpfFrame, type MapValue, parseKey, unitOf } from './grammar.ts';

/** A map as it was printed, once or again and again. */
interface BpfMap {
  /** What was printed before it was cleared. */
  readonly done: Map<string, MapValue>;
  /** The last print that is whole, and the one that is under way. */
  last: Map<string, MapValue>;
  next: Map<string, MapValue>;
  prints: number;
  /** Every print had all that the one before had, and no less of it. */
  isGrowing: boolean;
}

/** A process has at most 15 bytes of name. */
const LONGEST_COMM = 15;
/** The builtin `probe` as a key: `kprobe:vfs_read`, `fentry:vmlinux:vfs_read`, `tracepoint:sched:sched_switch`. */
const FUNCTION_PROBE = /^(?:k(?:ret)?(?:probe|func)|fentry|fexit):(?:\w+:)?([\w.]+)(?:\+\d+)?$/;
const PROBE =
  /^(?:kprobe|kretprobe|kfunc|kretfunc|fentry|fexit|tracepoint|rawtracepoint|profile|interval|hardware|software|watchpoint|usdt|uprobe|uretprobe):/;

/** Stacks by the probe that is one of their keys; '' where none is. */
class ByProbe {
  readonly #builder: CensusBuilder;
  readonly #stacks = new Map<string, CountedStacks>();

  constructor(builder: CensusBuilder) {
    this.#builder = builder;
  }

  of(probe: string): CountedStacks {
    let stacks = this.#stacks.get(probe);
    if (!stacks) {
      stacks = new CountedStacks(this.#builder);
      this.#stacks.set(probe, stacks);
    }
    return stacks;
  }

  book(): void {
    for (const [probe, stacks] of this.#stacks) stacks.book(probe);
  }
}

/** Maps with stacks among their keys, and stacks that were printed by themselves. */
export class BpfMaps {
  readonly #builder: CensusBuilder;
  /** All numbers are sums, the user says. */
  readonly #areSums: boolean;
  readonly #maps = new Map<string, BpfMap>();
  readonly #printed: CountedStacks;
  /** Entries of maps that have no stack. */
  withoutStack = 0;

  constructor(builder: CensusBuilder, areSums: boolean) {
    this.#builder = builder;
    this.#areSums = areSums;
    this.#printed = new CountedStacks(builder);
  }

  /** How many stacks were printed by themselves. */
  get printed(): number {
    return this.#printed.size;
  }

  /** An entry of a map: `@bytes[KEY]: VALUE`. */
  entry(name: string, key: string, value: MapValue): void {
    // Text has a blank behind the commas between keys, and JSON has none.
    const text = key.replace(/,[ \t]+/g, ',').trimEnd();
    if (!/\+\d|0x|[0-9a-f]{12}/.test(text)) {
      this.withoutStack += 1;
      return;
    }
    let map = this.#maps.get(name);
    if (!map) {
      map = { done: new Map(), last: new Map(), next: new Map(), prints: 1, isGrowing: true };
      this.#maps.set(name, map);
    }
    if (map.next.has(text)) {
      endPrint(map);
      map.prints += 1;
    }
    map.next.set(text, value);
  }

  /** A stack that a script printed: a call. */
  stack(frames: readonly BpfFrame[]): void {
    this.#printed.add(this.#frames(frames, this.#isKernel(frames, true) ? 'kernel' : 'user'), {}, 1);
  }

  finish(): void {
    const { census } = this.#builder;
    const counts = new Map<string, Map<string, MapValue>>();
    const sums = new Map<string, Map<string, MapValue>>();
    for (const [name, map] of this.#maps) {
      endPrint(map);
      if (map.prints > 1) {
        census.note({ code: 'map-printed-again', map: name, prints: map.prints, isGrowing: map.isGrowing });
      }
      for (const [key, value] of map.last) map.done.set(key, added(map.done.get(key), value));
      const isPlain = [...map.done.values()].some(({ count }) => count < 0);
      const isSum = isPlain && (this.#areSums || unitOf(name.slice(1)) !== null);
      (isSum ? sums : counts).set(name, map.done);
    }
    for (const [name, entries] of counts) this.#book(name, entries, sums);
    for (const [name, entries] of sums) this.#bookSums(name, entries);
    if (counts.size + sums.size > 1) {
      census.note({ code: 'several-maps', maps: [...counts.keys(), ...sums.keys()] });
    }
    this.#printed.book();
  }

  /** Books a map of counts, with what maps of sums have under the same keys. */
  #book(name: string, entries: Map<string, MapValue>, sums: Map<string, Map<string, MapValue>>): void {
    const stacks = new ByProbe(this.#builder);
    for (const [key, value] of entries) {
      const own: Sum[] = value.sum >= 0 ? [[this.#measure(name), value.sum]] : [];
      for (const [other, values] of sums) {
        const sum = values.get(key);
        if (sum) own.push([this.#measure(other), Math.max(sum.number, 0)]);
        values.delete(key);
      }
      this.#add(stacks, key, value.count >= 0 ? value.count : value.number, own);
    }
    stacks.book();
  }

  /** Books a map of sums: how many calls they are is not told, so that each of its stacks counts as one. */
  #bookSums(name: string, entries: Map<string, MapValue>): void {
    const stacks = new ByProbe(this.#builder);
    const { census } = this.#builder;
    const unit = unitOf(name.slice(1)) ?? '';
    for (const [key, { number }] of entries) {
      census.note({ code: 'no-sample-counts', value: measureName(name), unit, every: 0 });
      this.#add(stacks, key, 1, [[this.#measure(name), Math.max(number, 0)]]);
    }
    stacks.book();
  }

  #measure(name: string): number {
    const unit = unitOf(name.slice(1)) ?? '';
    return this.#builder.census.measure({ name: measureName(name), unit, of: 'bpftrace' });
  }

  #add(stacks: ByProbe, key: string, count: number, sums: readonly Sum[]): void {
    if (!(count > 0)) return;
    const { stacks: printed, others } = parseKey(key);
    const kernel = printed.filter((stack) => this.#isKernel(stack, printed.length === 1));
    const user = printed.filter((stack) => !kernel.includes(stack));
    const frames = [
      ...kernel.flatMap((stack) => this.#frames(stack, 'kernel')),
      ...user.flatMap((stack) => this.#frames(stack, 'user')),
    ];
    stacks.of(probeIn(others)).add(frames, keyOf(others), count, sums);
  }

  #frames(printed: readonly BpfFrame[], space: SymbolSpace): Frame[] {
    const { symbols } = this.#builder.census;
    return printed.map(({ raw, module, offset }) => ({ symbol: symbols.intern(raw, module, space), offset }));
  }

  /** Whether a stack is the kernel's: bpftrace prints those of programs alike. `isAlone`: it is, unless something speaks against it. */
  #isKernel(stack: readonly BpfFrame[], isAlone: boolean): boolean {
    const told = stack.find(({ space }) => space !== null)?.space;
    if (told) return told === 'kernel';
    const { knowledge } = this.#builder;
    const isKnown = ({ raw }: BpfFrame) => {
      const role = knowledge.role(raw);
      return role?.boundary !== undefined || role?.entry !== undefined || placesOf(raw).length > 0;
    };
    return isAlone || stack.filter(isKnown).length * 2 > stack.length;
  }
}

/** Ends the print that is under way. */
function endPrint(map: BpfMap): void {
  const isGrown = [...map.last].every(([key, value]) => sizeOf(map.next.get(key)) >= sizeOf(value));
  if (!isGrown) {
    // It was cleared in between: what was printed before counts beside what came after.
    for (const [key, value] of map.last) map.done.set(key, added(map.done.get(key), value));
    map.isGrowing = false;
  }
  map.last = map.next;
  map.next = new Map();
}

function added(one: MapValue | undefined, other: MapValue): MapValue {
  if (!one) return other;
  const sum = (a: number, b: number) => (a < 0 || b < 0 ? Math.max(a, b) : a + b);
  return {
    number: sum(one.number, other.number),
    count: sum(one.count, other.count),
    sum: sum(one.sum, other.sum),
  };
}

/** What grows from print to print. */
function sizeOf(value: MapValue | undefined): number {
  return Math.max(value?.count ?? -1, value?.number ?? -1);
}

function measureName(map: string): string {
  return map === '@' ? 'sum' : map.slice(1);
}

/** The target of the probe among the keys: a function, or an event as it is called. */
function probeIn(others: readonly string[]): string {
  const probe = others.find((key) => PROBE.test(key)) ?? '';
  return FUNCTION_PROBE.exec(probe)?.[1] ?? probe.replace(/^(?:raw)?tracepoint:/, '');
}

/** Keys beside the stack. A word is the process, unless it is a probe; numbers are not told apart by anything. */
function keyOf(others: readonly string[]): Partial<CallKey> {
  const words = others.filter((key) => !/^-?\d+$/.test(key) && !PROBE.test(key));
  const comm = words.length === 1 && Buffer.byteLength(words[0] ?? '') <= LONGEST_COMM ? words[0] : undefined;
  const rest = others.filter((key) => key !== comm && !PROBE.test(key));
  return {
    ...(comm !== undefined && { comm }),
    ...(rest.length > 0 && { argument: rest.join(', ') }),
  };
}
