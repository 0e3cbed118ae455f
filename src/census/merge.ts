import { type KeyId, UNKNOWN } from './call-key.ts';
import type { Census, CensusFacts } from './census.ts';
import { messageKey } from './message.ts';
import { NO_TARGET } from './row-table.ts';
import type { StackId } from './stack-table.ts';

/**
 * Adds everything of `from` to `into`. Associative and commutative in what a census says (rows, losses, facts);
 * ids and the order of lists may differ. `bucketOf` may put calls into other time buckets on the way.
 */
export function mergeCensus(
  into: Census,
  from: Census,
  bucketOf: (bucket: number) => number = (bucket) => bucket,
): void {
  const stackOf = stackMapper(into, from);
  const targets = from.targets.map((name) => into.target(name));
  const measures = from.measures.map((measure) => into.measure(measure));
  mergeFacts(into.facts, from.facts);
  const bucketed = into.facts.bucketMilliseconds !== null;
  const keys: (KeyId | undefined)[] = [];
  const keyOf = (id: KeyId): KeyId => {
    let key = keys[id];
    if (key === undefined) {
      const { bucket, ...others } = from.keys.at(id);
      key = into.keys.intern({ ...others, bucket: bucketed ? bucketOf(bucket) : UNKNOWN });
      keys[id] = key;
    }
    return key;
  };
  for (let number = 0; number < from.rows.size; number++) {
    const { stack, target, key, count } = from.rows.row(number);
    const row = into.addCalls(stackOf(stack), targets[target] ?? NO_TARGET, keyOf(key), count);
    for (const [measure, own] of measures.entries()) into.rows.addSum(row, own, from.rows.sum(number, measure));
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

function mergeFacts(into: CensusFacts, from: CensusFacts): void {
  addDistinct(into.kernels, from.kernels);
  addDistinct(into.commands, from.commands);
  addDistinct(into.workloads, from.workloads);
  addDistinct(into.architectures, from.architectures);
  addDistinct(into.warnings, from.warnings, messageKey);
  addDistinct(into.notes, from.notes, messageKey);
  into.startedAt = earlier(into.startedAt, from.startedAt);
  into.cpus = larger(into.cpus, from.cpus);
  into.durationSeconds = sum(into.durationSeconds, from.durationSeconds);
  into.bucketMilliseconds = larger(into.bucketMilliseconds, from.bucketMilliseconds);
}

function addDistinct<T>(into: T[], from: readonly T[], identity: (value: T) => string = JSON.stringify): void {
  const known = new Set(into.map(identity));
  for (const value of from) if (!known.has(identity(value))) into.push(value);
}

/** Both are of the form `2026-11-23T12:00:00Z`. */
function earlier(a: string | null, b: string | null): string | null {
  return a === null ? b : b === null ? a : a < b ? a : b;
}

function larger(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

function sum(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : a + b;
}
