import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { checkWritable, formatOfFile } from './report-file.ts';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-report-file-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('the format of a file', () => {
  test.each([
    ['a.json', 'json'],
    ['a.JSON', 'json'],
    ['a.pb.gz', 'pprof'],
    ['a.Pprof', 'pprof'],
    ['a.collapsed', 'folded'],
    ['a.txt', 'text'],
    ['report', 'text'],
    ['some.d/report', 'text'],
    ['run-6.12', 'text'],
    ['/dev/stdout', 'text'],
  ])('of %s is %s', (file, format) => {
    expect(formatOfFile(file)).toBe(format);
  });

  test.each(['a.json.gz', 'a.csv.gz', 'a.folded.gz', 'a.xyz', 'a.jsn', 'a.7z'])('of %s is not guessed', (file) => {
    expect(() => formatOfFile(file)).toThrow(/ending \(known: \.txt, \.json, \.csv, .*\.pb\.gz/);
  });
});

describe('a file that is to be written', () => {
  it('may be missing or there, and is not touched', () => {
    const old = join(scratch, 'old.json');
    writeFileSync(old, 'old');
    checkWritable(old);
    checkWritable(join(scratch, 'new.json'));
    checkWritable('/dev/full');
    expect(readdirSync(scratch)).toEqual(['old.json']);
  });

  it('is refused where it cannot be', () => {
    expect(() => checkWritable(scratch)).toThrow(`cannot write ${scratch}: it is a directory`);
    expect(() => checkWritable(join(scratch, 'no', 'a.json'))).toThrow(/cannot write .*a\.json: no such file or dir/);
  });

  it.skipIf(process.getuid?.() === 0)('is refused without permission', () => {
    const locked = join(scratch, 'locked.json');
    writeFileSync(locked, '');
    chmodSync(locked, 0o444);
    expect(() => checkWritable(locked)).toThrow(/permission denied/);
  });
});
