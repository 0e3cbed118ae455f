// Where arrows lead from a box.
import type { BoxTree } from '../data/layout.ts';

export type Step = 'in' | 'out' | 'left' | 'right';

/** `out`: away from the root, to the heaviest child. The box itself where there is no way. */
export function step(tree: BoxTree, box: number, how: Step): number {
  const parent = tree.parent[box] as number;
  switch (how) {
    case 'in':
      return parent > 0 ? parent : box;
    case 'out':
      return (tree.first[box] as number) < (tree.first[box + 1] as number) ? (tree.first[box] as number) : box;
    case 'left':
      return parent >= 0 && box > (tree.first[parent] as number) ? box - 1 : box;
    case 'right':
      return parent >= 0 && box + 1 < (tree.first[parent + 1] as number) ? box + 1 : box;
  }
}

/** The box of a list that follows or precedes another, around the end; -1 in an empty list. */
export function neighbour(boxes: Int32Array, box: number, by: 1 | -1): number {
  if (boxes.length === 0) return -1;
  let low = 0;
  let high = boxes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((boxes[middle] as number) < box) low = middle + 1;
    else high = middle;
  }
  const isIn = boxes[low] === box;
  const at = by === 1 ? (isIn ? low + 1 : low) : low - 1;
  return boxes[(at + boxes.length) % boxes.length] as number;
}
