import { existsSync } from 'node:fs';
import type { Note } from '../../census/message.ts';
import { normaliseSymbol } from '../../census/symbol-name.ts';
import { UsageError } from '../../errors.ts';
import { type ElfProbes, elfProbes } from '../../image/elf.ts';
import { findSharedLibrary } from '../../image/shared-library.ts';
import type { TracefsProblem } from '../refusals/reasons.ts';
import { Refused } from '../refusals/refused.ts';
import { formatAddress } from '../symbols/address.ts';
import { callEntries } from '../symbols/call-entries.ts';
import type { KernelFunction } from '../symbols/function-map.ts';
import type { Kallsyms } from '../symbols/kallsyms.ts';
import { listTraceEvents, traceEventDirectory, whyNoTraceEvents } from '../sys/tracefs.ts';
import { isExpression, NamePattern } from './name-pattern.ts';
import { narrowerPatterns } from './narrower-patterns.ts';
import { nearNames } from './near-names.ts';
import type { Target } from './target.ts';
import { TargetList } from './target-list.ts';
import { type TargetSet, targetSets } from './target-sets.ts';
import { isUsedByCounting } from './used-by-counting.ts';
import { resolveUser } from './user-targets.ts';

/** More than this many targets at once are a mistake, and take long to arm. */
export const MOST_TARGETS = 512;
/** What follows the name of a function that allocates, where memory allocation profiling is built in. */
const NOPROF = '_noprof';

/** Targets as resolved against the running kernel, with what the user should know about it. */
export interface ResolvedTargets {
  readonly targets: readonly Target[];
  readonly notes: readonly Note[];
}

/** Where names are looked up. */
export interface Names {
  readonly kallsyms: Kallsyms;
  readonly sets: readonly TargetSet[];
  hasEvent(category: string, event: string): boolean;
  /** Names of the events of a category; of the categories where none is given. */
  events(category?: string): readonly string[];
  /** Why no events are known at all; null where they are. */
  whyNoEvents(): TracefsProblem | null;
  /** What of an executable or library can be counted. */
  userFunctions(path: string): ElfProbes;
  /** The file of a library that is named without its path: `libc.so.6`, `libc`, `c`. */
  library(name: string): string | undefined;
}

/** The names of the running kernel. */
export function liveNames(kallsyms: Kallsyms): Names {
  return {
    kallsyms,
    sets: targetSets(),
    // Where tracefs is out of reach, the function that calls a tracepoint's programs bears its name (since 5.10).
    hasEvent: (category, event) =>
      traceEventDirectory(category, event) !== null ||
      (category !== 'syscalls' && whyNoTraceEvents() !== null && kallsyms.named(`__traceiter_${event}`).length > 0),
    whyNoEvents: whyNoTraceEvents,
    events: listTraceEvents,
    userFunctions: elfProbes,
    library: findSharedLibrary,
  };
}

/**
 * Finds what target words stand for: `rb_insert_color`, `tcp_*`, `/^ext4_.*write/`, `bfq:bfq_insert_request`,
 * `sched:sched_switch`, `@rbtree-insert`, `/usr/lib/libc.so.6:malloc`, several separated by commas. What several of
 * them name is counted once.
 *
 * @param most so many may there be
 * @throws {Refused} for names that resolve to nothing, with near names
 */
export function resolveTargets(words: readonly string[], names: Names, most = MOST_TARGETS): ResolvedTargets {
  const notes: Note[] = [];
  const list = new TargetList();
  for (const word of words.flatMap(splitWord)) {
    for (const target of resolveWord(word, names, notes)) list.add(target);
  }
  if (list.size === 0) throw new UsageError('name a function to count');
  if (list.size > most) {
    const near = narrowerPatterns(list.names(), most);
    throw new Refused({ code: 'too-many-targets', words: words.join(' '), count: list.size, most, narrower: near });
  }
  const targets = list.all();
  if (list.aliases.size > 0) {
    notes.push({
      code: 'target-aliases',
      aliases: Array.from(list.aliases, ([name, counted]) => `${name} is ${counted}`),
    });
  }
  if (targets.some((target) => target.kind === 'tracepoint' && target.category === 'syscalls') && runs32Bit(names)) {
    notes.push({ code: 'target-compat-syscalls' });
  }
  const used = targets.filter((target) => target.kind === 'function' && isUsedByCounting(target.name));
  if (used.length > 0) notes.push({ code: 'target-used-by-counting', targets: used.map(({ name }) => name) });
  return { targets, notes };
}

/** Whether the kernel was built for 32-bit processes as well (arch_trace_is_compat_syscall tells them from others). */
function runs32Bit({ kallsyms }: Names): boolean {
  return ['__ia32_compat_sys_ioctl', '__arm64_compat_sys_ioctl'].some((name) => kallsyms.named(name).length > 0);
}

