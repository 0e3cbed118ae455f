import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lackIf, needs } from '../../../test/support/needs.ts';
import { readWholeAside } from './whole-file.ts';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-whole-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const LINUX = needs(lackIf(process.platform !== 'linux', 'not Linux', 'run the tests on Linux'));

test('files without a size are read to their end', LINUX, async () => {
  expect((await readWholeAside('/proc/self/environ')).equals(readFileSync('/proc/self/environ'))).toBe(true);
  const symbols = (await readWholeAside('/proc/kallsyms')).toString('latin1');
  expect(symbols.length).toBe(readFileSync('/proc/kallsyms').length);
  expect(symbols).toMatch(/^[0-9a-f]{16} \w \S+\n[\s\S]*\n$/);
});

test.each([0, 1, (16 << 20) - 1, 16 << 20, (16 << 20) + 1])('a file of %i bytes', LINUX, async (size) => {
  const content = Buffer.alloc(size, 'whole file ');
  const path = join(scratch, 'file');
  writeFileSync(path, content);
  expect((await readWholeAside(path)).equals(content)).toBe(true);
});

test('programs that are started meanwhile do not inherit it', LINUX, async () => {
  const reading = readWholeAside('/proc/kallsyms');
  const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
  expect((await reading).length).toBeGreaterThan(0);
  expect(stdout).toContain(' 0 -> ');
  expect(stdout).not.toContain('kallsyms');
});

test('what cannot be read is an error', LINUX, async () => {
  await expect(readWholeAside('/no/such/file')).rejects.toThrow('/no/such/file');
  await expect(readWholeAside(scratch)).rejects.toThrow(scratch); // a directory opens, but does not read
});
