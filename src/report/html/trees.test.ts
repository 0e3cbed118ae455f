// The trees of the page, held against what the census says. Here, because web/ knows nothing of a census.
import { describe, expect, test } from 'vitest';
import { ALL_RECORDINGS } from '../../../test/support/recordings.ts';
import { NODE, type PageData, readColumns } from '../../../web/data/columns.ts';
import { foldRuns } from '../../../web/data/folds.ts';
import type { BoxTree } from '../../../web/data/layout.ts';
import { addUp } from '../../../web/data/layout.ts';
import { callersTree, entriesTree, ownCalls, sandwichOf, throughFunctions, weigh } from '../../../web/data/tree.ts';
import { kernelKnowledge } from '../../atlas/knowledge.ts';
import type { Census } from '../../census/census.ts';
import { Classifier } from '../../census/classify.ts';
import { readRecording } from '../read-inputs.ts';
import { censusColumns } from './columns.ts';

/** Calls by path as a text, innermost first, and calls through each function. */
function pathsOf(census: Census): { paths: Map<string, number>; through: Map<string, number> } {
  const classifier = new Classifier(census, kernelKnowledge(), undefined);
  const paths = new Map<string, number>();
  const through = new Map<string, number>();
  for (const row of census.rows) {
    const call = classifier.classify(row);
    const names = call.path.frames.map(({ name, module }) => `${module}:${name}`);
    // Beyond the path stands the program, where it made the call itself.
    if (!call.path.isDoubted && classifier.programOf(row, call) !== null) {
      const { stacks, symbols } = census;
      const outer = stacks.prefixes(row.stack).slice(stacks.depth(call.path.stack));
      const first = outer.find((at) => !stacks.isUnreliable(at) && symbols.space(stacks.symbol(at)) !== 'marker');
      if (first !== undefined && symbols.space(stacks.symbol(first)) === 'user') {
        for (const at of outer) {
          const symbol = stacks.symbol(at);
          if (stacks.isUnreliable(at) || symbols.space(symbol) === 'marker') continue;
          names.push(`${symbols.module(symbol)}:${symbols.name(symbol)}`);
        }
      }
    }
    add(paths, names.join(' '), row.count);
    for (const name of new Set(names)) add(through, name, row.count);
  }
  return { paths, through };
}

function add(map: Map<string, number>, key: string, count: number): void {
  map.set(key, (map.get(key) ?? 0) + count);
}

function nameOf({ symbols }: PageData, symbol: number): string {
  return `${symbols.module(symbol)}:${symbols.names[symbol]}`;
}

/** Calls that end in each box, by the path to it as a text. */
function pathsIn(data: PageData, tree: BoxTree): Map<string, number> {
  const texts: string[] = [''];
  const paths = new Map<string, number>();
  for (let box = 0; box < tree.count; box++) {
    if (box > 0) texts[box] = [texts[tree.parent[box]!], nameOf(data, tree.symbol[box]!)].join(' ').trim();
    let below = 0;
    for (let child = tree.first[box]!; child < tree.first[box + 1]!; child++) below += tree.total[child]!;
    if (tree.total[box]! > below) add(paths, texts[box]!, tree.total[box]! - below);
  }
  return paths;
}

function reversed(paths: Map<string, number>): Map<string, number> {
  return new Map([...paths].map(([path, count]) => [path.split(' ').reverse().join(' '), count]));
}

/** Boxes that do not lie within their parent, right of the one before, or are heavier. */
function misplaced(tree: BoxTree): number[] {
  const wrong: number[] = [];
  for (let level = 1; level < tree.levels; level++) {
    for (let box = tree.start[level]!; box < tree.start[level + 1]!; box++) {
      const parent = tree.parent[box]!;
      const isFirst = box === tree.first[parent];
      const left = isFirst ? tree.x[parent]! : tree.x[box - 1]! + tree.total[box - 1]!;
      const isOrdered = isFirst || tree.total[box - 1]! >= tree.total[box]!;
      const fits = tree.x[box]! + tree.total[box]! <= tree.x[parent]! + tree.total[parent]!;
      if (tree.x[box] !== left || !isOrdered || !fits || tree.depth[box] !== level) wrong.push(box);
    }
  }
  return wrong;
}

