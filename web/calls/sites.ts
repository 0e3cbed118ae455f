import type { PageData } from '../data/columns.ts';
import { dimensionOf } from './dimensions.ts';
import { nodesTo, pathEndsOf } from './paths.ts';

/** The node of the function that decided to call, on the path that ends in a node; null where there is none. */
export function siteNode(data: PageData, rows: Uint32Array, end: number): number | null {
  const sites = dimensionOf(data, 'site');
  const ends = pathEndsOf(data);
  const row = rows.find((one) => ends[data.rows.node[one] as number] === end);
  if (row === undefined || sites === null) return null;
  const site = sites.of[row] as number;
  if (sites.isUnknown[site]) return null;
  const name = sites.values[site];
  return nodesTo(data, end).find((node) => data.symbols.names[data.nodes.symbol[node] as number] === name) ?? null;
}

/** Number of the function that decided to call; null where there is none. */
export function siteSymbol(data: PageData, rows: Uint32Array, end: number): number | null {
  const node = siteNode(data, rows, end);
  return node === null ? null : (data.nodes.symbol[node] as number);
}
