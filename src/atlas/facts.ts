import type { Confidence, EntryKind, PathView } from '../census/knowledge.ts';
import { kindOfTarget } from '../census/target-kind.ts';
import { type Deed, deedOf } from './decide.ts';
import { glossOf } from './gloss.ts';
import { kernelKnowledge } from './knowledge.ts';
import { placeOfFrame, subjectMatch, subsystemOfPath, thingOf, treeOf } from './labeller.ts';
import type { ThingMatch } from './subjects/called-things.ts';
import type { TreeMatch } from './subjects/rbtree.ts';
import type { SubjectRecord } from './subjects/subject-catalog.ts';
import type { TreeRecord } from './subjects/tree-catalog.ts';

/** Calls that are explained together. */
export interface GroupToExplain {
  /** The path of the commonest stack, innermost first. */
  readonly path: PathView;
  /** Paths of the group with their calls, commonest first; may be cut to some dozens. */
  readonly paths: readonly { readonly path: PathView; readonly count: number }[];
  readonly entries: readonly { readonly kind: EntryKind; readonly name: string; readonly count: number }[];
  readonly comms: readonly { readonly name: string; readonly count: number }[];
  readonly count: number;
}

/** How sure the atlas is of each part of what it says of a group, over all its calls. */
export interface ExplanationConfidence {
  readonly decision: Confidence;
  readonly subject: Confidence;
  readonly entry: Confidence;
}

/** A deed with its calls. */
export interface DeedTally {
  readonly deed: Deed;
  readonly count: number;
  /** It is that of the group's commonest path, which reports show. */
  readonly isShown: boolean;
}

/** A tree with its calls. */
export interface TreeTally {
  readonly tree: TreeRecord;
  readonly count: number;
}

/** A thing of another kind with its calls. */
export interface ThingTally {
  readonly thing: SubjectRecord;
  readonly count: number;
}

/** A function on the way from the entry to the site, and what it does. */
export interface Step {
  readonly name: string;
  readonly gloss: string;
}

/** How a path comes from its entry to its site. */
export interface Way {
  /** What the functions in between do, outermost first. */
  readonly steps: readonly Step[];
  /** Parts of the kernel it comes through, where nothing is known of the functions. */
  readonly parts: readonly string[];
}

/** All that is said of a group, without words. */
export interface ExplanationFacts {
  readonly count: number;
  /** Of all paths, commonest first. */
  readonly deeds: readonly DeedTally[];
  /** That of the commonest path; null where nobody asks for it. */
  readonly way: Way | null;
  /** Trees of all paths, commonest first. */
  readonly trees: readonly TreeTally[];
  /** Every tree that the commonest path admits. */
  readonly candidates: readonly TreeRecord[];
  /** Locks, slab caches, … of all paths, commonest first. */
  readonly things: readonly ThingTally[];
  /** Every such thing that the commonest path admits. */
  readonly thingCandidates: readonly SubjectRecord[];
  readonly confidence: ExplanationConfidence;
  /** The tree depends on a rotate callback that was not recorded. */
  readonly lacksCallback: boolean;
  /** The targets that are called, commonest first. */
  readonly targets: readonly string[];
  readonly kernel: string;
  /** The part of the kernel that decided to call. */
  readonly subsystem: string | null;
}

/** The facts of a group of calls in the kernel, with the way of its commonest path if asked for. */
export function factsOf(group: GroupToExplain, withWay: boolean): ExplanationFacts {
  const { path, count } = group;
  const paths = pathsOf(group);
  const shown = paths.find((one) => one.path === path) ?? toldPath(path, 0);
  const { candidates } = shown.match;
  const subsystem = subsystemOfPath(path, shown.match);
  return {
    count,
    deeds: deedsOf(shown, paths),
    way: withWay ? wayOf(path, subsystem) : null,
    trees: tallied(paths, ({ match }) => match.tree).map(([tree, calls]) => ({ tree, count: calls })),
    candidates,
    things: tallied(paths, ({ thing }) => thing.record).map(([thing, calls]) => ({ thing, count: calls })),
    thingCandidates: shown.thing.candidates,
    confidence: {
      decision: over(paths, decisionConfidence),
      subject: over(paths, ({ match, thing }) => subjectMatch(match, thing).confidence),
      entry: entryConfidence(group),
    },
    lacksCallback: path.argument === '' && candidates.length > 1 && candidates.some(({ rotate }) => rotate),
    targets: targetsOf(group),
    kernel: path.kernel ?? '',
    subsystem,
  };
}

/** A path of a group, the tree it inserts into or the thing it is about, what happened on it, and its calls. */
interface ToldPath {
  readonly path: PathView;
  readonly match: TreeMatch;
  readonly thing: ThingMatch;
  readonly deed: Deed;
  readonly count: number;
}

function toldPath(path: PathView, count: number): ToldPath {
  const match = treeOf(path);
  const thing = thingOf(path, match);
  return { path, match, thing, deed: deedOf(path, match, thing), count };
}

/** What happened on one path, and how sure that is. */
export function pathDeed(path: PathView): { readonly deed: Deed; readonly confidence: Confidence } {
  const told = toldPath(path, 1);
  return { deed: told.deed, confidence: decisionConfidence(told) };
}

function pathsOf({ path, paths, count }: GroupToExplain): ToldPath[] {
  return paths.length > 0 ? paths.map((one) => toldPath(one.path, one.count)) : [toldPath(path, count)];
}

