import { realpathSync } from 'node:fs';
import { normaliseSymbol } from '../census/symbol-name.ts';
import { UsageError, UserError } from '../errors.ts';
import { type ElfProbe, type ElfProbes, elfProbes } from './elf.ts';
import type { Kallsyms, KernelFunction } from './kallsyms.ts';
import { nearNames } from './near-names.ts';
import { type TargetSet, targetSets } from './target-sets.ts';
import type { Target, UserTarget } from './targets.ts';
import { listTraceEvents, traceEventDirectory, whyNoTraceEvents } from './tracefs.ts';

/** More than this many targets at once are a mistake, and take long to arm. */
const MOST_TARGETS = 512;

/** Targets as resolved against the running kernel, with what the user should know about it. */
export interface ResolvedTargets {
  readonly targets: readonly Target[];
  readonly notes: readonly string[];
}

/** Where names are looked up. */
export interface Names {
  readonly kallsyms: Kallsyms;
  readonly sets: readonly TargetSet[];
  hasEvent(category: string, event: string): boolean;
  /** Names of the events of a category; of the categories where none is given. */
  events(category?: string): readonly string[];
  /** Why no events are known at all; '' where they are. */
  whyNoEvents(): string;
  /** What of a program or library can be counted. */
  userFunctions(path: string): ElfProbes;
}

/** The names of the running kernel. */
export function liveNames(kallsyms: Kallsyms): Names {
  return {
    kallsyms,
    sets: targetSets(),
    // Where tracefs is out of reach, the function that calls a tracepoint's programs bears its name (since 5.10).
    hasEvent: (category, event) =>
      traceEventDirectory(category, event) !== null ||
      (category !== 'syscalls' && whyNoTraceEvents() !== '' && kallsyms.named(`__traceiter_${event}`).length > 0),
    whyNoEvents: whyNoTraceEvents,
    events: listTraceEvents,
    userFunctions: elfProbes,
  };
}

/**
 * Finds what target words stand for: `rb_insert_color`, `tcp_*`, `/^ext4_.*write/`, `bfq:bfq_insert_request`,
 * `sched:sched_switch`, `@rbtree-insert`, `/usr/lib/libc.so.6:malloc`, several separated by commas.
 *
 * @throws {UserError} for names that resolve to nothing, with near names
 */
export function resolveTargets(words: readonly string[], names: Names): ResolvedTargets {
  const notes: string[] = [];
  const targets = new Map<string, Target>();
  for (const word of words.flatMap(splitWord)) {
    for (const target of resolveWord(word, names, notes)) {
      if (!targets.has(target.name)) targets.set(target.name, target);
    }
  }
  if (targets.size === 0) throw new UsageError('name a function to count');
  if (targets.size > MOST_TARGETS) {
    throw new UserError(
      `${words.join(' ')} stands for ${targets.size} functions; at most ${MOST_TARGETS} are counted at once`,
    );
  }
  return { targets: [...targets.values()], notes };
}

/** Splits at commas, but not inside `/a{1,2}/`. */
function splitWord(word: string): string[] {
  if (word.length > 2 && word.startsWith('/') && word.endsWith('/')) return [word];
  return word.split(',').filter((part) => part !== '');
}

function resolveWord(word: string, names: Names, notes: string[]): Target[] {
  if (word.startsWith('@')) return resolveSet(word, names, notes);
  if (word.length > 2 && word.startsWith('/') && word.endsWith('/')) {
    return matching(word, regularExpression(word.slice(1, -1)), () => true, names.kallsyms);
  }
  const colon = word.lastIndexOf(':');
  if (colon > 0) return resolveQualified(word, word.slice(0, colon), word.slice(colon + 1), names, notes);
  if (isPattern(word)) return matching(word, glob(word), () => true, names.kallsyms);
  return [resolveFunction(word, names.kallsyms.named(word), names, notes)];
}

function resolveSet(word: string, names: Names, notes: string[]): Target[] {
  const set = names.sets.find(({ name }) => `@${name}` === word);
  if (!set) {
    const near = nearNames(
      word.slice(1),
      names.sets.map(({ name }) => name),
    );
    throw new UserError(
      `no set of targets is called ${word}${suggestion(near.map((name) => `@${name}`))} ('whocalls targets' lists them)`,
    );
  }
  const found: Target[] = [];
  for (const member of set.targets) {
    try {
      found.push(...resolveWord(member, names, notes));
    } catch (error) {
      // Sets list the names of many kernels; that this one lacks some is expected.
      if (!(error instanceof UserError)) throw error;
    }
  }
  if (found.length === 0)
    throw new UserError(`this kernel has none of the functions of ${word}: ${set.targets.join(', ')}`);
  return found;
}

