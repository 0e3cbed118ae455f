import type { PathLabeller, PathLabels, PathView } from '../census/knowledge.ts';
import { type Place, placeInPath, placesOf } from './places.ts';
import { subjectOf, TreeFinder, type TreeMatch } from './subjects/rbtree.ts';
import { subsystemOf } from './subsystems.ts';

let finder: TreeFinder | undefined;

/** The tree a path inserts into. */
export function treeOf(path: PathView): TreeMatch {
  finder ??= new TreeFinder();
  return finder.find(path);
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

/** Names trees and subsystems from the atlas. */
export const atlasLabeller: PathLabeller = {
  label(path: PathView): PathLabels {
    // The atlas is one of kernels: a user function of the same name is another function.
    if (path.entry.kind === 'user') return { subject: null, confidence: 'unknown', candidates: [], subsystem: null };
    const match = treeOf(path);
    const { tree, confidence, candidates } = match;
    return {
      subject: tree && subjectOf(tree),
      confidence,
      candidates: candidates.map(subjectOf),
      subsystem: subsystemOfPath(path, match),
    };
  },
};
