import type { Confidence, PathFrame, PathView, Subject } from '../../census/knowledge.ts';
import { append } from '../../text/lists.ts';
import { atlasTable } from '../files.ts';
import { placeInPath } from '../places.ts';
import { isInRange } from '../versions.ts';
import { compiledInsertsOf, keyOf, wouldBeSeen } from './compiled-inserts.ts';
import { type Inserter, type TreeRecord, treeRecords } from './tree-catalog.ts';

/** What a path says of the tree it inserts into. */
export interface TreeMatch {
  /** The tree, null where the path admits none or too many. */
  readonly tree: TreeRecord | null;
  readonly confidence: Confidence;
  /** Every tree the path admits, likeliest first. */
  readonly candidates: readonly TreeRecord[];
  /** Index in the path's frames of the frame that decided, -1 where none did. */
  readonly frame: number;
}

/** A tree into which a function's frame may insert. */
interface Hit {
  readonly tree: TreeRecord;
  readonly inserter: Inserter;
  /** How many calls the insert is away from the frame: 0 where the function itself inserts. */
  readonly distance: number;
}

/** The exported inserts and the inline functions around them, with the kind of tree they make. */
const PRIMITIVES: ReadonlyMap<string, 'plain' | 'augmented' | 'either'> = new Map([
  ['rb_insert_color', 'plain'],
  ['rb_insert_color_cached', 'plain'],
  ['rb_add', 'plain'],
  ['rb_add_cached', 'plain'],
  ['rb_find_add', 'plain'],
  ['rb_find_add_rcu', 'plain'],
  ['latch_tree_insert', 'plain'],
  ['__lt_insert', 'plain'],
  ['__rb_insert', 'either'],
  ['__rb_insert_augmented', 'augmented'],
  ['rb_insert_augmented', 'augmented'],
  ['rb_insert_augmented_cached', 'augmented'],
  ['rb_add_augmented_cached', 'augmented'],
]);

/** What people call an insert they have instrumented themselves: `rbinsert`, `my_rb_insert`. */
const OTHER_INSERT = /(?:^|_)rb_?(?:tree_?)?insert/i;

/** Frames further out than the inserting one that may tell in which part of the kernel it lies, or rule out a tree. */
const OUTER = 5;

const NO_TREE: TreeMatch = { tree: null, confidence: 'unknown', candidates: [], frame: -1 };

/** Who calls inserting functions, as `tools/atlas-areas.ts` makes it of `atlas/tree-callers.tsv`. */
export interface TreeCallers {
  /** Function and file, as {@link keyOf} joins them. */
  readonly inserters: readonly string[];
  /** By the caller's name: index of the inserter, number of calls in between, the next one's, … */
  readonly callers: Readonly<Record<string, readonly number[]>>;
}

/** Tells red-black trees apart by who inserts. */
export class TreeFinder {
  /** By function that inserts. */
  readonly #inserters = new Map<string, Hit[]>();
  /** The same by function and file. */
  readonly #insertersOfFile = new Map<string, Hit[]>();
  /** Trees of helpers that insert into whichever tree their caller names, by the helper. */
  readonly #general = new Map<string, TreeRecord>();
  readonly #byCallback = new Map<string, TreeRecord[]>();
  /** By function, callers too; what was looked up so far. */
  readonly #hits = new Map<string, readonly Hit[]>();
  /** By all that a match depends on: paths differ mostly further out. */
  readonly #matches = new Map<string, TreeMatch>();

  /** Trees with {@link TreeRecord.reached_from}. */
  readonly #remote: readonly TreeRecord[];

