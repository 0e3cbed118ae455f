import { type CallKey, UNKNOWN } from '../../census/call-key.ts';
import type { Census } from '../../census/census.ts';
import { NO_TARGET, type TargetId } from '../../census/row-table.ts';
import { EMPTY_STACK, type StackId } from '../../census/stack-table.ts';
import { readAddress } from '../../image/kernel-elf.ts';
import type { KeyLayout } from '../bpf/key-layout.ts';
import { KEY_PART_NAMES, KEY_PARTS, type KeyPartName } from '../bpf/key-parts.ts';
import { type BpfMap, forEachEntry } from '../sys/bpf-maps.ts';
import { argumentText } from '../targets/argument-text.ts';
import type { CapturePlan } from './plan.ts';
import type { Symboliser } from './symbolise.ts';

/** Carries the maps of a capture over into a census. */
export class MapReader {
  /** Calls with a stack, by index of the target. */
  readonly attributed: number[] = [];
  /** Calls of processes whose pid is 0 or not known. */
  unnumbered = 0;
  /** Entries found in the map of stacks. */
  stackCount = 0;
  /** Entries found in the map of counts. */
  keyCount = 0;

  readonly #census: Census;
  readonly #plan: CapturePlan;
  readonly #layout: KeyLayout;
  readonly #symboliser: Symboliser;
  readonly #parts: readonly { readonly name: KeyPartName; readonly at: number }[];
  readonly #targets: TargetId[];
  readonly #records = new Map<bigint, Buffer>();
  readonly #stacks = new Map<string, StackId>();
  readonly #bucketOf: (bucket: number) => number;

  constructor(
    census: Census,
    plan: CapturePlan,
    layout: KeyLayout,
    symboliser: Symboliser,
    bucketOf: (bucket: number) => number,
  ) {
    this.#census = census;
    this.#plan = plan;
    this.#layout = layout;
    this.#symboliser = symboliser;
    this.#parts = KEY_PART_NAMES.flatMap((name) => {
      const at = layout.parts[name];
      return at === undefined ? [] : [{ name, at }];
    });
    this.#targets = plan.targets.map(({ name }) => census.target(name));
    this.#bucketOf = bucketOf;
  }

  readStacks(map: BpfMap): void {
    forEachEntry(map, (key, value) => {
      this.#records.set(key.readBigUInt64LE(0), Buffer.from(value));
      this.stackCount++;
    });
  }

  readCounts(map: BpfMap): void {
    const { layout, census } = { layout: this.#layout, census: this.#census };
    // One for all: the table of keys takes what it holds at once.
    const task: { -readonly [name in keyof CallKey]?: string | number } = {};
    forEachEntry(map, (key, value) => {
      this.keyCount++;
      const index = key.readUInt32LE(layout.target);
      const count = Number(value.readBigUInt64LE(0));
      this.attributed[index] = (this.attributed[index] ?? 0) + count;
      for (const { name, at } of this.#parts) task[name] = KEY_PARTS[name].read(key, at);
      if (layout.bucket !== null) task.bucket = this.#bucketOf(key.readUInt32LE(layout.bucket));
      if (layout.argument !== null) task.argument = this.#argument(key, layout.argument, index);
      const { pid = UNKNOWN } = task as Partial<CallKey>;
      if (pid === 0) this.unnumbered += count;
      const id = census.keys.intern(task as Partial<CallKey>);
      const stack = this.#stack(key.readBigUInt64LE(layout.stack), index, pid);
      census.addCalls(stack, this.#targets[index] ?? NO_TARGET, id, count);
    });
  }

  /** The same addresses may be stacks of two targets, whose first frames differ, and of two processes. */
  #stack(hash: bigint, target: number, pid: number): StackId {
    const key = this.#plan.userStacks ? `${hash}/${target}/${pid}` : `${hash}/${target}`;
    let stack = this.#stacks.get(key);
    if (stack === undefined) {
      const record = this.#records.get(hash);
      const of = this.#plan.targets[target];
      stack = record && of ? this.#symboliser.read(record, of, this.#plan.userStacks ? pid : null) : EMPTY_STACK;
      this.#stacks.set(key, stack);
    }
    return stack;
  }

  #argument(key: Buffer, offset: number, target: number): string {
    const argument = this.#plan.arguments[target];
    if (!argument) return '';
    if (!argument.asSymbol) return argumentText(key.readBigUInt64LE(offset));
    return this.#symboliser.nameOf(readAddress(key, offset));
  }
}