function deedsOf({ deed: shown }: ToldPath, paths: readonly ToldPath[]): DeedTally[] {
  const [only] = paths;
  if (only?.deed === shown && paths.length === 1) return [{ deed: shown, count: only.count, isShown: true }];
  const tally = new Map<string, { deed: Deed; count: number }>();
  for (const { deed, count: calls } of paths) {
    const key = keyOf(deed);
    const known = tally.get(key);
    if (known) known.count += calls;
    else tally.set(key, { deed, count: calls });
  }
  const shownKey = keyOf(shown);
  return [...tally]
    .map(([key, { deed, count: calls }]) => ({ deed, count: calls, isShown: key === shownKey }))
    .sort((a, b) => b.count - a.count);
}

/** Calls of several targets are told of together where there is nothing to say but their names. */
function keyOf(deed: Deed): string {
  return JSON.stringify(deed.kind === 'calls' ? { ...deed, target: '' } : deed);
}

/** What the paths are about with their calls, commonest first. */
function tallied<T>(paths: readonly ToldPath[], of: (path: ToldPath) => T | null): [T, number][] {
  const tally = new Map<T, number>();
  for (const path of paths) {
    const one = of(path);
    if (one !== null) tally.set(one, (tally.get(one) ?? 0) + path.count);
  }
  return [...tally].sort((a, b) => b[1] - a[1]);
}

/** The targets that the site of a group's commonest path calls, commonest first. */
export function targetsOf({ path, paths }: GroupToExplain): string[] {
  const site = path.frames[path.site]?.name;
  if (paths.every((one) => one.path.target === path.target)) return isFunction(path.target) ? [path.target] : [];
  const calls = new Map([[path.target, 0]]);
  for (const { path: other, count } of paths) {
    if (other.frames[other.site]?.name === site) calls.set(other.target, (calls.get(other.target) ?? 0) + count);
  }
  return [...calls]
    .sort((a, b) => b[1] - a[1])
    .map(([target]) => target)
    .filter(isFunction);
}

function isFunction(target: string): boolean {
  return target !== '' && kindOfTarget(target) !== 'event';
}

/** How many functions of a path are told of; more would be no summary. */
const MOST_TOLD = 3;

function wayOf(path: PathView, own: string | null): Way {
  const start = entryFrame(path);
  const told = [glossOf(path.frames[path.site]?.name ?? '')];
  const steps: (Step & { readonly place: string | undefined })[] = [];
  for (let i = start; i > path.site; i--) {
    const name = path.frames[i]?.name ?? '';
    const gloss = glossOf(name);
    if (gloss === null || told.includes(gloss) || startsSomething(name)) continue;
    const place = placeOfFrame(path, i)?.subsystem;
    // One function of each part of the kernel is enough, and a gloss is said once.
    if (steps.length > 0 && steps.at(-1)?.place === place) continue;
    told.push(gloss);
    steps.push({ name, gloss, place });
  }
  return {
    steps: steps.slice(-MOST_TOLD),
    parts: steps.length > 0 ? [] : partsOf(path, start, own),
  };
}

/** Parts of the kernel between the site's own and the entry, outermost first. */
function partsOf(path: PathView, start: number, own: string | null): string[] {
  const parts = new Set<string>();
  for (let i = start; i > path.site; i--) {
    if (startsSomething(path.frames[i]?.name ?? '')) continue;
    const place = placeOfFrame(path, i)?.subsystem;
    if (place !== undefined && place !== own) parts.add(place);
  }
  return [...parts].slice(-MOST_TOLD);
}

function startsSomething(name: string): boolean {
  const role = kernelKnowledge().role(name);
  return role?.entry !== undefined || role?.boundary !== undefined;
}

/** Index of the outermost frame that belongs to the path's entry; frames further out say how that was reached. */
function entryFrame({ frames, entry, site }: PathView): number {
  for (let i = frames.length - 1; i > site; i--) {
    if (kernelKnowledge().role(frames[i]?.name ?? '')?.entry?.kind === entry.kind) return i;
  }
  return frames.length - 1;
}

/**
 * A clause is as sure as its tree, and sure where no tree is told but all candidates bring it; what only names functions
 * says nothing of a decision.
 */
function decisionConfidence({ path, match, thing, deed: { kind } }: ToldPath): Confidence {
  if (kind === 'calls' || kind === 'runs' || kind === 'inserts' || kind === 'no-caller') return 'unknown';
  let own: Confidence = 'certain';
  if (kind === 'clause' && match.tree) own = match.confidence;
  else if (thing.does !== null) own = thing.confidence;
  return own === 'certain' && path.isDoubted ? 'likely' : own;
}

/** The confidence of a whole group: certain only where it is for every call, unknown where it is for half of them. */
function over(paths: readonly ToldPath[], of: (path: ToldPath) => Confidence): Confidence {
  const [only] = paths;
  if (only && paths.length === 1) return of(only);
  const calls = { certain: 0, likely: 0, unknown: 0 };
  let all = 0;
  for (const one of paths) {
    calls[of(one)] += one.count;
    all += one.count;
  }
  return calls.certain === all ? 'certain' : calls.unknown * 2 >= all ? 'unknown' : 'likely';
}

function entryConfidence({ path, entries }: GroupToExplain): Confidence {
  let unknown = 0;
  for (const { kind } of entries) if (kind === 'unknown') unknown++;
  if (entries.length === 0 && path.entry.kind === 'unknown') return 'unknown';
  if (unknown === 0) return path.isDoubted ? 'likely' : 'certain';
  return unknown === entries.length ? 'unknown' : 'likely';
}
