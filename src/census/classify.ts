import type { CallKey, KeyId } from './call-key.ts';
import type { Census } from './census.ts';
import type { Entry, KernelKnowledge, PathFrame, PathLabeller, PathLabels, PathView } from './knowledge.ts';
import { type Path, PathFinder } from './paths.ts';
import type { Row } from './row-table.ts';
import type { StackId } from './stack-table.ts';

/** A row's path with everything that is said of it; one object per distinct path, target, argument, and being a report. */
export interface ClassifiedCall {
  readonly path: Path;
  readonly view: PathView;
  readonly labels: PathLabels;
  /** The frame that decided to call; null where every frame is target or helper. */
  readonly site: PathFrame | null;
}

const NO_LABELS: PathLabels = { subject: null, confidence: 'unknown', candidates: [], subsystem: null };

/** Finds path, entry, site and labels of the rows of a census; everything is looked up once. */
export class Classifier {
  readonly #census: Census;
  readonly #finder: PathFinder;
  readonly #knowledge: KernelKnowledge;
  readonly #labeller: PathLabeller | undefined;
  /** By path, and argument with a mark where the kernel reported something. */
  readonly #calls = new Map<Path, Map<string, ClassifiedCall>>();
  /** Paths whose entry only the name of their task tells, by path and that entry. */
  readonly #threadPaths = new Map<Path, Map<Entry, Path>>();
  /** User parts, by stack. */
  readonly #programs = new Map<StackId, readonly string[]>();
  /** What the names of tasks tell. */
  readonly #threads = new Map<string, Entry | undefined>();
  /** Entries of threads that only their task names, by that name. */
  readonly #unnamed = new Map<string, Entry>();
  readonly #keys: CallKey[] = [];
  /** The one release all calls are of; '' where there are several, or none is known. */
  readonly #kernel: string;

  /** @param labeller names subjects and subsystems; without one they are unknown */
  constructor(census: Census, knowledge: KernelKnowledge, labeller: PathLabeller | undefined) {
    this.#census = census;
    this.#finder = new PathFinder(census, knowledge);
    this.#knowledge = knowledge;
    this.#labeller = labeller;
    const { kernels } = census.facts;
    this.#kernel = kernels.length === 1 ? (kernels[0] ?? '') : '';
  }

  /** What tells the calls of a row apart; one object per key. */
  keyOf(id: KeyId): CallKey {
    let key = this.#keys[id];
    if (key === undefined) {
      key = this.#census.keys.at(id);
      this.#keys[id] = key;
    }
    return key;
  }

  classify(row: Row): ClassifiedCall {
    const key = this.keyOf(row.key);
    const path = this.#pathOf(row, key.comm);
    let byArgument = this.#calls.get(path);
    if (!byArgument) {
      byArgument = new Map();
      this.#calls.set(path, byArgument);
    }
    const argument = key.report === '' ? key.argument : `\0${key.argument}`;
    let call = byArgument.get(argument);
    if (!call) {
      call = this.#describe(path, row, key);
      byArgument.set(argument, call);
    }
    return call;
  }

  /**
   * The user part of a row's stack, functions innermost first, one list per stack; null where there is none, or where an
   * interrupt came: what it happened to interrupt is no cause.
   */
  programOf({ stack }: Row, { path }: ClassifiedCall): readonly string[] | null {
    const { stacks, symbols } = this.#census;
    const { kind } = path.entry;
    if (kind === 'user' || kind === 'interrupt' || kind === 'softirq' || kind === 'nmi') return null;
    if (stack === path.stack || symbols.space(stacks.symbol(stack)) !== 'user') return null;
    let program = this.#programs.get(stack);
    if (program === undefined) {
      const user = stacks.prefixes(stack).filter((at) => symbols.space(stacks.symbol(at)) === 'user');
      program = user.map((at) => symbols.name(stacks.symbol(at)));
      this.#programs.set(stack, program);
    }
    return program;
  }

  /**
   * Where the stack does not tell the entry, the name of the task may: of one of the kernel's threads, where the stack ends
   * before it tells an entry and in no inner context, or where the frame is missing that would name a thread.
   */
  #pathOf(row: Row, comm: string): Path {
    const path = this.#finder.pathOf(row.stack, row.target);
    const { kind, isUnnamed } = path.entry;
    const isCut = kind === 'unknown' && path.stack === row.stack;
    if (!isCut && !(isUnnamed && kind === 'kthread' && comm !== '')) return path;
    if (!this.#threads.has(comm)) this.#threads.set(comm, this.#knowledge.entryOfComm(comm));
    const known = this.#threads.get(comm);
    if (isCut) return known ? this.#withEntry(path, known) : path;
    let entry = known ?? this.#unnamed.get(comm);
    if (!entry) {
      entry = { kind: 'kthread', name: comm };
      this.#unnamed.set(comm, entry);
    }
    return this.#withEntry(path, entry);
  }

  #withEntry(path: Path, entry: Entry): Path {
    let byThread = this.#threadPaths.get(path);
    if (!byThread) {
      byThread = new Map();
      this.#threadPaths.set(path, byThread);
    }
    let known = byThread.get(entry);
    if (!known) {
      known = { ...path, entry };
      byThread.set(entry, known);
    }
    return known;
  }

  #describe(path: Path, row: Row, { argument, report }: CallKey): ClassifiedCall {
    const view: PathView = {
      frames: path.frames,
      site: path.site,
      entry: path.entry,
      target: this.#census.targets[row.target] ?? onlyTarget(this.#census),
      argument,
      kernel: this.#kernel,
      isReport: report !== '',
      isDoubted: path.isDoubted || path.isPartial,
    };
    return {
      path,
      view,
      labels: this.#labeller?.label(view) ?? NO_LABELS,
      site: path.frames[path.site] ?? null,
    };
  }
}

/** The target of calls that name none: the only one there is, else unknown. */
function onlyTarget({ targets }: Census): string {
  return targets.length === 1 ? (targets[0] ?? '') : '';
}
