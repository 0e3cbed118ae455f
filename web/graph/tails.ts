// The tail of a box: its children that are too narrow to be drawn one by one.
import { type GraphModel, nameOf } from './model.ts';

export interface Tail {
  /** Boxes in it. */
  readonly count: number;
  /** Their calls. */
  readonly total: number;
  /** Calls left of it. */
  readonly left: number;
  /** '' right below the root. */
  readonly parentName: string;
}

/** @param tail `~` of its first box */
export function tailOf(model: GraphModel, tail: number): Tail {
  const { tree } = model;
  const first = ~tail;
  const parent = tree.parent[first] as number;
  const end = tree.first[parent + 1] as number;
  const left = tree.x[first] as number;
  const right = (tree.x[end - 1] as number) + (tree.total[end - 1] as number);
  return { count: end - first, total: right - left, left, parentName: parent === 0 ? '' : nameOf(model, parent) };
}
