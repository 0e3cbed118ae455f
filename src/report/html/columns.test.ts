import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCensus } from '../../../test/support/arbitrary-census.ts';
import { ALL_RECORDINGS, recording } from '../../../test/support/recordings.ts';
import { NODE, type PageData, readColumns, SYMBOL } from '../../../web/data/columns.ts';
import { DamagedData } from '../../../web/data/damaged.ts';
import { fromBase64ByTable, unpack } from '../../../web/data/unpack.ts';
import { glossOf } from '../../atlas/gloss.ts';
import { kernelKnowledge } from '../../atlas/knowledge.ts';
import { atlasLabeller } from '../../atlas/labeller.ts';
import { Census } from '../../census/census.ts';
import { GROUPINGS } from '../../census/dimensions.ts';
import { groupCensus } from '../../census/group.ts';
import { readRecording } from '../read-inputs.ts';
import { censusColumns, packColumns } from './columns.ts';
import { FAMILIES } from './families.ts';
import { SYMBOL_FLAGS } from './page-symbols.ts';
import { NODE_FLAGS } from './page-tree.ts';

const FOUNDING_CASE = recording('rbtree-inserts-under-db_bench.txt').replace(/[^/]*$/, 'founding-case-6.12.pb.gz');

async function pageOf(census: Census): Promise<PageData> {
  return readColumns(await unpack(packColumns(censusColumns(census))));
}

/** Functions from the target outwards to a node, without what was interrupted. */
function pathTo({ nodes, symbols }: PageData, node: number): string[] {
  const path: string[] = [];
  for (let at = node; at > 0; at = nodes.parent[at] as number) {
    const isBeyond = ((nodes.flags[at] as number) & (NODE.interrupted | NODE.border)) !== 0;
    if (isBeyond) path.length = 0;
    else path.unshift(symbols.names[nodes.symbol[at] as number] as string);
  }
  return path;
}

/** Counts and distinct stacks by value, as the page adds them up; values that stand for unknown ones in brackets. */
function groupsOf(page: PageData, by: string): Map<string, { count: number; stacks: number }> {
  const dimension = page.dimensions.find(({ name }) => name === by)!;
  const groups = new Map<string, { count: number; stacks: Set<number> }>();
  for (let row = 0; row < page.rows.count; row++) {
    const value = dimension.of[row]!;
    const key = dimension.isUnknown[value] ? `[${dimension.values[value]}]` : dimension.values[value]!;
    const group = groups.get(key) ?? { count: 0, stacks: new Set() };
    group.count += page.rows.calls[row]!;
    group.stacks.add(page.rows.stack[row]!);
    groups.set(key, group);
  }
  return new Map([...groups].map(([key, { count, stacks }]) => [key, { count, stacks: stacks.size }]));
}

describe.each(ALL_RECORDINGS)('%s', (file) => {
  test('groups by every dimension are those of the census', async () => {
    const { census } = await readRecording(file);
    const page = await pageOf(census);
    expect(page.total).toBe(census.total);
    expect(page.rows.calls.reduce((sum, count) => sum + count, 0)).toBe(census.attributed);
    for (const by of GROUPINGS.filter((name) => name !== 'stack')) {
      const { groups } = groupCensus(census, { by, knowledge: kernelKnowledge(), labeller: atlasLabeller });
      const expected = groups.map(({ label, isUnknown, count, stacks }) => [
        isUnknown ? `[${label}]` : label,
        { count, stacks },
      ]);
      expect(groupsOf(page, by), by).toEqual(new Map(expected as [string, { count: number; stacks: number }][]));
    }
  });

  test('paths are those of the census', async () => {
    const { census } = await readRecording(file);
    const page = await pageOf(census);
    const counts = new Map<string, number>();
    for (let row = 0; row < page.rows.count; row++) {
      const path = pathTo(page, page.rows.node[row]!).join(' <- ') || '(no caller)';
      counts.set(path, (counts.get(path) ?? 0) + page.rows.calls[row]!);
    }
    const { groups } = groupCensus(census, { by: 'stack', knowledge: kernelKnowledge(), labeller: atlasLabeller });
    expect(counts).toEqual(new Map(groups.map(({ label, count }) => [label, count])));
  });
});

test('any census arrives whole', async () => {
  await fc.assert(
    fc.asyncProperty(anyCensus, async (census) => {
      const page = await pageOf(census);
      expect(page.rows.count).toBe(census.rows.size);
      expect(page.rows.calls.reduce((sum, count) => sum + count, 0)).toBe(census.attributed);
      for (const [measure, sums] of page.rows.sums.entries()) {
        let total = 0;
        for (let row = 0; row < census.rows.size; row++) total += census.rows.sum(row, measure);
        expect(sums.reduce((sum, value) => sum + value, 0)).toBe(total);
      }
    }),
    { numRuns: 60 },
  );
});

