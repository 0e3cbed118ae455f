import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemTrouble } from './errors.ts';

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}

test('trouble of the machine names the path, why, and what to do', () => {
  expect(systemTrouble(errorOf(() => readFileSync('/no/such')))).toBe(
    'cannot open /no/such: no such file or directory',
  );
  const folder = mkdtempSync(join(tmpdir(), 'whocalls-errors-'));
  const trouble = systemTrouble(errorOf(() => mkdirSync(folder))) ?? '';
  rmSync(folder, { recursive: true });
  expect(trouble).toBe(
    `cannot make the folder ${folder}: file already exists; TMPDIR names another place for temporary files`,
  );
});

test('mistakes of the program are none', () => {
  expect(systemTrouble(new TypeError('x is not a function'))).toBeNull();
  expect(systemTrouble('text')).toBeNull();
});
