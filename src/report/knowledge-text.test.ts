import { expect, test } from 'vitest';
import { treeRecord, treeRecords } from '../atlas/subjects/tree-catalog.ts';
import { factsText, functionFacts, treeFacts, treesLike } from './knowledge-text.ts';

test('a tree is found by its id, or by part of its name', () => {
  expect(treesLike('cfs-run-queue').map(({ id }) => id)).toEqual(['cfs-run-queue']);
  expect(treesLike('NFS access').map(({ id }) => id)).toEqual(['nfs-access-cache']);
  expect(treesLike('no such tree')).toEqual([]);
});

test('every tree tells its root, nodes, key, and where it is inserted into', () => {
  for (const tree of treeRecords()) {
    const names = treeFacts(tree).map(({ name }) => name);
    expect(names, tree.id).toEqual(expect.arrayContaining(['holds', 'root', 'nodes', 'sorted by', 'inserted by']));
  }
});

test('what differs from kernel to kernel says for which', () => {
  const facts = treeFacts(treeRecord('cfs-run-queue')!);
  expect(facts.find(({ name }) => name === 'sorted by')?.lines).toEqual([
    'vruntime (Linux 6.5 and before)',
    expect.stringMatching(/^virtual deadline.*least vruntime below.*6\.6.*6\.11\)$/),
    expect.stringMatching(/^virtual deadline.*slice.*\(Linux 6\.12 and later\)$/),
  ]);
  expect(facts.find(({ name }) => name === 'inserted by')?.lines[0]).toMatch(/^__enqueue_entity .*: line \d+ in 6\.1/);
});

test('a function is known by any form of its name', () => {
  expect(functionFacts('__x64_sys_write')).toEqual(functionFacts('sys_write'));
  expect(functionFacts('__es_insert_extent.part.0')?.map(({ name }) => name)).toContain('inserts into');
  expect(functionFacts('frobnicate_nothing')).toBeNull();
});

test('no line is wider than the terminal', () => {
  for (const width of [80, 120]) {
    const text = factsText('x', treeFacts(treeRecord('cfs-run-queue')!), width);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
  }
});
