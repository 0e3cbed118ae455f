import type { Census } from './census.ts';
import { MAXIMUM_GAP, UNRESOLVED } from './instrumentation.ts';
import type { Entry, FrameRole, KernelKnowledge, PathFrame } from './knowledge.ts';
import { type StackId, UNREAD_FRAME } from './stack-table.ts';
import type { SymbolId } from './symbol-table.ts';

/** The part of a stack that caused the call, and what follows from it. */
export interface Path {
  /** The path as a stack: the prefix of the whole stack that ends with the entry of the innermost context. */
  readonly stack: StackId;
  /** Frames innermost first, normalised names, unreliable frames left out. The target is first where it is a frame. */
  readonly frames: readonly PathFrame[];
  readonly symbols: readonly SymbolId[];
  /** Index in `frames` of the site; -1 where all frames are target or helpers. */
  readonly site: number;
  readonly entry: Entry;
  /** The unwinder doubted every frame of the stack, so that the path had to be read from doubted frames. */
  readonly isDoubted: boolean;
  /** Lines of the path could not be read: functions may be missing. */
  readonly isPartial: boolean;
}

/** More than targets a census can have: stack, target and doubt make one number, exact below 2^53. */
const TARGETS = 2 ** 20;

const UNKNOWN_ENTRY: Entry = { kind: 'unknown', name: 'unknown entry' };

/** Where the paths of user functions start. One object: who asks whether a path is one of these asks for its kind. */
const USER_ENTRY: Entry = { kind: 'user', name: 'user space' };

/** Rules of this rank and above name an entry by themselves; those below only where nothing better is known. */
const SURE_RANK = 10;

/** What a name by the next inner frame is worth above the rule's own. */
const INNER_RANK = 10;

/** So many leftovers may lie between a doubted target and its caller. */
const MOST_LEFT = 4;

/** What stands for functions of a module that are freed once it is loaded. */
const INIT_CODE = 'init code of a module';

const NONE: ReadonlySet<StackId> = new Set();

/** What all wrappers of a system call are called once normalised. */
const SYSCALL = /^(?:compat_)?sys_/;

/** Frames that in place of the thread's function say nothing of what the thread does: it sleeps, or ends. */
const SLEEPS =
  /^(?:schedule|__schedule|preempt_schedule|schedule_timeout|schedule_preempt_disabled|kthread_parkme|kthread_exit$)/;

/** Finds the paths of a census' stacks; every stack is looked at once. */
export class PathFinder {
  readonly #census: Census;
  readonly #knowledge: KernelKnowledge;
  /** Roles by symbol id; null where the symbol has none. */
  readonly #roles: (FrameRole | null | undefined)[] = [];
  readonly #paths = new Map<number, Path>();
  /** Paths of the same path stack and target are one object, so that a million stacks do not cost a million paths. */
  readonly #shared = new Map<number, Path>();

  constructor(census: Census, knowledge: KernelKnowledge) {
    this.#census = census;
    this.#knowledge = knowledge;
  }

  /** The path of a stack recorded for the target of this index ({@link Census.targets}; -1 where unknown). */
  pathOf(stack: StackId, target: number): Path {
    const key = stack * TARGETS + target + 1;
    let path = this.#paths.get(key);
    if (!path) {
      path = this.#find(stack, target);
      this.#paths.set(key, path);
    }
    return path;
  }

  #find(stack: StackId, target: number): Path {
    const { stacks, symbols } = this.#census;
    const prefixes = stacks.prefixes(stack);
    const innermost = prefixes[0];
    if (innermost !== undefined && symbols.space(stacks.symbol(innermost)) === 'user') {
      return this.#userPath(prefixes, target);
    }
    // Behind a trampoline without unwind data the kernel marks all that follows with a question mark. Those frames
    // are then all there is; a stack with any frame that is sure is read from the sure ones alone.
    const isDoubted = !prefixes.some((at) => !stacks.isUnreliable(at) && symbols.space(stacks.symbol(at)) === 'kernel');
    const leftovers = isDoubted ? this.#leftovers(prefixes, target) : NONE;
    const isRead = (at: StackId) => (isDoubted ? !leftovers.has(at) : !stacks.isUnreliable(at));
    const end = isDoubted ? this.#doubtedEnd(prefixes, isRead) : this.#end(prefixes, isRead);
    const pathStack = prefixes[end - 1] ?? (0 as StackId);
    // Of the same frames all are read where the whole stack is doubted, and the sure ones where it is not.
    const key = (pathStack * TARGETS + target + 1) * 2 + Number(isDoubted);
    const known = this.#shared.get(key);
    if (known) return known;

