import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keptFor } from './initramfs.ts';

const before = process.env.XDG_CACHE_HOME;
let cache = '';
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'whocalls-cache-'));
  process.env.XDG_CACHE_HOME = cache;
});
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  rmSync(cache, { recursive: true });
});

test('what is kept is built once, and again where the disk holds something else', async () => {
  let built = 0;
  const kept = () =>
    keptFor(['a kernel'], 'cpio', async () => {
      built += 1;
      return Buffer.from('content');
    });
  const file = await kept();
  await kept();
  expect(built).toBe(1);
  for (const damage of [
    () => truncateSync(file, 3),
    () => writeFileSync(file, 'conTent'),
    () => rmSync(`${file}.sha256`),
  ]) {
    damage();
    expect(await kept()).toBe(file);
    expect(readFileSync(file, 'utf8')).toBe('content');
  }
  expect(built).toBe(4);
});
