// What calls are told apart by: the dimensions of the data, and `stack`, which follows from the tree.
import type { Dimension, PageData } from '../data/columns.ts';
import { GROUPINGS } from '../filter/fields.ts';
import { namesTo, pathEndsOf } from './paths.ts';

const stacks = new WeakMap<PageData, Dimension>();

/** The dimension of a name; null where the data has none such. */
export function dimensionOf(data: PageData, name: string): Dimension | null {
  if (name === 'stack') return stackDimension(data);
  return data.dimensions.find((dimension) => dimension.name === name) ?? null;
}

/**
 * Whether a dimension tells any calls apart.
 */
export function tellsApart(data: PageData, name: string): boolean {
  if (name === 'stack') return data.rows.count > 0;
  const dimension = dimensionOf(data, name);
  return dimension?.isUnknown.some((isUnknown) => !isUnknown) ?? false;
}

/** The whole path, as `--by stack` has it. */
function stackDimension(data: PageData): Dimension {
  let dimension = stacks.get(data);
  if (!dimension) {
    dimension = makeStackDimension(data);
    stacks.set(data, dimension);
  }
  return dimension;
}

function makeStackDimension(data: PageData): Dimension {
  const ends = pathEndsOf(data);
  const numbers = new Map<string, number>();
  const byNode = new Map<number, number>();
  const values: string[] = [];
  const of = new Uint32Array(data.rows.count);
  for (let row = 0; row < of.length; row++) {
    const end = ends[data.rows.node[row] as number] as number;
    let value = byNode.get(end);
    if (value === undefined) {
      // Functions of one name in several modules are one to who reads names.
      const text = namesTo(data, end).join(' <- ') || '(no caller)';
      value = numbers.get(text) ?? values.push(text) - 1;
      numbers.set(text, value);
      byNode.set(end, value);
    }
    of[row] = value;
  }
  return {
    name: 'stack',
    summary: GROUPINGS.find(([name]) => name === 'stack')?.[1] ?? '',
    values,
    isUnknown: values.map((text) => text === '(no caller)'),
    ids: null,
    kinds: null,
    of,
  };
}
