import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lackIf, needs } from '../../test/support/needs.ts';
import { checkWritable, refuseInput, toFile } from './output-file.ts';

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

describe('writing a file', () => {
  const user = process.geteuid?.() ?? 0;

  it('leaves the whole content, the mode it had, and nothing beside it', async () => {
    const folder = join(scratch, 'writing');
    mkdirSync(folder);
    const file = join(folder, 'a.json');
    writeFileSync(file, 'old', { mode: 0o640 });
    await toFile(file, 'new');
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777, readdirSync(folder)]).toEqual([
      'new',
      0o640,
      ['a.json'],
    ]);
  });

  it('goes through a link of the same user, not through one that somebody else made', async () => {
    const goal = join(scratch, 'goal.txt');
    writeFileSync(goal, 'old');
    const own = join(scratch, 'own.txt');
    symlinkSync(goal, own);
    await toFile(own, 'new');
    expect([readFileSync(goal, 'utf8'), lstatSync(own).isSymbolicLink()]).toEqual(['new', true]);
    if (user !== 0) return;
    const foreign = join(scratch, 'foreign.txt');
    symlinkSync(goal, foreign);
    lchownSync(foreign, 65534, 65534);
    await expect(toFile(foreign, 'evil')).rejects.toThrow('it is a link that another user made');
    expect(readFileSync(goal, 'utf8')).toBe('new');
  });

  it('says why, and never writes over what is read', async () => {
    await expect(toFile('/dev/full', 'x')).rejects.toThrow(/cannot write \/dev\/full: no space left/);
    expect(() => refuseInput(join(scratch, 'goal.txt'), ['-', join(scratch, 'own.txt')])).toThrow(/one of the files/);
    refuseInput(join(scratch, 'none.txt'), [join(scratch, 'own.txt')]);
  });
});