  constructor(records: readonly TreeRecord[] = treeRecords()) {
    this.#remote = records.filter((tree) => tree.reached_from);
    for (const tree of records) {
      for (const callback of tree.rotate ?? []) append(this.#byCallback, callback, tree);
      for (const inserter of tree.inserted_by) {
        if (tree.general) this.#general.set(inserter.function, tree);
        else {
          const hit = { tree, inserter, distance: 0 };
          append(this.#inserters, inserter.function, hit);
          append(this.#insertersOfFile, keyOf(inserter.function, inserter.file), hit);
        }
      }
    }
  }

  /** The tree a path inserts into. Paths that do not come from an insert have none. */
  find(path: PathView): TreeMatch {
    const key = this.#matchKey(path);
    let match = this.#matches.get(key);
    if (!match) {
      match = this.#find(path);
      this.#matches.set(key, match);
    }
    return match;
  }

  /** The target with what was recorded of it, and the frames that {@link #find} looks at. */
  #matchKey({ target, argument, kernel, isReport, frames }: PathView): string {
    let at = 0;
    while (at < frames.length && (PRIMITIVES.has(nameAt(frames, at)) || this.#general.has(nameAt(frames, at)))) at++;
    let key = `${target} ${argument} ${kernel} ${isReport} ${frames[at]?.module}`;
    for (let i = 0; i <= at + OUTER && i < frames.length; i++) key += ` ${nameAt(frames, i)}`;
    return key;
  }

  #find(path: PathView): TreeMatch {
    const { frames } = path;
    let kind = PRIMITIVES.get(path.target) ?? (OTHER_INSERT.test(path.target) ? 'either' : undefined);
    let at = 0;
    while (at < frames.length && PRIMITIVES.has(nameAt(frames, at))) {
      const own = PRIMITIVES.get(nameAt(frames, at));
      if (at === 0 || kind === undefined) kind = own;
      at++;
    }
    const isTargetHelper = this.#general.has(path.target) || this.#inserts(path.target);
    // Where no target is known, the function that was reached must itself be one that inserts.
    const isReached =
      path.target === '' &&
      !path.isReport &&
      (this.#general.has(nameAt(frames, at)) || this.#inserts(nameAt(frames, at)));
    if (kind === undefined && !isTargetHelper && !isReached) return NO_TREE;

    let general: TreeRecord | undefined;
    if (isTargetHelper && nameAt(frames, at) !== path.target) general = this.#general.get(path.target);
    while (at < frames.length && this.#general.has(nameAt(frames, at))) {
      general = this.#general.get(nameAt(frames, at));
      at++;
    }
    const called = path.argument === '' ? undefined : this.#byCallback.get(path.argument);
    if (called?.length === 1 && called[0] && !called[0].general) {
      return { tree: called[0], confidence: 'certain', candidates: called, frame: at };
    }
    let hits = this.#hitsAt(frames, at, kind, called, path.kernel);
    if (isReached && kind === undefined && !general) hits = hits.filter((hit) => hit.distance === 0);
    // A helper was seen at work, so whoever calls it comes before whoever might have been inlined.
    if (general && hits.some((hit) => hit.distance === 0)) hits = hits.filter((hit) => hit.distance === 0);
    const through = hits.filter((hit) => hit.inserter.through === nameAt(frames, at - 1));
    if (through.length > 0) hits = through;
    hits = withoutRuledOut(hits, frames.slice(at + 1, at + 1 + OUTER));
    if (hits.length === 0) {
      if (!general) return this.#reachedFrom(path, at);
      return { tree: general, confidence: 'likely', candidates: [general], frame: at - 1 };
    }
    const match = this.#choose(hits, frames[at] as PathFrame, at, path.kernel);
    // Without a target nobody has said that anything was inserted at all.
    const isGuess = kind === undefined && !isTargetHelper;
    return isGuess && match.confidence === 'certain' ? { ...match, confidence: 'likely' } : match;
  }

  /** The tree into which functions of the frame's folder insert without leaving a frame of the inserter. */
  #reachedFrom({ frames, kernel, target }: PathView, at: number): TreeMatch {
    if (!isTreeInsert(target) || this.#remote.length === 0) return NO_TREE;
    const file = placeInPath(frames, at, kernel)?.file;
    const tree = this.#remote.find((one) => one.reached_from?.folders.some((folder) => file?.startsWith(folder)));
    return tree ? { tree, confidence: 'likely', candidates: [tree], frame: at } : NO_TREE;
  }

  /** Every tree that a frame of this name may insert into. */
  treesAt(name: string, module = ''): readonly TreeRecord[] {
    const general = this.#general.get(name);
    if (general) return [general];
    return this.#choose(this.#hitsAt([{ name, module }], 0, undefined, undefined), { name, module }, 0).candidates;
  }

  #inserts(name: string): boolean {
    return this.#inserters.has(name);
  }

  /** The trees into which a frame of this function may insert. */
  #hitsOf(name: string): readonly Hit[] {
    let hits = this.#hits.get(name);
    if (!hits) {
      const found = [...(this.#inserters.get(name) ?? [])];
      const { inserters, callers } = atlasTable<TreeCallers>('tree-callers');
      const steps = Object.hasOwn(callers, name) ? (callers[name] ?? []) : [];
      for (let i = 0; i < steps.length; i += 2) {
        const distance = (steps[i + 1] ?? 0) + 1;
        const called = this.#insertersOfFile.get(inserters[steps[i] ?? -1] ?? '') ?? [];
        for (const { tree, inserter } of called) found.push({ tree, inserter, distance });
      }
      hits = found;
      this.#hits.set(name, hits);
    }
    return hits;
  }

  #hitsAt(
    frames: readonly PathFrame[],
    at: number,
    kind: 'plain' | 'augmented' | 'either' | undefined,
    called: readonly TreeRecord[] | undefined,
    kernel = '',
  ): readonly Hit[] {
    const frame = frames[at];
    let hits = frame ? this.#hitsOf(frame.name) : [];
    if (kernel !== '') hits = hits.filter(({ inserter }) => isInRange(kernel, inserter.kernels));
    if (kind === 'plain') hits = hits.filter(({ tree }) => !tree.rotate || tree.augmented);
    else if (kind === 'augmented') hits = hits.filter(({ tree }) => tree.rotate);
    if (called) hits = hits.filter(({ tree }) => called.some((other) => other === tree));
    const files = new Set(hits.map((hit) => folderOf(hit.inserter.file)));
    return files.size > 1 && frame ? this.#inFolder(hits, frame, frames.slice(at + 1, at + 1 + OUTER), kernel) : hits;
  }

  /** Functions of one name in several parts of the kernel: those where the module or the outer frames lie. */
  #inFolder(hits: readonly Hit[], frame: PathFrame, outer: readonly PathFrame[], kernel: string): readonly Hit[] {
    if (frame.module !== '') {
      const compiled = compiledInsertsOf(frame.name, kernel).filter((row) => row.module === moduleName(frame.module));
      const same = hits.filter((hit) =>
        compiled.some((row) => row.key === keyOf(hit.inserter.function, hit.inserter.file)),
      );
      if (same.length > 0) return same;
    }
    const near = hits.filter((hit) =>
      outer.some(({ name }) => this.#hitsOf(name).some((other) => other.inserter.file === hit.inserter.file)),
    );
    return near.length > 0 ? near : hits;
  }

  #choose(all: readonly Hit[], frame: PathFrame, at: number, kernel = ''): TreeMatch {
    const hits = withoutSeen(all, frame.name, kernel);
    const nearest = new Map<TreeRecord, number>();
    for (const { tree, distance } of withoutFar(hits)) {
      nearest.set(tree, Math.min(distance, nearest.get(tree) ?? Number.POSITIVE_INFINITY));
    }
    const candidates = [...nearest].sort((a, b) => a[1] - b[1] || (a[0].id < b[0].id ? -1 : 1)).map(([tree]) => tree);
    const [first] = candidates;
    if (!first) return NO_TREE;
    if (candidates.length === 1) return { tree: first, confidence: 'certain', candidates, frame: at };

    const compiled = new Set(compiledInsertsOf(frame.name, kernel).map((row) => row.key));
    const isBuilt = ({ inserter }: Hit): boolean =>
      inserter.through === undefined && compiled.has(keyOf(inserter.function, inserter.file));
    const built = [...new Set(hits.filter(isBuilt).map((hit) => hit.tree))];
    if (built.length === 1 && built[0]) return likely(built[0], candidates, at);
    const likeliest = (built.length > 1 ? built : candidates).find((tree) =>
      candidates.every((other) => other === tree || tree.likelier_than?.includes(other.id)),
    );
    if (likeliest) return likely(likeliest, candidates, at);
    if (built.length === 0 && (nearest.get(first) ?? 0) < (nearest.get(candidates[1] as TreeRecord) ?? 0)) {
      return likely(first, candidates, at);
    }
    return { tree: null, confidence: 'unknown', candidates: built.length > 1 ? built : candidates, frame: at };
  }
}

/** Hits without trees that a function further out rules out (`never_under`), unless none remains. */
function withoutRuledOut(hits: readonly Hit[], outer: readonly PathFrame[]): readonly Hit[] {
  const rest = hits.filter(({ tree }) => !tree.never_under?.some((name) => outer.some((frame) => frame.name === name)));
  return rest.length > 0 ? rest : hits;
}

/** Hits without functions that would have left a frame between the insert and this one, unless none remains. */
function withoutSeen(hits: readonly Hit[], name: string, kernel: string): readonly Hit[] {
  const rest = hits.filter(
    ({ inserter, distance }) => distance === 0 || !wouldBeSeen(keyOf(inserter.function, inserter.file), name, kernel),
  );
  return rest.length > 0 ? rest : hits;
}

/**
 * Hits without those of other files that are further away than the nearest: every function in between would have to
 * be inlined, and one of another file to end in a jump.
 */
function withoutFar(hits: readonly Hit[]): readonly Hit[] {
  let nearest: Hit | undefined;
  for (const hit of hits) if (!nearest || hit.distance < nearest.distance) nearest = hit;
  return hits.filter(
    (hit) => !nearest || hit.inserter.file === nearest.inserter.file || hit.distance <= nearest.distance,
  );
}

function likely(tree: TreeRecord, candidates: readonly TreeRecord[], frame: number): TreeMatch {
  return { tree, confidence: 'likely', candidates: [tree, ...candidates.filter((other) => other !== tree)], frame };
}

/** Whether a function adds a node to a red-black tree for its callers. */
export function isTreeInsert(name: string): boolean {
  return PRIMITIVES.has(name) || OTHER_INSERT.test(name);
}

const subjects = new WeakMap<TreeRecord, Subject>();

/** A tree as reports name it; one object per tree. */
export function subjectOf(tree: TreeRecord): Subject {
  let subject = subjects.get(tree);
  if (!subject) {
    subject = { kind: 'rbtree', id: tree.id, name: tree.name };
    subjects.set(tree, subject);
  }
  return subject;
}

function nameAt(frames: readonly PathFrame[], at: number): string {
  return frames[at]?.name ?? '';
}

/** Modules are printed with either sign: `dm-mod`, `dm_mod`. */
function moduleName(module: string): string {
  return module.replaceAll('-', '_');
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/'));
}
