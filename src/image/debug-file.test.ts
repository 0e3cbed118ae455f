import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildId, debugFileOf } from './debug-file.ts';
import { findSharedLibrary } from './shared-library.ts';

it('finds the debug symbols of a library by its build id', () => {
  const libc = findSharedLibrary('libc') ?? '';
  const id = buildId(libc) ?? '';
  expect(id).toMatch(/^[0-9a-f]{16,64}$/);
  const directory = mkdtempSync(join(tmpdir(), 'debug-'));
  try {
    expect(debugFileOf(libc, directory)).toBeUndefined();
    mkdirSync(join(directory, id.slice(0, 2)));
    const file = join(directory, id.slice(0, 2), `${id.slice(2)}.debug`);
    writeFileSync(file, '');
    expect(debugFileOf(libc, directory)).toBe(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('knows no build id of what is no ELF file', () => {
  expect(buildId(import.meta.filename)).toBeUndefined();
  expect(buildId('/nowhere')).toBeUndefined();
});