/** Splits at commas, but not inside `/a{1,2}/`. */
export function splitWord(word: string): string[] {
  if (isExpression(word) || /^[^,]+:\/.+\/$/.test(word)) return [word];
  return word.split(',').filter((part) => part !== '');
}

function resolveWord(word: string, names: Names, notes: Note[]): Target[] {
  if (word.startsWith('@')) return resolveSet(word, names, notes);
  const [, before = '', expression = ''] = /^([^:]+):(\/.+\/)$/.exec(word) ?? [];
  if (before !== '') return resolveQualified(word, before, expression, names, notes);
  const colon = isExpression(word) ? -1 : word.lastIndexOf(':');
  if (colon > 0) return resolveQualified(word, word.slice(0, colon), word.slice(colon + 1), names, notes);
  const [, call] = /^(\w+)\([23]?\)$/.exec(word) ?? [];
  if (call !== undefined) return resolveSystemCall(call, names, notes);
  const pattern = NamePattern.parse(word);
  if (pattern) return matching(word, pattern, () => true, names, notes);
  return [resolveFunction(word, () => true, names, notes)];
}

function resolveSet(word: string, names: Names, notes: Note[]): Target[] {
  const set = names.sets.find(({ name }) => `@${name}` === word);
  if (!set) {
    const near = nearNames(
      word.slice(1),
      names.sets.map(({ name }) => name),
    );
    throw new Refused({ code: 'no-set', word, near: near.map((name) => `@${name}`) });
  }
  const found: Target[] = [];
  for (const member of set.targets) {
    try {
      found.push(...resolveWord(member, names, notes));
    } catch (error) {
      // Sets list the names of many kernels; that this one lacks some is expected.
      if (!(error instanceof Refused)) throw error;
    }
  }
  if (found.length === 0) throw new Refused({ code: 'empty-set', word, functions: set.targets });
  return found;
}

/** Chooses among the functions of one name, or of a pattern. */
type Choice = (candidate: KernelFunction) => boolean;

/** `file:function`, `category:event` or `module:function`. */
function resolveQualified(word: string, left: string, right: string, names: Names, notes: Note[]): Target[] {
  const pattern = NamePattern.parse(right);
  if (left.includes('/')) return resolveUser(left, pattern ?? right, names.userFunctions(left), notes);
  if (left === 'syscall') return resolveSystemCall(right, names, notes);
  const { kallsyms } = names;
  const isInside: Choice = ({ module }) => module === (left === 'vmlinux' ? '' : left);
  const hasFunctions = left === 'vmlinux' || kallsyms.hasModule(left);
  const isEvent = (event: string) => (pattern ? pattern.matches(event) : event === right);
  const events = pattern ? names.events(left).filter(isEvent) : names.hasEvent(left, right) ? [right] : [];
  if (events.length > 0) {
    const isMeant: Choice = (candidate) => isInside(candidate) && isEvent(normaliseSymbol(candidate.name));
    if (hasFunctions && [...kallsyms].some(isMeant))
      notes.push({ code: 'target-taken-for-tracepoints', word, category: left });
    return events.map((event) => tracepoint(left, event, pattern ? word : undefined));
  }
  if (!hasFunctions) {
    const library = names.library(left);
    if (library === undefined) throw noSuchEvent(word, left, right, names);
    return resolveUser(library, pattern ?? right, names.userFunctions(library), notes);
  }
  if (pattern) return matching(word, pattern, isInside, names, notes);
  return [resolveFunction(right, isInside, names, notes, left)];
}

/** `openat(2)` and `syscall:openat`, by the name of the manual; `syscall:open*`. */
function resolveSystemCall(name: string, names: Names, notes: Note[]): Target[] {
  const pattern = NamePattern.parse(isExpression(name) ? name : `sys_${name}`);
  if (pattern) {
    const isCall: Choice = (candidate) => /^(compat_)?sys_/.test(normaliseSymbol(candidate.name));
    return matching(pattern.text, pattern, isCall, names, notes);
  }
  // stat(2) is sys_newstat: there is an older one of that name.
  const called = [`sys_${name}`, `sys_new${name}`].find((one) => names.kallsyms.systemCall(one).length > 0);
  return [resolveFunction(called ?? `sys_${name}`, () => true, names, notes)];
}

function noSuchEvent(word: string, category: string, event: string, names: Names): Refused {
  const events = names.events(category);
  if (events.length > 0) {
    const near = nearNames(event, events).map((name) => `${category}:${name}`);
    return new Refused({ code: 'no-tracepoint', word, isPattern: NamePattern.parse(event) !== null, near });
  }
  const why = names.whyNoEvents();
  if (why !== null) return new Refused({ code: 'no-tracepoints', word, why });
  const isLibrary = /\.so\b|^lib/.test(category);
  return new Refused({ code: 'no-category', word, category, near: nearNames(category, names.events()), isLibrary });
}

