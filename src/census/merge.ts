import type { Census } from './census.ts';
import { type CensusFacts, UNKNOWN } from './census.ts';
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
  mergeFacts(into.facts, from.facts);
  const bucketed = into.facts.bucketMilliseconds !== null;
  for (const row of from.rows) {
    into.addRow(
      stackOf(row.stack),
      targets[row.target] ?? UNKNOWN,
      into.stringId(from.string(row.comm)),
      row.pid,
      row.cpu,
      bucketed ? bucketOf(row.bucket) : UNKNOWN,
      into.stringId(from.string(row.argument)),
      row.count,
    );
  }
  for (const { reason, count } of from.losses) into.lose(reason, count);
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
        symbols[id] = into.symbols.intern(own.raw(id), own.module(id), own.space(id), own.file(id));
      }
      stacks[at] = into.stacks.push(
        stacks[from.stacks.inner(at)] as StackId,
        symbols[id] as never,
        from.stacks.offset(at),
        from.stacks.isUnreliable(at),
      );
    }
    return stacks[stack] as StackId;
  };
}

function mergeFacts(into: CensusFacts, from: CensusFacts): void {
  addDistinct(into.kernels, from.kernels);
  addDistinct(into.commands, from.commands);
  addDistinct(into.workloads, from.workloads);
  addDistinct(into.warnings, from.warnings);
  addDistinct(into.notes, from.notes);
  into.cpus = larger(into.cpus, from.cpus);
  into.durationSeconds = sum(into.durationSeconds, from.durationSeconds);
  into.bucketMilliseconds = larger(into.bucketMilliseconds, from.bucketMilliseconds);
}

function addDistinct<T>(into: T[], from: readonly T[]): void {
  const known = new Set(into.map((value) => JSON.stringify(value)));
  for (const value of from) if (!known.has(JSON.stringify(value))) into.push(value);
}

function larger(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

function sum(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : a + b;
}
