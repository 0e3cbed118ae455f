import { expect, test } from 'vitest';
import type { TreeRecord } from '../src/atlas/subjects/tree-catalog.ts';
import { addFunctionNames, functionProblems } from './tree-functions.ts';

const SOURCE = `
static void add_part(struct part *part)
{
	if (find_part (part))
		return;
	insert_part(&parts, part);
}
`;

const record = (more: Partial<TreeRecord>, kernels = '6.1-6.12'): TreeRecord => ({
  id: 'parts',
  name: 'tree of parts',
  root: 'parts',
  node: 'struct part (link)',
  key: 'key',
  purpose: 'the parts',
  inserted_by: [{ function: 'insert_part', file: 'lib/part.c', kernels }],
  ...more,
});

test.each<[Partial<TreeRecord>, string, string[]]>([
  [{ decided: { add_part: 'a part is added' }, searched_by: ['find_part'] }, '6.1-6.12', []],
  [{ decided: { ad_part: 'a part is added' } }, '6.1-6.12', ['parts: no source has a function ad_part']],
  [{ through: ['add_parts'] }, '6.12', ['parts: no source has a function add_parts']],
  [{ searched_by: ['seek_part'] }, '6.1', ['parts: no source has a function seek_part']],
  // Older kernels are not at hand, and system calls are defined by a macro.
  [{ through: ['add_parts'] }, '4.14-6.12', []],
  [{ decided: { sys_part: 'a part is added' } }, '6.1-6.12', []],
  // A text for all functions, by version.
  [{ decided: { '-6.7': 'a part is added', '6.8-': 'a part is put in' } }, '6.1-6.12', []],
])('%j of %s', (more, kernels, problems) => {
  const names = new Set<string>();
  addFunctionNames(SOURCE, names);
  expect(functionProblems([record(more, kernels)], names)).toEqual(problems);
});
