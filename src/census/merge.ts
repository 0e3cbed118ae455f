import { type KeyId, UNKNOWN } from './call-key.ts';
import { type Census, type CensusFacts, measureKey } from './census.ts';
import { messageKey } from './message.ts';
import { NO_TARGET, type TargetId } from './row-table.ts';
import type { StackId } from './stack-table.ts';

/** Chooses a stack of `into` for calls of `from`; `copied` is the copy of their own. */
export type StackReplacement = (
  from: Census,
  stack: StackId,
  into: Census,
  copied: StackId,
  target: TargetId,
) => StackId;

/** Time buckets as wide as this, in milliseconds, hold everything: no run is longer. */
const WIDEST = 2 ** 52;

/**
 * Adds everything of `from` to `into`. Associative and commutative in all that a census says: reports are the same in
 * whatever order and parts runs are merged. Only ids and the order of rows differ. `bucketOf` may put calls into other
 * time buckets on the way, `replaced` into another stack of `into` than the copy of their own.
 *
 * Lists that are not the same come out sorted. Time buckets of two widths become as wide as both of them divide.
 */
export function mergeCensus(
  into: Census,
  from: Census,
  bucketOf: (bucket: number) => number = (bucket) => bucket,
  replaced: StackReplacement = (_from, _stack, _into, copied) => copied,
): void {
  into.arrange(united(into.targets, from.targets), united(into.measures, from.measures, measureKey));
  const stackOf = stackMapper(into, from);
  const targets = from.targets.map((name) => into.target(name));
  const measures = from.measures.map((measure) => into.measure(measure));
  const width = commonWidth(into.facts.bucketMilliseconds, from.facts.bucketMilliseconds);
  widenBuckets(into, width);
  mergeFacts(into.facts, from.facts);
  const rescale = rescaling(from.facts.bucketMilliseconds, width);
  const keys: (KeyId | undefined)[] = [];
  const keyOf = (id: KeyId): KeyId => {
    let key = keys[id];
    if (key === undefined) {
      const { bucket, ...others } = from.keys.at(id);
      key = into.keys.intern({ ...others, bucket: rescale(bucketOf(bucket)) });
      keys[id] = key;
    }
    return key;
  };
  for (let number = 0; number < from.rows.size; number++) {
    const { stack, target, key, count } = from.rows.row(number);
    const own = replaced(from, stack, into, stackOf(stack), target);
    const row = into.addCalls(own, targets[target] ?? NO_TARGET, keyOf(key), count);
    for (const [measure, to] of measures.entries()) into.rows.addSum(row, to, from.rows.sum(number, measure));
  }
  for (const { count, ...cause } of from.losses) into.lose(cause, count);
}

/** Maps stacks of one census to the same stacks of another, copying what is missing. */
function stackMapper(into: Census, from: Census): (stack: StackId) => StackId {
  const symbols = new Int32Array(from.symbols.size).fill(-1);
  const stacks = new Int32Array(from.stacks.size).fill(-1);
  stacks[0] = 0;
  return (stack) => {
    for (const at of from.stacks.prefixes(stack)) {
      if (stacks[at] !== -1) continue;
      const id = from.stacks.symbol(at);
      if (symbols[id] === -1) {
        const { symbols: own } = from;
        symbols[id] = into.symbols.intern(own.raw(id), own.module(id), own.space(id), own.file(id), own.line(id));
      }
      stacks[at] = into.stacks.push(
        stacks[from.stacks.inner(at)] as StackId,
        symbols[id] as never,
        from.stacks.offset(at),
        from.stacks.isUnreliable(at),
        from.stacks.isInlined(at),
      );
    }
    return stacks[stack] as StackId;
  };
}

/** The width that buckets of both have after merging. null where neither knows times. */
function commonWidth(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  const common = (a / greatestDivisor(a, b)) * b;
  return common < WIDEST ? common : WIDEST;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Where a bucket of one width lies among those of another that it divides; unknown times stay so. */
function rescaling(from: number | null, to: number | null): (bucket: number) => number {
  if (from === null || to === null) return () => UNKNOWN;
  if (from === to) return (bucket) => bucket;
  return (bucket) => (bucket === UNKNOWN ? UNKNOWN : Math.floor(bucket / (to / from)));
}

function widenBuckets({ facts, keys, rows }: Census, width: number | null): void {
  const { bucketMilliseconds } = facts;
  if (bucketMilliseconds === width) return;
  const rescale = rescaling(bucketMilliseconds, width);
  rows.rewrite({
    keyOf: (id) => {
      const { bucket, ...others } = keys.at(id);
      return keys.intern({ ...others, bucket: rescale(bucket) });
    },
  });
}

function mergeFacts(into: CensusFacts, from: CensusFacts): void {
  into.kernels = united(into.kernels, from.kernels);
  into.buildIds = united(into.buildIds, from.buildIds);
  into.commands = united(into.commands, from.commands);
  into.workloads = united(into.workloads, from.workloads);
  into.architectures = united(into.architectures, from.architectures);
  into.warnings = united(into.warnings, from.warnings, messageKey);
  into.notes = united(into.notes, from.notes, messageKey);
  into.startedAt = earlier(into.startedAt, from.startedAt);
  into.cpus = larger(into.cpus, from.cpus);
  into.durationSeconds = sum(into.durationSeconds, from.durationSeconds);
  into.bucketMilliseconds = commonWidth(into.bucketMilliseconds, from.bucketMilliseconds);
}

/**
 * What is in either list. The order of a list stays where the other is the same or empty; else nothing tells which of
 * them came first, and what is in both is sorted.
 */
function united<T>(own: readonly T[], other: readonly T[], identity: (value: T) => string = JSON.stringify): T[] {
  const keys = own.map(identity);
  const others = other.map(identity);
  if (other.length === 0 || (keys.length === others.length && keys.every((key, i) => key === others[i])))
    return [...own];
  if (own.length === 0) return [...other];
  const all = new Map([...own.map((value, i) => [keys[i] ?? '', value] as const)]);
  for (const [i, value] of other.entries()) if (!all.has(others[i] ?? '')) all.set(others[i] ?? '', value);
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

/** Both are of the form `2026-11-23T12:00:00Z`. */
function earlier(a: string | null, b: string | null): string | null {
  return a === null ? b : b === null ? a : a < b ? a : b;
}

function larger(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

/** In whole microseconds: sums of fractions depend on their order. */
function sum(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return (Math.round(a * 1e6) + Math.round(b * 1e6)) / 1e6;
}