test('callers stand in the order of their calls, in preorder', async () => {
  const page = await pageOf((await readRecording(FOUNDING_CASE)).census);
  const { nodes, rows } = page;
  const total = new Float64Array(nodes.count);
  for (let row = 0; row < rows.count; row++) total[rows.node[row]!]! += rows.calls[row]!;
  for (let node = nodes.count - 1; node > 0; node--) total[nodes.parent[node]!]! += total[node]!;
  expect(total[0]).toBe(248_627);
  const last = new Map<number, number>();
  const wrong: number[] = [];
  for (let node = 1; node < nodes.count; node++) {
    const parent = nodes.parent[node]!;
    if (parent >= node || total[node]! > (last.get(parent) ?? total[parent]!)) wrong.push(node);
    last.set(parent, total[node]!);
  }
  expect(wrong).toEqual([]);
});

test('functions come with place, words and role; what an interrupt interrupted begins with a border', async () => {
  const page = await pageOf((await readRecording(FOUNDING_CASE)).census);
  const { symbols, nodes, families } = page;
  const enqueue = symbols.names.indexOf('enqueue_task_fair');
  expect(symbols.file(enqueue)).toBe('kernel/sched/fair.c');
  expect(symbols.subsystem(enqueue)).toBe('CPU scheduler (fair class)');
  expect(families[symbols.family[enqueue]!]).toBe('scheduling');
  expect(symbols.glosses[enqueue]).toBe(glossOf('enqueue_task_fair'));
  const helper = symbols.names.indexOf('timerqueue_add');
  expect(symbols.flags[helper]! & SYMBOL.helper).toBe(SYMBOL.helper);
  expect(symbols.flags[symbols.names.indexOf('rb_insert_color')]! & SYMBOL.target).toBe(SYMBOL.target);
  const timer = symbols.names.indexOf('asm_sysvec_apic_timer_interrupt');
  expect(symbols.flags[timer]! & SYMBOL.entry).toBe(SYMBOL.entry);
  let borders = 0;
  for (let node = 1; node < nodes.count; node++) {
    if (nodes.symbol[nodes.parent[node]!] !== timer) continue;
    expect(nodes.flags[node]! & (NODE.border | NODE.interrupted)).toBe(NODE.border | NODE.interrupted);
    borders++;
  }
  expect(borders).toBeGreaterThan(10);
});

test('both sides mean the same by their numbers', async () => {
  expect(NODE).toEqual(NODE_FLAGS);
  expect(SYMBOL).toEqual(SYMBOL_FLAGS);
  expect((await pageOf(new Census())).families).toEqual(FAMILIES);
});

test('names of any kind arrive as they are', async () => {
  const names = [
    '</script><script>alert(1)</script>',
    '<!--',
    '\u202egnp.exe',
    '__proto__',
    '"\'&\\',
    'x'.repeat(10_000),
  ];
  const census = new Census();
  census.add({
    stack: census.stack(names.map((name) => ({ symbol: census.symbols.intern(name), offset: 0 }))),
    target: census.target(names[0]!),
    comm: names[1]!,
  });
  const page = await pageOf(census);
  expect(page.symbols.names).toEqual(['', ...names]);
  expect(page.dimensions.find(({ name }) => name === 'comm')?.values).toEqual([names[1]]);
});

describe('damaged data', () => {
  const text = packColumns(censusColumns(new Census()));

  test.each([
    ['nothing', '', 'are missing'],
    ['something else', Buffer.from('x'.repeat(40)).toString('base64'), 'begin wrongly'],
    ['no base64', '$$$$', 'not base64'],
    ['a part', Buffer.from(text, 'base64').subarray(0, 400).toString('base64'), 'cannot be inflated'],
  ])('%s', async (_, damaged, why) => {
    await expect(unpack(damaged)).rejects.toThrow(DamagedData);
    await expect(unpack(damaged)).rejects.toThrow(why);
  });

  test('a changed byte', async () => {
    const columns = censusColumns(new Census());
    const packed = Buffer.from(packColumns(columns), 'base64');
    columns[40]! ^= 1;
    const changed = Buffer.concat([packed.subarray(0, 12), deflateRawSync(columns)]);
    await expect(unpack(changed.toString('base64'))).rejects.toThrow('the checksum differs');
  });

  test('without Uint8Array.fromBase64', () => {
    for (const length of [0, 1, 2, 3, 4, 1000]) {
      const bytes = Buffer.alloc(length, '\x00\x7f\xff\x41\x10');
      expect(Buffer.from(fromBase64ByTable(bytes.toString('base64')))).toEqual(bytes);
    }
  });
});
