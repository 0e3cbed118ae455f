import type { Confidence, PathLabeller, PathLabels, PathView, Subject } from '../census/knowledge.ts';
import { type Place, placeInPath, placesOf } from './places.ts';
import { NO_THING, subjectOfThing, ThingFinder, type ThingMatch } from './subjects/called-things.ts';
import { subjectOf, TreeFinder, type TreeMatch } from './subjects/rbtree.ts';
import { subsystemOf } from './subsystems.ts';

let finder: TreeFinder | undefined;

/** The tree a path inserts into. */
export function treeOf(path: PathView): TreeMatch {
  finder ??= new TreeFinder();
  return finder.find(path);
}

let things: ThingFinder | undefined;

/** The lock, slab cache, timer, … that a path's call is about, where it inserts into no tree. */
export function thingOf(path: PathView, { candidates }: TreeMatch): ThingMatch {
  things ??= new ThingFinder();
  return candidates.length > 0 ? NO_THING : things.find(path);
}

/** What a path's call is about, of whatever kind. */
export interface SubjectMatch {
  readonly subject: Subject | null;
  readonly confidence: Confidence;
  /** Every subject the path admits, likeliest first. */
  readonly candidates: readonly Subject[];
}

/** What a path's call is about: the tree it inserts into, else the thing that its target handles. */
export function subjectMatch({ tree, confidence, candidates }: TreeMatch, thing: ThingMatch): SubjectMatch {
  if (candidates.length > 0) {
    return { subject: tree && subjectOf(tree), confidence, candidates: candidates.map(subjectOf) };
  }
  return {
    subject: thing.record && subjectOfThing(thing.record),
    confidence: thing.confidence,
    candidates: thing.candidates.map(subjectOfThing),
  };
}

/** Places of functions that live in one file whatever the path, by module and name; null where the path matters. */
const settled = new Map<string, Place | null>();

/** The frames of a path and the kernel they are from. */
export type PathFrames = Pick<PathView, 'frames' | 'kernel'>;

/** {@link placeInPath}, fast for the many functions whose place no path changes. */
export function placeOfFrame({ frames, kernel }: PathFrames, index: number): Place | null {
  const frame = frames[index];
  if (!frame) return null;
  if (frame.file !== undefined) return placeInPath(frames, index, kernel);
  const key = frame.module === '' ? frame.name : `${frame.module}:${frame.name}`;
  let place = settled.get(key);
  if (place === undefined) {
    const places = placesOf(frame.name, frame.module);
    place = (places.length === 1 && places[0]) || null;
    settled.set(key, place);
  }
  return place ?? placeInPath(frames, index, kernel);
}

/** The part of the kernel that decided to call: where the site lives, else the nearest frame further out. */
export function subsystemOfPath(path: PathView, { tree, frame }: TreeMatch): string | null {
  for (let i = Math.max(path.site, 0); i < path.frames.length; i++) {
    const place = placeOfFrame(path, i);
    if (place) return place.subsystem;
    if (i === frame && tree?.inserted_by[0]) return subsystemOf(tree.inserted_by[0].file);
  }
  return null;
}

/** Names subjects and subsystems from the atlas. */
export const atlasLabeller: PathLabeller = {
  label(path: PathView): PathLabels {
    // The atlas is one of kernels: a user function of the same name is another function.
    if (path.entry.kind === 'user') return { subject: null, confidence: 'unknown', candidates: [], subsystem: null };
    const match = treeOf(path);
    return { ...subjectMatch(match, thingOf(path, match)), subsystem: subsystemOfPath(path, match) };
  },
};
