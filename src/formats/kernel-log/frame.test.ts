import { describe, expect, test } from 'vitest';
import { parsePrintedFrame } from './frame.ts';

/** What a frame says, without what is not said of it. */
function read(text: string) {
  const frame = parsePrintedFrame(text);
  if (!frame) return null;
  const said = Object.entries(frame).filter(([, value]) => value !== '' && value !== false && value !== null);
  return Object.fromEntries(said);
}

const at = (file: string, line: number) => ({ place: { file, line } });

describe('a frame', () => {
  test.each([
    [' evict+0xd1/0x1a0', { raw: 'evict', offset: 0xd1 }],
    ['evict+0xd1', { raw: 'evict', offset: 0xd1 }],
    [' ? evict+0xd1/0x1a0', { raw: 'evict', offset: 0xd1, unreliable: true }],
    [' evict.isra.0+0x1/0x2 [ext4]', { raw: 'evict.isra.0', offset: 1, module: 'ext4' }],
    [' drop+0x1/0x2 [nf_tables 1f0b2c3d]', { raw: 'drop', offset: 1, module: 'nf_tables' }],
    [' drop+0x1/0x2 [nf_tables] [nf_nat]', { raw: 'drop', offset: 1, module: 'nf_tables' }],
    [' drop+0x1/0x2 (P)', { raw: 'drop', offset: 1 }],
    [' drop+0x1/0x2 [nvme] (PL)', { raw: 'drop', offset: 1, module: 'nvme' }],
    [' [<ffffffff810a1b2c>] drop+0x1/0x2', { raw: 'drop', offset: 1 }],
    [' [<(____ptrval____)>] ? drop+0x1/0x2', { raw: 'drop', offset: 1, unreliable: true }],
    ['[<0>] do_wait+0x1cb/0x230', { raw: 'do_wait', offset: 0x1cb, hasZeroAddress: true }],
    [' 0xffffffffc03160c8', { raw: '0xffffffffc03160c8', offset: -1 }],
    ['[<ffffffffffffffff>] 0xffffffffffffffff', { raw: '0xffffffffffffffff', offset: -1 }],
    [' 0x202', { raw: '0x202', offset: -1 }],
  ])('of the kernel: %s', (text, frame) => expect(read(text)).toEqual(frame));

  test.each([
    ['([<000003ff8086d036>] probe+0x36/0x1000 [mymod])', { raw: 'probe', offset: 0x36, module: 'mymod' }],
    [
      '[c000000010f930b0] [c000000008068df8] walk+0x278/0x390 (unreliable)',
      { raw: 'walk', offset: 0x278, unreliable: true },
    ],
    ['[c000000010f93e30] [c00000000000b9e4] .sys_read+0x38/0xfc', { raw: 'sys_read', offset: 0x38 }],
    [
      '[<803b18e8>] (flush) from [<80101000>] (ret_fast_syscall+0x0/0x54)',
      { raw: 'ret_fast_syscall', offset: 0, callee: 'flush' },
    ],
    [
      '[<bf0018e8>] (flush [mymod]) from [<80101000>] (drop+0x4/0x54 [mymod])',
      { raw: 'drop', offset: 4, module: 'mymod', callee: 'flush' },
    ],
    [' flush from ret_fast_syscall+0x0/0x54', { raw: 'ret_fast_syscall', offset: 0, callee: 'flush' }],
    [
      '[<803b18e8>] (flush) from [<80101000>] (drop+0x4/0x54 mm/slub.c:12)',
      { raw: 'drop', offset: 4, callee: 'flush', ...at('mm/slub.c', 12) },
    ],
  ])('of other architectures: %s', (text, frame) => expect(read(text)).toEqual(frame));

  test.each([
    [' evict+0xd1/0x1a0 fs/inode.c:664', { raw: 'evict', offset: 0xd1, ...at('fs/inode.c', 664) }],
    [' evict fs/inode.c:664 [inline]', { raw: 'evict', offset: -1, inlined: true, ...at('fs/inode.c', 664) }],
    [
      ' ? evict fs/inode.c:664 [inline]',
      { raw: 'evict', offset: -1, inlined: true, unreliable: true, ...at('fs/inode.c', 664) },
    ],
    ['evict (fs/inode.c:664)', { raw: 'evict', offset: -1, ...at('fs/inode.c', 664) }],
    ['evict (fs/inode.c:664 (discriminator 3))', { raw: 'evict', offset: -1, ...at('fs/inode.c', 664) }],
    [
      'enter (./arch/x86/include/asm/x.h:50 (discriminator 1) arch/x86/entry/common.c:80)',
      { raw: 'enter', offset: -1, ...at('arch/x86/entry/common.c', 80) },
    ],
    [
      '? drop (drivers/net/x.c:4) mymod',
      { raw: 'drop', offset: -1, module: 'mymod', unreliable: true, ...at('drivers/net/x.c', 4) },
    ],
    ['drop (??:?) mymod', { raw: 'drop', offset: -1, module: 'mymod' }],
    [' drop+0x1/0x2 (??:?)', { raw: 'drop', offset: 1 }],
    [
      ' drop+0x1/0x2 [mymod 0123ab] drivers/net/x.c:4',
      { raw: 'drop', offset: 1, module: 'mymod', ...at('drivers/net/x.c', 4) },
    ],
    [' drop+0x1/0x2 /home/u/linux-6.1/net/core/sock.c:123', { raw: 'drop', offset: 1, ...at('net/core/sock.c', 123) }],
    [' drop+0x1/0x2 net/core/sock.c:123:7', { raw: 'drop', offset: 1, ...at('net/core/sock.c', 123) }],
    [' [<ffffffff810a1b2c>] drop+0x1/0x2 ./include/net/x.h:9', { raw: 'drop', offset: 1, ...at('include/net/x.h', 9) }],
  ])('with its place in the source: %s', (text, frame) => expect(read(text)).toEqual(frame));

  test.each([
    'ata1: SATA link up',
    ' hrtimer_interr',
    'kernel BUG at fs/inode.c:664!',
    ' evict+0xd1/0x1a0 and more',
    '  (detected by 0, t=10502 jiffies)',
    'RAX: ffff+0x1',
    ' drop+0xffffffff/0x2',
    '',
  ])('is not: %s', (text) => expect(parsePrintedFrame(text)).toBeNull());
});
