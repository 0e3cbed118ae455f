import { expect, test } from 'vitest';
import { isInRange, textFor } from './versions.ts';

test.each([
  ['6.1.0-56-amd64', '4.14-6.12', true],
  ['6.12.117+deb12-amd64', '6.9-', true],
  ['6.1.0-56-amd64', '6.9-', false],
  ['6.8.12', '-6.8', true],
  ['6.9.0', '-6.8', false],
  ['5.10.0', '4.14-5.4', false],
  ['6.1.5', '6.1', true],
  ['6.2.0', '6.1', false],
  // Nobody has looked beyond the sources that were read.
  ['7.0.1', '4.14-6.12', true],
  ['5.15.0', '6.1-6.12', true],
  ['', '4.14-5.4', true],
])('%s in %s: %s', (release, range, is) => {
  expect(isInRange(release, range)).toBe(is);
});

test('a text speaks of the kernel at hand', () => {
  const text = { '-6.8': 'vmap_area_root', '6.9-': 'vmap_node->busy.root' };
  expect(textFor(text, '6.1.0')).toBe('vmap_area_root');
  expect(textFor(text, '6.12.1')).toBe('vmap_node->busy.root');
  expect(textFor(text, '')).toBe('vmap_node->busy.root');
  expect(textFor('rq->core_tree', '6.1.0')).toBe('rq->core_tree');
});
