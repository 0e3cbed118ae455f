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
  const { census } = await readPasted(file, kernelKnowledge());
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

  it('keeps inlined functions, and the place of each', async () => {
    const file = join(folder, 'symbolised.txt');
    writeFileSync(
      file,
      'tap_fill drivers/net/tap.c:93 [inline]\ntap_read+0x1d/0x6a0 drivers/net/tap.c:180\nvfs_read (fs/read_write.c:12)\n',
    );
    const { census } = await readPasted(file, kernelKnowledge());
    const [row] = [...census.rows];
    expect(
      census.stacks
        .frames(row!.stack)
        .map(({ symbol, inlined }) => [
          census.symbols.name(symbol),
          inlined,
          `${census.symbols.file(symbol)}:${census.symbols.line(symbol)}`,
        ]),
    ).toEqual([
      ['tap_fill', true, 'drivers/net/tap.c:93'],
      ['tap_read', false, 'drivers/net/tap.c:180'],
      ['vfs_read', false, 'fs/read_write.c:12'],
    ]);
  });

  it('shows stacks told for information under their name', async () => {
    const file = join(folder, 'kasan.txt');
    writeFileSync(
      file,
      'BUG: KASAN: slab-use-after-free in tap_read\nCall Trace:\n tap_read+0x1/0x2\n ret_from_fork+0x1/0x2\n\nAllocated by task 7:\n tap_open+0x1/0x2\n\nFreed by task 8:\n tap_close+0x1/0x2\n tap_exit+0x1/0x2\n',
    );
    const { census, asides } = await readPasted(file, kernelKnowledge());
    expect(census.total).toBe(1);
    expect(asides.map(({ heading, stack }) => [heading, census.stacks.depth(stack)])).toEqual([
      ['Allocated by task 7', 1],
      ['Freed by task 8', 2],
    ]);
  });

  it('takes no prose for functions', async () => {
    const text = 'Hello\n\nb\nDetaching...\nvfs_write\nksys_write\nThanks\n';
    expect(await stacksOf(text)).toEqual(['vfs_write ksys_write']);
  });

  it('refuses what is no stack', async () => {
    await expect(stacksOf('Dear all, nothing here looks like it.\n')).rejects.toThrow(
      'nothing that looks like a stack',
    );
  });
});
