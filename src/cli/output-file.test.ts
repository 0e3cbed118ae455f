import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lackIf, needs } from '../../test/support/needs.ts';
import { checkWritable } from './output-file.ts';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-output-file-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

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

  const root = lackIf(process.getuid?.() === 0, 'running as root', 'run the tests as another user');
  it('is refused without permission', needs(root), () => {
    const locked = join(scratch, 'locked.json');
    writeFileSync(locked, '');
    chmodSync(locked, 0o444);
    expect(() => checkWritable(locked)).toThrow(/permission denied/);
  });
});