/** `file:function`, `category:event` or `module:function`. */
function resolveQualified(word: string, left: string, right: string, names: Names, notes: string[]): Target[] {
  if (left.includes('/')) {
    return resolveUser(left, right, names, notes);
  }
  if (isPattern(right)) {
    const pattern = glob(right);
    const events = names.events(left).filter((event) => pattern.test(event));
    if (events.length > 0) return events.map((event) => tracepoint(left, event));
    return matching(word, pattern, ({ module }) => module === left, names.kallsyms);
  }
  if (names.hasEvent(left, right)) return [tracepoint(left, right)];
  const functions = names.kallsyms.named(right).filter(({ module }) => module === (left === 'vmlinux' ? '' : left));
  if (functions.length > 0) return [resolveFunction(right, functions, names, notes)];
  const events = names.events(left);
  if (events.length > 0) {
    throw new UserError(
      `no tracepoint is called ${word}${suggestion(nearNames(right, events).map((e) => `${left}:${e}`))}`,
    );
  }
  if (names.kallsyms.hasModule(left)) throw new UserError(`the module ${left} has no function ${right}`);
  const why = names.whyNoEvents();
  if (why !== '') throw new UserError(`${word}: tracepoints cannot be looked up: ${why}`);
  const near = nearNames(left, names.events());
  throw new UserError(`${word}: there is no tracepoint category and no loaded module ${left}${suggestion(near)}`);
}

/** `file:function` or `file:pattern`. */
function resolveUser(path: string, wanted: string, names: Names, notes: string[]): UserTarget[] {
  const { functions, imports } = names.userFunctions(path);
  const file = realPath(path);
  const target = ({ name, offsets }: ElfProbe): UserTarget => ({
    kind: 'user',
    name: `${path}:${name}`,
    path,
    file,
    symbol: name,
    offsets,
  });
  if (isPattern(wanted)) {
    const pattern = glob(wanted);
    const found = functions.filter(({ name, isChooser }) => pattern.test(name) && !isChooser);
    if (found.length === 0) throw new UserError(`no function of ${path} matches ${wanted}`);
    return found.map(target);
  }
  const found = functions.find(({ name }) => name === wanted);
  if (!found) {
    if (imports.has(wanted)) {
      throw new UserError(`${path} calls ${wanted} but does not contain it: name the library that does`);
    }
    const near = nearNames(
      wanted,
      functions.map(({ name }) => name),
    );
    const stripped = functions.length === 0 ? ': it has no symbols at all' : '';
    throw new UserError(`${path} has no function ${wanted}${suggestion(near)}${stripped}`);
  }
  if (found.isChooser) {
    notes.push(
      `${wanted} of ${path} only chooses one of several implementations when a program starts: that choice is counted, not the calls of what was chosen.`,
    );
  }
  if (found.offsets.length > 1) {
    notes.push(`${wanted} is the name of ${found.offsets.length} functions of ${path}; all are counted.`);
  }
  return [target(found)];
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function tracepoint(category: string, event: string): Target {
  return { kind: 'tracepoint', name: `${category}:${event}`, category, event };
}

/** One function by name: at all its addresses, and in all the copies the compiler made of it. */
function resolveFunction(name: string, exact: readonly KernelFunction[], names: Names, notes: string[]): Target {
  const copies = exact.length > 0 && name.includes('.') ? [] : names.kallsyms.copies(name);
  const clones = copies.filter((copy) => !/\.(?:part|cold)\b/.test(copy.name));
  const parts = copies.filter((copy) => /\.part\b/.test(copy.name) && !/\.cold\b/.test(copy.name));
  // A part is called by its function, so counting both would count calls twice.
  const functions = exact.length + clones.length > 0 ? [...exact, ...clones] : parts;
  if (functions.length === 0) throw new UserError(notFound(name, names));
  if (exact.length > 1) {
    notes.push(`${name} is the name of ${exact.length} functions (${exact.map(place).join(', ')}); all are counted.`);
  }
  if (clones.length > 0) {
    notes.push(`${name} was compiled to copies, which are counted too: ${clones.map((copy) => copy.name).join(', ')}.`);
  } else if (exact.length === 0) {
    notes.push(
      `${name} exists only in part (${parts.map((part) => part.name).join(', ')}): its beginning is inlined into its callers, and calls that end there are not counted.`,
    );
  }
  return { kind: 'function', name: normaliseSymbol(name), functions };
}

function place({ module, address }: KernelFunction): string {
  return module === '' ? `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}` : `in ${module}`;
}

function notFound(name: string, names: Names): string {
  const near = nearNames(name, names.kallsyms.names());
  const also = near.length > 0 ? '' : ': it may be inlined everywhere, a macro, or in a module that is not loaded';
  return `no kernel function is called ${name}${suggestion(near)}${also}`;
}

function suggestion(near: readonly string[]): string {
  return near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`;
}

/** The functions a pattern matches, one target per name. */
function matching(
  word: string,
  pattern: RegExp,
  wanted: (candidate: KernelFunction) => boolean,
  kallsyms: Kallsyms,
): Target[] {
  const byName = new Map<string, KernelFunction[]>();
  for (const candidate of kallsyms) {
    const name = normaliseSymbol(candidate.name);
    if (!pattern.test(candidate.name) && !pattern.test(name)) continue;
    if (/\.(?:part|cold)\b/.test(candidate.name) || candidate.module.startsWith('__builtin__') || !wanted(candidate))
      continue;
    const same = byName.get(name);
    if (same) same.push(candidate);
    else byName.set(name, [candidate]);
  }
  if (byName.size === 0) throw new UserError(`no kernel function matches ${word}`);
  return [...byName].map(([name, functions]) => ({ kind: 'function', name, functions }));
}

function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/** A shell pattern as a regular expression: `*` any letters, `?` one, `[ab]` one of these. */
function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return regularExpression(`^${source}$`);
}

function regularExpression(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    throw new UsageError(`${source} is not a regular expression`, { cause: error });
  }
}