describe.each(ALL_RECORDINGS)('%s', (file) => {
  test('callers and flame graph hold the paths of the census', async () => {
    const { census } = await readRecording(file);
    const data = readColumns(censusColumns(census));
    const shown = { weights: data.rows.calls };
    const { paths, through } = pathsOf(census);
    const callers = callersTree(data, shown);
    expect(callers.total[0]).toBe(census.attributed);
    expect(misplaced(callers)).toEqual([]);
    expect(pathsIn(data, callers)).toEqual(paths);
    const entries = entriesTree(data, shown);
    expect(misplaced(entries)).toEqual([]);
    expect(reversed(pathsIn(data, entries))).toEqual(paths);
    const sums = throughFunctions(data, addUp(data.nodes, ownCalls(data, shown)));
    const found = new Map<string, number>();
    for (let symbol = 1; symbol < sums.length; symbol++) {
      if (sums[symbol]! > 0) add(found, nameOf(data, symbol), sums[symbol]!);
    }
    expect(found).toEqual(through);
  });

  test('folded runs keep every sum; groups part the calls', async () => {
    const { census } = await readRecording(file);
    const data = readColumns(censusColumns(census));
    const folds = foldRuns(data);
    const shown = { weights: data.rows.calls, folds, hasInterrupted: true };
    for (const tree of [callersTree(data, shown), entriesTree(data, shown)]) {
      expect(tree.total[0]).toBe(census.attributed);
      expect(misplaced(tree)).toEqual([]);
    }
    const comm = data.dimensions.find(({ name }) => name === 'comm')!;
    const grouped = callersTree(data, { ...shown, groups: { of: comm.of, count: comm.values.length } });
    const counts = new Map<string, number>();
    for (let box = 1; box < grouped.first[1]!; box++) {
      counts.set(comm.values[grouped.symbol[box]! - data.symbols.count]!, grouped.total[box]!);
    }
    const expected = new Map<string, number>();
    for (const row of census.rows) add(expected, census.keys.at(row.key).comm || '(not recorded)', row.count);
    expect(counts).toEqual(expected);
  });

  test('both sides of a sandwich hold the calls through the function', async () => {
    const { census } = await readRecording(file);
    const data = readColumns(censusColumns(census));
    const { through } = pathsOf(census);
    const names = [...through].sort(([, a], [, b]) => b - a).map(([name]) => name);
    for (const name of [...names.slice(0, 5), ...names.slice(-3)]) {
      const symbol = data.symbols.names.findIndex((_, i) => i > 0 && nameOf(data, i) === name);
      const { callers, callees } = sandwichOf(data, [symbol], { weights: data.rows.calls });
      if (data.symbols.names.filter((_, i) => nameOf(data, i) === name).length > 1) continue;
      expect([callers.total[0], callees.total[0]], name).toEqual([through.get(name), through.get(name)]);
      expect(misplaced(callers)).toEqual([]);
      expect(misplaced(callees)).toEqual([]);
    }
  });
});

test('rows that are left out are in no box, and what was interrupted only where it is wanted', async () => {
  const { census } = await readRecording(ALL_RECORDINGS.find((file) => file.endsWith('founding-case-6.12.pb.gz'))!);
  const data = readColumns(censusColumns(census));
  const comm = data.dimensions.find(({ name }) => name === 'comm')!;
  const wanted = comm.values.indexOf('db_bench');
  const included = Uint8Array.from(comm.of, (value) => (value === wanted ? 1 : 0));
  let count = 0;
  for (const row of census.rows) if (census.keys.at(row.key).comm === 'db_bench') count += row.count;
  const weights = weigh(data.rows.calls, included);
  const tree = callersTree(data, { weights });
  expect(tree.total[0]).toBe(count);
  expect(tree.flags.some((bits) => bits & NODE.interrupted)).toBe(false);
  const whole = callersTree(data, { weights, hasInterrupted: true });
  expect(whole.total[0]).toBe(count);
  expect(whole.flags.some((bits) => bits & NODE.interrupted)).toBe(true);
  expect(whole.count).toBeGreaterThan(tree.count * 2);
});