function tracepoint(category: string, event: string, pattern: string | undefined): Target {
  return {
    kind: 'tracepoint',
    name: `${category}:${event}`,
    category,
    event,
    ...(pattern !== undefined && { pattern }),
  };
}

/** One function by name: at all its addresses, and in all the copies the compiler made of it. */
function resolveFunction(name: string, isWanted: Choice, names: Names, notes: Note[], module?: string): Target {
  const { kallsyms } = names;
  const exact = kallsyms.named(name).filter(isWanted);
  const isOneCopy = exact.length > 0 && name.includes('.');
  const others = isOneCopy ? [] : kallsyms.copies(name).filter(isWanted);
  const wrappers = exact.length + others.length > 0 ? [] : kallsyms.systemCall(name).filter(isWanted);
  const all = [...exact, ...others, ...wrappers];
  const staying = all.filter(({ address }) => !kallsyms.isGone(address));
  if (all.length > 0 && staying.length === 0) throw new Refused({ code: 'init-only', name });
  const { functions, isPart } = isOneCopy ? { functions: staying, isPart: false } : callEntries(staying);
  if (functions.length === 0) {
    // Since 6.10 the functions that allocate are macros around these, so that allocations can be told apart.
    const behind = `${name}${NOPROF}`;
    if (!kallsyms.named(behind).some(isWanted)) throw notFound(name, isWanted, kallsyms, module);
    notes.push({ code: 'target-macro', target: name, counted: behind });
    return resolveFunction(behind, isWanted, names, notes, module);
  }
  const copies = functions.filter((one) => one.name !== name).map((one) => one.name);
  const same = functions.filter((one) => one.name === name);
  if (same.length > 1) {
    notes.push({ code: 'target-several', target: name, places: same.map(place) });
  }
  if (isPart) notes.push({ code: 'target-in-part', target: name, parts: copies });
  else if (wrappers.length > 0) notes.push({ code: 'target-entered-by', target: name, wrappers: copies });
  else if (copies.length > 0) {
    notes.push({ code: 'target-copies', target: name, copies });
  }
  return { kind: 'function', name: normaliseSymbol(name), functions };
}

function place({ module, address }: KernelFunction): string {
  return module === '' ? formatAddress(address) : `in ${module}`;
}

function notFound(name: string, isWanted: Choice, kallsyms: Kallsyms, module?: string): Refused {
  const existing = [...kallsyms].filter(isWanted).map((one) => normaliseSymbol(one.name));
  const macros = existing.filter((one) => one.endsWith(NOPROF)).map((one) => one.slice(0, -NOPROF.length));
  const candidates = [...existing, ...macros];
  const calls = kallsyms.systemCall(`sys_${name}`).length > 0 ? [`sys_${name}`] : [];
  const near = [...calls, ...nearNames(name, candidates).filter((one) => !calls.includes(one))];
  if (module !== undefined) {
    const named = near.map((one) => `${module}:${one}`);
    return new Refused({ code: 'no-function-in-module', module, name, near: named });
  }
  const isFile = name.includes('/') && existsSync(name);
  return new Refused({ code: 'no-function', word: name, near, isData: kallsyms.addressOf(name) !== null, isFile });
}

/** The functions a pattern matches, one target per name. */
function matching(word: string, pattern: NamePattern, isWanted: Choice, names: Names, notes: Note[]): Target[] {
  const { kallsyms } = names;
  const byName = new Map<string, KernelFunction[]>();
  for (const candidate of kallsyms) {
    const name = normaliseSymbol(candidate.name);
    if (!pattern.matches(candidate.name) && !pattern.matches(name)) continue;
    if (candidate.module.startsWith('__builtin__') || kallsyms.isGone(candidate.address) || !isWanted(candidate))
      continue;
    const same = byName.get(name);
    if (same) same.push(candidate);
    else byName.set(name, [candidate]);
  }
  const targets: Target[] = [];
  const inner: string[] = [];
  const parts: string[] = [];
  for (const [name, all] of byName) {
    const entries = callEntries(all);
    if (entries.functions.length > 0)
      targets.push({ kind: 'function', name, functions: entries.functions, pattern: word });
    inner.push(...entries.inner);
    if (entries.isPart) parts.push(...entries.functions.map((part) => part.name));
  }
  if (targets.length === 0) throw new Refused({ code: 'no-match', pattern: word });
  if (parts.length > 0) notes.push({ code: 'pattern-in-part', pattern: word, parts });
  if (inner.length > 0) {
    notes.push({ code: 'pattern-syscalls-once', pattern: word, names: inner });
  }
  return targets;
}
