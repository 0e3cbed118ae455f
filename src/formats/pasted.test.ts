import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { readPasted } from './pasted.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whocalls-pasted-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function stacksOf(text: string): Promise<string[]> {
  const file = join(folder, 'pasted.txt');
  writeFileSync(file, text);
  const census = await readPasted(file, kernelKnowledge());
  return [...census.rows].map((row) =>
    census.stacks
      .frames(row.stack)
      .map(({ symbol, unreliable }) => `${unreliable ? '? ' : ''}${census.symbols.name(symbol)}`)
      .join(' '),
  );
}

describe('a pasted stack', () => {
  it.each([
    ['one function a line', 'vfs_write\nksys_write\n'],
    ['offsets', '  vfs_write+0xae/0x1a0\n  ksys_write+0x4d/0xb0\n'],
    ['arrows', 'vfs_write <- ksys_write'],
    ['addresses', ' [<ffffffff8120b8ae>] vfs_write+0xae/0x1a0\n [<ffffffff8120b8ff>] ksys_write+0x4d/0xb0\n'],
    [
      'a debugger',
      '#0  0xffffffff8120b8ae in vfs_write (file=0x0) at fs/read_write.c:5\n#1  0xffffffff8120b8ff in ksys_write ()\n',
    ],
    ['a kernel log', '[   54.9] Call Trace:\n[   54.9]  vfs_write+0xae/0x1a0\n[   54.9]  ksys_write+0x4d/0xb0\n'],
  ])('with %s', async (_what, text) => {
    expect(await stacksOf(text)).toEqual(['vfs_write ksys_write']);
  });

  it('keeps doubted frames apart and takes several stacks', async () => {
    expect(await stacksOf('vfs_write+0x1/0x2\n? fput+0x3/0x4\nksys_write\n\nvfs_read\n')).toEqual([
      'vfs_write ? fput ksys_write',
      'vfs_read',
    ]);
  });

  it('refuses what is no stack', async () => {
    await expect(stacksOf('Dear all, nothing here looks like it.\n')).rejects.toThrow(
      'nothing that looks like a stack',
    );
  });
});
