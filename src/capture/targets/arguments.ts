import { UsageError } from '../../errors.ts';
import type { KeyOptions } from '../bpf/key-layout.ts';
import { isKeyPart, KEY_PART_NAMES, type KeyPartName } from '../bpf/key-parts.ts';
import { arch } from '../sys/arch.ts';
import { ArgumentCounts } from './argument-count.ts';
import type { Target } from './target.ts';

/** An argument of a target that is recorded with each call. */
export interface RecordedArgument {
  /** 1 the first. */
  readonly number: number;
  /** It is the address of a function: show its name. */
  readonly asSymbol: boolean;
}

/** Arguments that are recorded unasked, because they say who called where the stack cannot. */
const TELLING_ARGUMENTS: Readonly<Record<string, RecordedArgument>> = {
  // the rotate callback, which every augmented tree has its own of
  __rb_insert_augmented: { number: 3, asSymbol: true },
};

/** What `--keys` asks for. */
export type RequestedKeys = { readonly [name in KeyPartName]: boolean } & { readonly argument?: RecordedArgument };

const NO_KEYS = Object.fromEntries(KEY_PART_NAMES.map((name) => [name, false])) as Record<KeyPartName, boolean>;

/**
 * Reads a list such as `comm,pid,arg3:sym`.
 * @throws {UsageError} unknown key
 */
export function parseKeys(list: string): RequestedKeys {
  let keys: RequestedKeys = NO_KEYS;
  for (const word of list.split(',').filter((part) => part !== '' && part !== 'none')) {
    const [, number, asSymbol] = /^arg([1-9]\d?)(:sym)?$/.exec(word) ?? [];
    if (number !== undefined) {
      if (keys.argument) throw new UsageError('only one argument can be a key');
      keys = { ...keys, argument: { number: Number(number), asSymbol: asSymbol !== undefined } };
    } else if (isKeyPart(word)) {
      keys = { ...keys, [word]: true };
    } else if (/^arg0+(?::sym)?$/.test(word)) {
      throw new UsageError(`--keys ${word}: arguments are numbered from 1`);
    } else {
      throw new UsageError(`--keys ${word} is none of ${KEY_PART_NAMES.join(', ')}, argN, argN:sym, none`);
    }
  }
  return keys;
}

/** The same keys, and the one by which calls are to be grouped if it is one. */
export function withGrouping(keys: RequestedKeys, by: string | undefined): RequestedKeys {
  return by !== undefined && isKeyPart(by) ? { ...keys, [by]: true } : keys;
}

/**
 * The argument to record of each target, undefined where none is: what was asked for, or what says who called. Of
 * targets that only matched a pattern some may lack it.
 * @throws {UsageError} an argument beyond those that registers or the target hold
 */
export function argumentsOf(
  targets: readonly Target[],
  requested?: RecordedArgument,
  counts: Pick<ArgumentCounts, 'of'> = new ArgumentCounts(),
): (RecordedArgument | undefined)[] {
  if (!requested) {
    return targets.map(({ kind, name }) => (kind === 'function' ? TELLING_ARGUMENTS[name] : undefined));
  }
  const whys = targets.map((target) => whyNoArgument(target, requested.number, counts.of(target)));
  const named = whys.find((why, i) => why !== null && targets[i]?.pattern === undefined);
  const fatal = named ?? (whys.includes(null) ? null : whys[0]);
  if (fatal) throw new UsageError(`--keys arg${requested.number}: ${fatal}`);
  return whys.map((why) => (why === null ? requested : undefined));
}

function whyNoArgument(target: Target, number: number, count: number | null): string | null {
  if (count !== null && number > count) {
    return `${target.name} has ${count === 0 ? 'no' : count} argument${count === 1 ? '' : 's'}`;
  }
  if (target.kind !== 'tracepoint') {
    const most = arch().argumentOffsets.length;
    return number > most ? `only the first ${most} are passed in registers (${target.name})` : null;
  }
  const most = target.category === 'syscalls' ? 6 : 12;
  return number > most ? `a tracepoint has no more than ${most} (${target.name})` : null;
}

/** What the key of a count consists of, given what was asked for and what the targets suggest. */
export function keyOptions(
  { argument: _, ...asked }: RequestedKeys,
  recorded: readonly (RecordedArgument | undefined)[],
  bucketMilliseconds?: number,
  userStacks = false,
): KeyOptions {
  const argument = recorded.some((one) => one !== undefined);
  // Addresses of a process mean something only together with the process.
  const all = { ...asked, pid: asked.pid || userStacks, argument };
  return bucketMilliseconds === undefined ? all : { ...all, bucketMilliseconds };
}
