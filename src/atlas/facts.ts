import type { Confidence, EntryKind, PathView } from '../census/knowledge.ts';
import { kindOfTarget } from '../census/target-kind.ts';
import { type Deed, deedOf } from './decide.ts';
import { glossOf } from './gloss.ts';
import { kernelKnowledge } from './knowledge.ts';
import { placeOfFrame, subsystemOfPath, treeOf } from './labeller.ts';
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

/** A function on the way from the entry to the site, and what it does. */
export interface Step {
  readonly name: string;
  readonly gloss: string;
}

/** All that is said of a group, without words. */
export interface ExplanationFacts {
  readonly count: number;
  /** Of all paths, commonest first. */
  readonly deeds: readonly DeedTally[];
  /** What the functions between entry and site of the commonest path do, outermost first. */
  readonly steps: readonly Step[];
  /** Parts of the kernel the commonest path comes through, where nothing is known of its functions. */
  readonly parts: readonly string[];
  /** Trees of all paths, commonest first. */
  readonly trees: readonly TreeTally[];
  /** Every tree that the commonest path admits. */
  readonly candidates: readonly TreeRecord[];
  readonly confidence: ExplanationConfidence;
  /** The tree depends on a rotate callback that was not recorded. */
  readonly lacksCallback: boolean;
  /** The targets that are called, commonest first. */
  readonly targets: readonly string[];
  readonly kernel: string;
}

/** The facts of a group of calls in the kernel. */
export function factsOf(group: GroupToExplain): ExplanationFacts {
  const { path, count } = group;
  const match = treeOf(path);
  return {
    count,
    deeds: deedsOf(group),
    ...wayOf(path),
    trees: treesOf(group),
    candidates: match.candidates,
    confidence: {
      decision: over(group, (other) => decisionConfidence(other)),
      subject: over(group, (other) => treeOf(other).confidence),
      entry: entryConfidence(group),
    },
    lacksCallback: path.argument === '' && match.candidates.length > 1 && match.candidates.some(({ rotate }) => rotate),
    targets: targetsOf(group),
    kernel: path.kernel ?? '',
  };
}

function deedsOf({ path, paths, count }: GroupToExplain): DeedTally[] {
  const shown = keyOf(deedOf(path));
  const tally = new Map<string, { deed: Deed; count: number }>();
  for (const { path: other, count: calls } of paths.length > 0 ? paths : [{ path, count }]) {
    const deed = deedOf(other);
    const key = keyOf(deed);
    const known = tally.get(key);
    if (known) known.count += calls;
    else tally.set(key, { deed, count: calls });
  }
  return [...tally]
    .map(([key, { deed, count: calls }]) => ({ deed, count: calls, isShown: key === shown }))
    .sort((a, b) => b.count - a.count);
}

/** Calls of several targets are told of together where there is nothing to say but their names. */
function keyOf(deed: Deed): string {
  return JSON.stringify(deed.kind === 'calls' ? { ...deed, target: '' } : deed);
}

function treesOf({ paths }: GroupToExplain): TreeTally[] {
  const tally = new Map<TreeRecord, number>();
  for (const { path, count } of paths) {
    const { tree } = treeOf(path);
    if (tree) tally.set(tree, (tally.get(tree) ?? 0) + count);
  }
  return [...tally].map(([tree, count]) => ({ tree, count })).sort((a, b) => b.count - a.count);
}

/** The targets that the site of a group's commonest path calls, commonest first. */
export function targetsOf({ path, paths }: GroupToExplain): string[] {
  const site = path.frames[path.site]?.name;
  const calls = new Map([[path.target, 0]]);
  for (const { path: other, count } of paths) {
    if (other.frames[other.site]?.name === site) calls.set(other.target, (calls.get(other.target) ?? 0) + count);
  }
  return [...calls]
    .sort((a, b) => b[1] - a[1])
    .map(([target]) => target)
    .filter((target) => target !== '' && kindOfTarget(target) !== 'event');
}

/** How many functions of a path are told of; more would be no summary. */
const MOST_TOLD = 3;

/** What the functions between the entry and the site do, outermost first; else the parts of the kernel they are in. */
function wayOf(path: PathView): { steps: Step[]; parts: string[] } {
  const start = entryFrame(path);
  const told = new Set([glossOf(path.frames[path.site]?.name ?? '')]);
  const steps: (Step & { readonly place: string | undefined })[] = [];
  const parts = new Set<string>();
  const own = subsystemOfPath(path);
  for (let i = start; i > path.site; i--) {
    const name = path.frames[i]?.name ?? '';
    if (startsSomething(name)) continue;
    const place = placeOfFrame(path.frames, i)?.subsystem;
    if (place !== undefined && place !== own) parts.add(place);
    const gloss = glossOf(name);
    // One function of each part of the kernel is enough, and a gloss is said once.
    if (gloss === null || told.has(gloss) || (steps.length > 0 && steps.at(-1)?.place === place)) continue;
    told.add(gloss);
    steps.push({ name, gloss, place });
  }
  return {
    steps: steps.slice(-MOST_TOLD).map(({ name, gloss }) => ({ name, gloss })),
    parts: [...parts].slice(-MOST_TOLD),
  };
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

/** A clause is as sure as its tree; what only names functions says nothing of a decision. */
function decisionConfidence(path: PathView): Confidence {
  const { kind } = deedOf(path);
  if (kind === 'calls' || kind === 'runs' || kind === 'inserts' || kind === 'no-caller') return 'unknown';
  const own = kind === 'clause' ? treeOf(path).confidence : 'certain';
  return own === 'certain' && path.isDoubted ? 'likely' : own;
}

/** The confidence of a whole group: certain only where it is for every call, unknown where it is for half of them. */
function over({ path, paths, count }: GroupToExplain, of: (path: PathView) => Confidence): Confidence {
  const calls = { certain: 0, likely: 0, unknown: 0 };
  let all = 0;
  for (const one of paths.length > 0 ? paths : [{ path, count }]) {
    calls[of(one.path)] += one.count;
    all += one.count;
  }
  return calls.certain === all ? 'certain' : calls.unknown * 2 >= all ? 'unknown' : 'likely';
}

function entryConfidence({ path, entries }: GroupToExplain): Confidence {
  const kinds = entries.length > 0 ? entries.map(({ kind }) => kind) : [path.entry.kind];
  if (kinds.every((kind) => kind !== 'unknown')) return path.isDoubted ? 'likely' : 'certain';
  return kinds.every((kind) => kind === 'unknown') ? 'unknown' : 'likely';
}
