// What the Paths view shows, as it follows from the address and the calls that are let through.
import { computed, type ReadonlySignal } from '@preact/signals';
import { change, choiceParameter, listParameter, parameter } from '../app/parameters.ts';
import { includedNow, shownCensus } from '../app/selected.ts';
import { by, focus, narrowings, search } from '../app/state.ts';
import { dimensionOf } from '../calls/dimensions.ts';
import type { PageData } from '../data/columns.ts';
import { type Folds, foldRuns } from '../data/folds.ts';
import { callersTree, entriesTree, type Groups, type Shown, weigh } from '../data/tree.ts';
import { parseSearch } from '../filter/search.ts';
import { familyWords } from './families.ts';
import { type GraphModel, markedBoxes, markSymbols } from './model.ts';

/** Callers with the target on top, or a flame graph with the entry at the bottom. */
export const shape = choiceParameter('shape', ['callers', 'flame']);

/** Whether runs of helpers and of entry code are one box. */
export const folding = choiceParameter('fold', ['yes', 'no']);

/** Whether what an interrupt interrupted is shown. */
export const interrupted = choiceParameter('interrupted', ['no', 'yes']);

/** Families of subsystems that are shown in full colour; empty: all. */
export const families = listParameter('family');

/** Calls in sight that are no box: left edge and width; null: what `focus` says. */
export const zoomed = parameter<readonly [left: number, width: number] | null>('zoom', {
  read: (text) => {
    const [, left, width] = /^(\d+)-(\d+)$/.exec(text) ?? [];
    return left === undefined || width === undefined ? null : [Number(left), Number(width)];
  },
  write: (value) => (value === null ? '' : value.join('-')),
});

narrowings.push({
  parameter: families,
  label: 'in colour',
  text: () => families.value.map(familyWords).join(', '),
  clear: () => families.set([]),
});

/** Functions whose runs somebody opened: by the name of the innermost. */
export const opened = listParameter('open');

/** Dimensions whose values are boxes of their own: the tree tells the others already. */
const IN_TREE = new Set(['site', 'target', 'stack']);

interface NamedGroups extends Groups {
  readonly names: readonly string[];
}

/** What parts the calls in the graph; null where nothing does. */
const groupsNow: ReadonlySignal<NamedGroups | null> = computed(() => {
  const { data } = shownCensus.value;
  if (data === null) return null;
  const dimensions = by.value.filter((name) => !IN_TREE.has(name)).flatMap((name) => dimensionOf(data, name) ?? []);
  const [first, second] = dimensions;
  if (!first) return null;
  if (!second) return { of: first.of, count: first.values.length, names: first.values };
  const numbers = new Map<number, number>();
  const names: string[] = [];
  const of = new Uint32Array(data.rows.count);
  for (let row = 0; row < of.length; row++) {
    const [one, two] = [first.of[row] as number, second.of[row] as number];
    const pair = one * second.values.length + two;
    let number = numbers.get(pair);
    if (number === undefined) {
      number = names.push(`${first.values[one]} · ${second.values[two]}`) - 1;
      numbers.set(pair, number);
    }
    of[row] = number;
  }
  return { of, count: names.length, names };
});

const foldsNow: ReadonlySignal<Folds | null> = computed(() => {
  const { data } = shownCensus.value;
  if (data === null || folding.value === 'no') return null;
  const names = new Set(opened.value);
  return foldRuns(data, new Set(data.symbols.names.flatMap((name, symbol) => (names.has(name) ? [symbol] : []))));
});

/** What trees are made of: the rows that are let through. */
export const shownNow: ReadonlySignal<Shown | null> = computed(() => {
  const { data } = shownCensus.value;
  if (data === null) return null;
  return { weights: weigh(data.rows.calls, includedNow.value), hasInterrupted: interrupted.value === 'yes' };
});

/** The graph of the Paths view; null where there are no calls to draw. */
export const graphNow: ReadonlySignal<GraphModel | null> = computed(() => {
  const { data, report } = shownCensus.value;
  const shown = shownNow.value;
  if (data === null || shown === null) return null;
  const [folds, groups] = [foldsNow.value, groupsNow.value];
  const isFlame = shape.value === 'flame';
  const tree = (isFlame ? entriesTree : callersTree)(data, { ...shown, folds, groups });
  return {
    data,
    tree,
    direction: isFlame ? 'callees' : 'callers',
    folds,
    groupNames: groups?.names ?? [],
    calls: report.calls.total,
  };
});

/** By symbol: 1 where search and families leave it in full colour; null where they ask for nothing. */
function marksOf(data: PageData, groups: number): Uint8Array | null {
  const wanted = families.value;
  const isSearched = search.value.trim() !== '';
  if (wanted.length === 0 && !isSearched) return null;
  const { matches } = parseSearch(search.value);
  const isWanted = data.families.map((family) => wanted.length === 0 || wanted.includes(family));
  return markSymbols(
    data,
    groups,
    (symbol, name) => isWanted[data.symbols.family[symbol] as number] === true && (!isSearched || matches(name)),
  );
}

/** What was found in a graph. */
export interface Found {
  readonly isMarked: Uint8Array | null;
  /** Boxes that match the search, from the left of the first level on. */
  readonly boxes: Int32Array;
  /** Calls through any of them. */
  readonly calls: number;
}

/** {@link findIn} the graph of the Paths view. */
export const foundNow: ReadonlySignal<Found | null> = computed(() => {
  const model = graphNow.value;
  return model === null ? null : findIn(model);
});

export function findIn(model: GraphModel): Found {
  const isMarked = marksOf(model.data, model.groupNames.length);
  return { isMarked, ...(isMarked === null ? { boxes: new Int32Array(0), calls: 0 } : markedBoxes(model, isMarked)) };
}

export function toggleFolding(): void {
  change([folding.to(folding.value === 'yes' ? 'no' : 'yes'), opened.to([])]);
}

export function toggleInterrupted(): void {
  interrupted.set(interrupted.value === 'yes' ? 'no' : 'yes');
}

/** The other way round; what was in focus has another place there. */
export function toggleShape(): void {
  change([shape.to(shape.value === 'flame' ? 'callers' : 'flame'), focus.to([]), zoomed.to(null)]);
}
