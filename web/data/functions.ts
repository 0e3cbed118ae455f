// Every function on the paths that are shown, with the calls through it.
import type { PageData } from './columns.ts';
import { addUp } from './layout.ts';
import { ownCalls, type Shown, throughFunctions } from './tree.ts';

export interface FunctionRow {
  readonly symbol: number;
  readonly name: string;
  /** Calls with the function on their path, each counted once. */
  readonly through: number;
  /** Calls that it decided to make: it is their site. */
  readonly decided: number;
}

/** Functions with calls, in the order of their symbols. */
export function functionsOf(data: PageData, shown: Shown): FunctionRow[] {
  const total = addUp(data.nodes, ownCalls(data, shown));
  const through = throughFunctions(data, total);
  const decided = decidedBy(data, shown.weights);
  const rows: FunctionRow[] = [];
  for (let symbol = 1; symbol < data.symbols.count; symbol++) {
    const calls = through[symbol] as number;
    if (calls === 0) continue;
    rows.push({ symbol, name: data.symbols.names[symbol] ?? '', through: calls, decided: decided[symbol] as number });
  }
  return rows;
}

/** Calls by their site. A site is known by its name: it is the innermost function of the path that is called so. */
function decidedBy(data: PageData, weights: Float64Array): Float64Array {
  const { rows, nodes, symbols } = data;
  const decided = new Float64Array(symbols.count);
  const sites = data.dimensions.find(({ name }) => name === 'site');
  if (!sites) return decided;
  /** Of rows that end in the same node, which is what follows: the site of the row before, and its symbol. */
  let before = { node: -1, site: -1, symbol: 0 };
  for (let row = 0; row < rows.count; row++) {
    const weight = weights[row] as number;
    const site = sites.of[row] as number;
    if (weight === 0 || sites.isUnknown[site]) continue;
    const node = rows.node[row] as number;
    if (before.node !== node || before.site !== site) {
      let symbol = 0;
      for (let at = node; at > 0; at = nodes.parent[at] as number) {
        const own = nodes.symbol[at] as number;
        if (symbols.names[own] === sites.values[site]) symbol = own;
      }
      before = { node, site, symbol };
    }
    (decided[before.symbol] as number) += weight;
  }
  return decided;
}
