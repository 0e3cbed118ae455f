import { expect, it } from 'vitest';
import { narrowerPatterns } from './narrower-patterns.ts';

it('narrows a pattern by the next word of the names, the largest part first', () => {
  const names = ['mb_load', 'mb_init', 'mb_free', 'da_write', 'da_write_begin', 'sync', 'es_x'].map((n) => `ext4_${n}`);
  expect(narrowerPatterns(names, 10)).toEqual([
    { pattern: 'ext4_mb_*', count: 3 },
    { pattern: 'ext4_da_*', count: 2 },
  ]);
  expect(narrowerPatterns(names, 2)).toEqual([{ pattern: 'ext4_da_*', count: 2 }]);
});

it('offers nothing where names share no words', () => {
  expect(narrowerPatterns(['a', 'b', '_c'], 10)).toEqual([]);
  expect(narrowerPatterns([], 10)).toEqual([]);
});