    const ids: SymbolId[] = [];
    const frames: PathFrame[] = [];
    for (let i = 0; i < end; i++) {
      const at = prefixes[i] as StackId;
      const symbol = stacks.symbol(at);
      if (!isRead(at) || symbols.space(symbol) !== 'kernel' || this.#isWrapper(symbol, ids.at(-1))) continue;
      ids.push(symbol);
      frames.push(this.#frame(symbol, stacks.isInlined(at)));
    }
    this.#nameInitCode(ids, frames);
    const path: Path = {
      stack: pathStack,
      frames,
      symbols: ids,
      site: this.#site(ids, target),
      entry: this.#entry(ids, target),
      isDoubted,
      isPartial: this.#isPartial(prefixes, end),
    };
    this.#shared.set(key, path);
    return path;
  }

  #isPartial(prefixes: readonly StackId[], end: number): boolean {
    const { stacks, symbols } = this.#census;
    for (let i = 0; i < end; i++) {
      const at = prefixes[i] as StackId;
      if (stacks.isUnreliable(at) && symbols.raw(stacks.symbol(at)) === UNREAD_FRAME) return true;
    }
    return false;
  }

  #frame(id: SymbolId, isInlined: boolean): PathFrame {
    const { symbols } = this.#census;
    const file = symbols.file(id);
    const line = symbols.line(id);
    return {
      name: symbols.name(id),
      module: symbols.module(id),
      ...(file !== '' && { file }),
      ...(line > 0 && { line }),
      ...(isInlined && { inlined: true }),
    };
  }

  /** A user function was called: the frames of its program are the path. The kernel has no part in it. */
  #userPath(prefixes: readonly StackId[], target: number): Path {
    const { stacks, symbols } = this.#census;
    const end = prefixes.findIndex((at) => symbols.space(stacks.symbol(at)) !== 'user');
    const own = end < 0 ? prefixes : prefixes.slice(0, end);
    const stack = own.at(-1) ?? (0 as StackId);
    const key = (stack * TARGETS + target + 1) * 2;
    const known = this.#shared.get(key);
    if (known) return known;
    const ids = own.map((at) => stacks.symbol(at));
    const frames = ids.map((id): PathFrame => ({ name: symbols.name(id), module: symbols.module(id) }));
    const path: Path = {
      stack,
      frames,
      symbols: ids,
      site: this.#site(ids, target),
      entry: USER_ENTRY,
      isDoubted: false,
      isPartial: false,
    };
    this.#shared.set(key, path);
    return path;
  }

  /** How many of the frames, from the innermost, belong to the innermost context. */
  #end(prefixes: readonly StackId[], isRead: (at: StackId) => boolean): number {
    const { stacks, symbols } = this.#census;
    for (let i = 0; i < prefixes.length; i++) {
      const at = prefixes[i] as StackId;
      const symbol = stacks.symbol(at);
      const space = symbols.space(symbol);
      if (space === 'user') return i;
      if (space === 'marker') {
        // The assembly entry of an interrupt runs on the interrupted stack: it is printed beyond the marker.
        const next = prefixes.findIndex((p, j) => j > i && isRead(p));
        const outer = prefixes[next];
        if (outer !== undefined && symbols.space(stacks.symbol(outer)) === 'kernel') {
          if (this.#role(stacks.symbol(outer))?.boundary) return next + 1;
        }
        return i;
      }
      if (isRead(at) && this.#role(symbol)?.boundary) return i + 1;
    }
    return prefixes.length;
  }

  /**
   * Among doubted frames are leftovers of earlier calls on the same stack memory. Those of recording tools, with what
   * lies between them, and addresses without a name are surely such; and so are functions that cannot call the target,
   * where one that can lies a few frames further out.
   */
  #leftovers(prefixes: readonly StackId[], target: number): Set<StackId> {
    const { stacks, symbols } = this.#census;
    const found = new Set<StackId>();
    let last = Number.NEGATIVE_INFINITY;
    for (const [i, at] of prefixes.entries()) {
      const symbol = stacks.symbol(at);
      if (UNRESOLVED.test(symbols.name(symbol))) found.add(at);
      else if (this.#role(symbol)?.instrumentation) {
        for (let j = i - last <= MAXIMUM_GAP ? last + 1 : i; j <= i; j++) found.add(prefixes[j] as StackId);
        last = i;
      }
    }
    for (const at of this.#noCallers(prefixes, target, found)) found.add(at);
    return found;
  }

  /** Doubted frames between the target and the first that may have called it. */
  #noCallers(prefixes: readonly StackId[], target: number, leftovers: ReadonlySet<StackId>): StackId[] {
    const { stacks, symbols, targets } = this.#census;
    const called = targets[target] ?? (targets.length === 1 ? targets[0] : undefined);
    if (called === undefined) return [];
    const passed: StackId[] = [];
    /** How many were passed before the first that may have called it, or before one that did for others: it calls nobody. */
    let before = 0;
    let isFound = false;
    for (const at of prefixes) {
      const symbol = stacks.symbol(at);
      if (symbols.space(symbol) !== 'kernel' || leftovers.has(at) || isNamed(this.#census, symbol, called)) continue;
      const mayCall = this.#knowledge.mayCall(symbols.name(symbol), called);
      if (mayCall === null) return [];
      if (mayCall === 'for-others' || (mayCall && !isFound)) {
        before = passed.length;
        isFound = true;
      }
      if (!this.#role(symbol)?.helper) passed.push(at);
      if (passed.length > MOST_LEFT) break;
    }
    return passed.slice(0, before);
  }

  /**
   * How many of the frames, all doubted, belong to the path: up to the first that tells an entry, because leftovers lie
   * further out, with the frames of the same entry that follow.
   */
  #doubtedEnd(prefixes: readonly StackId[], isRead: (at: StackId) => boolean): number {
    const { stacks } = this.#census;
    const end = this.#end(prefixes, isRead);
    let first: Entry | undefined;
    let last = -1;
    for (let i = 0; i < end; i++) {
      const at = prefixes[i] as StackId;
      if (!isRead(at)) continue;
      const entry = this.#role(stacks.symbol(at))?.entry;
      const isSure = entry !== undefined && entry.rank >= SURE_RANK;
      if (first === undefined ? isSure : entry?.kind === first.kind && (!isSure || entry.name === first.name)) {
        first ??= entry;
        last = i;
      } else if (first !== undefined) break;
    }
    return last < 0 ? end : last + 1;
  }

  #site(ids: readonly SymbolId[], target: number): number {
    const targetName = this.#census.targets[target];
    // Where rows do not tell their target, any of the census may be it.
    const names = targetName === undefined ? this.#census.targets : [targetName];
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as SymbolId;
      const isTarget = names.some((name) => isNamed(this.#census, id, name));
      // An address says nothing of who decided.
      if (this.#isUnresolved(id) && !this.#isInitCode(ids, i)) continue;
      if (!isTarget && (this.#census.symbols.space(id) === 'user' || !this.#role(id)?.helper)) return i;
    }
    return -1;
  }

  /** Code of a module that runs once when it is loaded, and is freed: its addresses have no names afterwards. */
  #isInitCode(ids: readonly SymbolId[], at: number): boolean {
    const [id, caller] = [ids[at], ids[at + 1]];
    if (id === undefined || caller === undefined || !this.#isUnresolved(id)) return false;
    return this.#census.symbols.name(caller) === 'do_one_initcall';
  }

  #nameInitCode(ids: readonly SymbolId[], frames: PathFrame[]): void {
    for (let i = 0; i < ids.length; i++) if (this.#isInitCode(ids, i)) frames[i] = { name: INIT_CODE, module: '' };
  }

  #isUnresolved(id: SymbolId): boolean {
    const { symbols } = this.#census;
    return symbols.space(id) === 'kernel' && UNRESOLVED.test(symbols.name(id));
  }

  #entry(ids: readonly SymbolId[], target: number): Entry {
    let best:
      | { readonly entry: NonNullable<FrameRole['entry']>; readonly rank: number; readonly at: number }
      | undefined;
    /** The best of the frames further out than the best of all. */
    let before: typeof best;
    for (let at = ids.length - 1; at >= 0; at--) {
      const entry = this.#role(ids[at] as SymbolId)?.entry;
      if (!entry) continue;
      const rank = entry.rank + (this.#innerName(entry, ids, at) === undefined ? 0 : INNER_RANK);
      if (!best || rank > best.rank) {
        before = best;
        best = { entry, rank, at };
      }
    }
    if (!best) return UNKNOWN_ENTRY;
    const named = this.#named(best.entry, ids, best.at, target);
    if (named.kind !== 'user-return' || !before) return named;
    return { ...named, after: this.#named(before.entry, ids, before.at, target).name };
  }

  #innerName({ inner }: NonNullable<FrameRole['entry']>, ids: readonly SymbolId[], at: number): string | undefined {
    if (!inner || at === 0) return undefined;
    const name = this.#census.symbols.name(ids[at - 1] as SymbolId);
    return Object.hasOwn(inner, name) ? inner[name] : undefined;
  }

  #named(entry: NonNullable<FrameRole['entry']>, ids: readonly SymbolId[], at: number, target: number): Entry {
    const { kind } = entry;
    const innerName = this.#innerName(entry, ids, at);
    if (innerName !== undefined) return { kind: entry.innerKind ?? kind, name: innerName };
    const { name } = entry;
    if (!name.includes('%f')) return { kind, name };
    const { symbols } = this.#census;
    const inner = at > 0 ? (ids[at - 1] as SymbolId) : undefined;
    // A helper or the target right below left no frame of the function that called it last: then it is not known.
    const isKnown =
      inner !== undefined &&
      !SLEEPS.test(symbols.name(inner)) &&
      !this.#role(inner)?.helper &&
      !this.#isTarget(inner, target);
    if (isKnown) return { kind, name: name.replace('%f', symbols.name(inner)) };
    return { kind, name: name.replace('%f', kind === 'work' ? 'work item' : 'kernel thread'), isUnnamed: true };
  }

  #isTarget(id: SymbolId, target: number): boolean {
    const name = this.#census.targets[target];
    return name === undefined ? false : isNamed(this.#census, id, name);
  }

  /** `__x64_sys_clone` around `__do_sys_clone`, where the compiler kept both: one function for the reader. */
  #isWrapper(symbol: SymbolId, inner: SymbolId | undefined): boolean {
    if (inner === undefined || inner === symbol) return false;
    const { symbols } = this.#census;
    const name = symbols.name(symbol);
    return name === symbols.name(inner) && SYSCALL.test(name) && symbols.raw(symbol) !== symbols.raw(inner);
  }

  #role(symbol: SymbolId): FrameRole | null {
    let role = this.#roles[symbol];
    if (role === undefined) {
      role = this.#knowledge.role(this.#census.symbols.name(symbol)) ?? null;
      this.#roles[symbol] = role;
    }
    return role;
  }
}

/**
 * Whether a target's name, with or without module (`ext4:foo`, `vmlinux:foo`), names this symbol. A format without files
 * of user functions has only the end of `/usr/lib/libc.so.6:malloc`.
 */
function isNamed(census: Census, id: SymbolId, target: string): boolean {
  const { symbols } = census;
  const name = symbols.name(id);
  const module = symbols.module(id);
  if (target === name || target === symbols.raw(id) || target === `${module || 'vmlinux'}:${name}`) return true;
  return symbols.space(id) === 'user' && module === '' && target.includes('/') && target.endsWith(`:${name}`);
}
