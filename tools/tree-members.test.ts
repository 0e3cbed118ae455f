import { expect, test } from 'vitest';
import type { TreeRecord } from '../src/atlas/subjects/tree-catalog.ts';
import { addStructures, memberProblems } from './tree-members.ts';

const SOURCE = `
struct owner_of_tree {
	struct { struct rb_root tree; } inner;
	spinlock_t lock;
};
struct part { struct rb_node link; u64 key; };
`;

const record = (root: TreeRecord['root'], node: TreeRecord['node']): TreeRecord => ({
  id: 'parts',
  name: 'tree of parts',
  root,
  node,
  key: 'key',
  purpose: 'the parts',
  inserted_by: [{ function: 'add_part', file: 'lib/part.c', kernels: '6.1-6.12' }],
});

test.each<[TreeRecord['root'], TreeRecord['node'], string[]]>([
  ['owner_of_tree->tree', 'struct part (link)', []],
  ['owner_of_tree->root', 'struct part (link)', ['parts: no root in struct owner_of_tree of 6.12.0']],
  ['former_owner->tree', 'struct part (link)', ['parts: no struct former_owner in 6.12.0']],
  [{ '-6.7': 'former_owner->tree', '6.8-': 'owner_of_tree->tree' }, 'struct part (link)', []],
  ['owner_of_tree->tree', 'struct part (node)', ['parts: no struct part with node in 6.12.0']],
  ['owner_of_tree->tree', 'struct piece (link)', ['parts: no struct piece with link in 6.12.0']],
  ['a local root', 'struct part (link)', []],
])('%j with nodes %j', (root, node, problems) => {
  const structures = new Map<string, string[]>();
  addStructures(SOURCE, structures);
  expect(memberProblems([record(root, node)], structures, '6.12.0')).toEqual(problems);
});
