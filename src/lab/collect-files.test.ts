import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectFiles } from './collect-files.ts';

let scratch = '';
let guest = '';
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'whocalls-collect-'));
  guest = join(scratch, 'files');
  mkdirSync(guest);
});
afterEach(() => rmSync(scratch, { recursive: true }));

const goal = (name: string) => join(scratch, name);

test('files arrive, and none where none was written', async () => {
  writeFileSync(join(guest, '0'), 'census');
  await collectFiles(guest, [goal('a.pb.gz'), goal('b.pb.gz')]);
  expect(readFileSync(goal('a.pb.gz'), 'utf8')).toBe('census');
  expect(existsSync(goal('b.pb.gz'))).toBe(false);
});

test('no link is followed', async () => {
  writeFileSync(goal('secret'), 'of the host');
  symlinkSync(goal('secret'), join(guest, '0'));
  await expect(collectFiles(guest, [goal('a')])).rejects.toThrow(/a: what the command left in its place is a link/);
  expect(existsSync(goal('a'))).toBe(false);
});

test('a FIFO does not hold it up, and the other file still comes', async () => {
  execFileSync('mkfifo', [join(guest, '0')]);
  writeFileSync(join(guest, '1'), 'census');
  await expect(collectFiles(guest, [goal('a'), goal('b')])).rejects.toThrow(/a: .* is no file; it was not taken/);
  expect(readFileSync(goal('b'), 'utf8')).toBe('census');
});

test('a file whose folder is gone is kept elsewhere', async () => {
  writeFileSync(join(guest, '0'), 'census');
  const error = await collectFiles(guest, [goal('gone/a.pb.gz')]).catch((problem: Error) => problem);
  const [, kept = ''] = /it is kept as (\S+)$/.exec((error as Error).message) ?? [];
  expect(readFileSync(kept, 'utf8')).toBe('census');
  rmSync(join(kept, '..'), { recursive: true });
});
