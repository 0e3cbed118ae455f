// Which rows are shown: what a filter, a stretch of time and hidden functions let through.

import { FIELDS } from '../filter/fields.ts';
import { type Comparison, holds, parseWhere, type Where } from '../filter/where.ts';
import { NODE, type PageData } from './columns.ts';

/** What the address asks for. */
export interface Selection {
  /** A filter expression; '' lets everything through. */
  readonly where: string;
  /** Milliseconds since counting began. */
  readonly span: readonly [from: number, to: number] | null;
  /** Names of functions: calls through them are left out. */
  readonly hidden: readonly string[];
}

/**
 * The rows that are let through, 1 each; null where all are.
 *
 * @throws {WhereError} a mistake in the filter
 */
export function selectRows(data: PageData, { where, span, hidden }: Selection): Uint8Array | null {
  const tests: ((row: number) => boolean)[] = [];
  if (where.trim() !== '') tests.push(filterRows(data, parseWhere(where, FIELDS)));
  if (span !== null) tests.push(withinSpan(data, span));
  if (hidden.length > 0) {
    const names = new Set(hidden);
    const isThrough = throughSymbols(
      data,
      data.symbols.names.map((name) => names.has(name)),
      true,
    );
    tests.push((row) => isThrough[data.rows.node[row] as number] === 0);
  }
  if (tests.length === 0) return null;
  const included = new Uint8Array(data.rows.count);
  for (let row = 0; row < included.length; row++) included[row] = tests.every((test) => test(row)) ? 1 : 0;
  return included;
}

/** Calls of the rows that are let through. */
export function callsOf(data: PageData, included: Uint8Array | null): number {
  return data.rows.calls.reduce((sum, calls, row) => (included === null || included[row] ? sum + calls : sum), 0);
}

/** A bucket belongs to a stretch of time if its middle does. */
function withinSpan({ rows, bucketMilliseconds }: PageData, [from, to]: readonly [number, number]) {
  const { bucket } = rows;
  if (bucket === null || bucketMilliseconds === null) return () => false;
  return (row: number) => {
    const number = bucket[row] as number;
    const middle = (number + 0.5) * bucketMilliseconds;
    return number >= 0 && from <= middle && middle < to;
  };
}

function filterRows(data: PageData, where: Where): (row: number) => boolean {
  const found = new Map<Comparison, (row: number) => boolean>();
  const testOf = (comparison: Comparison) => {
    let test = found.get(comparison);
    if (!test) {
      test = compareRows(data, comparison);
      found.set(comparison, test);
    }
    return test;
  };
  return (row) => holds(where, (comparison) => testOf(comparison)(row));
}

/** Whether any value a row has of the field matches. */
function compareRows(data: PageData, { field, matches }: Comparison): (row: number) => boolean {
  const { symbols, rows } = data;
  if (field === 'frame' || field === 'module') {
    const ofSymbol = symbols.names.map((name, symbol) =>
      field === 'frame' ? matches(name) : modulesOf(symbols.module(symbol)).some(matches),
    );
    const isThrough = throughSymbols(data, ofSymbol, false);
    return (row) => isThrough[rows.node[row] as number] === 1;
  }
  if (field === 'stack') {
    const known = new Map<number, boolean>();
    return (row) => {
      const end = rows.node[row] as number;
      let isMeant = known.get(end);
      if (isMeant === undefined) {
        const path = pathNames(data, end);
        isMeant = path.length > 0 && matches(path.join(' <- '));
        known.set(end, isMeant);
      }
      return isMeant;
    };
  }
  const dimension = data.dimensions.find(({ name }) => name === field);
  if (!dimension) return () => false;
  const ofValue = dimension.values.map((value, i) => {
    if (dimension.isUnknown[i]) return false;
    return matches(value) || (dimension.ids !== null && matches(dimension.ids[i] ?? ''));
  });
  return (row) => ofValue[dimension.of[row] as number] === true;
}

/** A user function's module is a file: asked for by its path or its name. */
function modulesOf(module: string): string[] {
  return [module, module.slice(module.lastIndexOf('/') + 1)];
}

/**
 * By node: 1 where a function on the way to it is one of these; what was interrupted is not looked at.
 *
 * @param hasProgram whether the functions of the program that made the call are looked at
 */
function throughSymbols({ nodes }: PageData, ofSymbol: readonly boolean[], hasProgram: boolean): Uint8Array {
  const result = new Uint8Array(nodes.count);
  /** Nodes beyond the path. */
  const isBeyond = new Uint8Array(nodes.count);
  for (let node = 1; node < nodes.count; node++) {
    const parent = nodes.parent[node] as number;
    const flags = nodes.flags[node] as number;
    const ends = hasProgram ? NODE.interrupted : NODE.border | NODE.interrupted;
    if (isBeyond[parent] === 1 || (flags & ends) !== 0) isBeyond[node] = 1;
    const isHere = isBeyond[node] === 0 && ofSymbol[nodes.symbol[node] as number] === true;
    result[node] = result[parent] === 1 || isHere ? 1 : 0;
  }
  return result;
}

/** Functions of the path that ends in or before a node, from the target outwards. */
export function pathNames({ nodes, symbols }: PageData, end: number): string[] {
  let path: string[] = [];
  for (let node = end; node > 0; node = nodes.parent[node] as number) {
    if (((nodes.flags[node] as number) & (NODE.border | NODE.interrupted)) !== 0) path = [];
    else path.unshift(symbols.names[nodes.symbol[node] as number] as string);
  }
  return path;
}
