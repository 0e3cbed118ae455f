// Which calls are shown: rows that a filter, a span of time and hidden functions leave.
import type { Dimension, PageData } from '../data/columns.ts';
import type { Comparison, Where } from '../filter/where.ts';
import { dimensionOf } from './dimensions.ts';
import { pathEndsOf } from './paths.ts';

/** What narrows the calls. */
export interface Narrowed {
  readonly where: Where | null;
  /** Milliseconds since counting began. */
  readonly span: readonly [from: number, to: number] | null;
  /** Names of functions: calls through them are left out. */
  readonly hidden: readonly string[];
}

/** 1 for each row that is shown; null where all are. */
export function includedRows(data: PageData, { where, span, hidden }: Narrowed): Uint8Array | null {
  const parts = [
    ...(where === null ? [] : [rowsWhere(data, where)]),
    ...(span === null ? [] : [rowsWithin(data, span)]),
    ...(hidden.length === 0 ? [] : [inverted(rowsThrough(data, (name) => hidden.includes(name)))]),
  ];
  const [first, ...rest] = parts;
  if (!first) return null;
  for (const part of rest) for (let row = 0; row < first.length; row++) (first[row] as number) &= part[row] as number;
  return first;
}

/** Calls of the rows. */
export function callsOf({ rows }: PageData, included: Uint8Array | null): number {
  let sum = 0;
  for (let row = 0; row < rows.count; row++) if (included === null || included[row]) sum += rows.calls[row] as number;
  return sum;
}

/** 1 for each row that an expression lets through. */
export function rowsWhere(data: PageData, where: Where): Uint8Array {
  switch (where.kind) {
    case 'comparison': {
      const rows = rowsThatMatch(data, where);
      return where.isNegated ? inverted(rows) : rows;
    }
    case 'not':
      return inverted(rowsWhere(data, where.part));
    case 'and':
    case 'or': {
      const [first = new Uint8Array(data.rows.count), ...rest] = where.parts.map((part) => rowsWhere(data, part));
      const isAnd = where.kind === 'and';
      for (const part of rest) {
        for (let row = 0; row < first.length; row++) {
          first[row] = isAnd
            ? (first[row] as number) & (part[row] as number)
            : (first[row] as number) | (part[row] as number);
        }
      }
      return first;
    }
  }
}

function rowsThatMatch(data: PageData, { field, matches }: Comparison): Uint8Array {
  if (field === 'frame') return rowsThrough(data, matches);
  if (field === 'module') return rowsThroughSymbols(data, modulesThatMatch(data, matches));
  const rows = new Uint8Array(data.rows.count);
  const dimension = dimensionOf(data, field);
  if (!dimension) return rows;
  const values = dimension.values.map((_, value) => candidates(dimension, value).some(matches));
  for (let row = 0; row < rows.length; row++) rows[row] = values[dimension.of[row] as number] ? 1 : 0;
  return rows;
}

/** What a filter compares with: nothing equals a value that is not known; a subject goes by its id as well. */
function candidates({ values, isUnknown, ids }: Dimension, value: number): string[] {
  if (isUnknown[value]) return [];
  const text = values[value] ?? '';
  return ids === null ? [text] : [ids[value] ?? '', text];
}

/** A user function's module is a file: asked for by its path or its name. */
function modulesThatMatch({ symbols }: PageData, matches: (text: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: symbols.count }, (_, symbol) => {
    const module = symbols.module(symbol);
    const slash = module.lastIndexOf('/');
    return matches(module) || (slash >= 0 && matches(module.slice(slash + 1))) ? 1 : 0;
  });
}

/** 1 for each row whose path goes through a function of such a name. */
export function rowsThrough(data: PageData, matches: (name: string) => boolean): Uint8Array {
  return rowsThroughSymbols(
    data,
    Uint8Array.from(data.symbols.names, (name) => (matches(name) ? 1 : 0)),
  );
}

function rowsThroughSymbols(data: PageData, symbols: Uint8Array): Uint8Array {
  const { nodes, rows } = data;
  const isThrough = new Uint8Array(nodes.count);
  for (let node = 1; node < nodes.count; node++) {
    isThrough[node] =
      (isThrough[nodes.parent[node] as number] as number) | (symbols[nodes.symbol[node] as number] as number);
  }
  const ends = pathEndsOf(data);
  return Uint8Array.from(rows.node, (node) => isThrough[ends[node] as number] as number);
}

/** A bucket belongs to the span in which its middle lies. */
function rowsWithin({ rows, bucketMilliseconds }: PageData, [from, to]: readonly [number, number]): Uint8Array {
  const included = new Uint8Array(rows.count);
  const { bucket } = rows;
  if (bucket === null || bucketMilliseconds === null) return included;
  for (let row = 0; row < included.length; row++) {
    const number = bucket[row] as number;
    const middle = (number + 0.5) * bucketMilliseconds;
    included[row] = number >= 0 && from <= middle && middle < to ? 1 : 0;
  }
  return included;
}

function inverted(rows: Uint8Array): Uint8Array {
  for (let row = 0; row < rows.length; row++) rows[row] = rows[row] ? 0 : 1;
  return rows;
}
