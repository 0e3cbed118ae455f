import { describe, expect, it } from 'vitest';
import { checkTargets } from './lab-check.ts';

const SYMBOLS = Buffer.from(
  [
    'T _stext',
    'T vfs_write',
    'T __x64_sys_openat',
    'T kmem_cache_alloc_noprof',
    'T __traceiter_block_rq_issue',
    ...Array.from({ length: 600 }, (_, index) => `t many_${index % 7}_${index}`),
    ...Array.from({ length: 520 }, (_, index) => `t some_${index}`),
    't ext4_writepages\t[ext4]',
  ]
    .map((line, index) => `ffffffff${(0x81000000 + 16 * index).toString(16)} ${line}\n`)
    .join(''),
);

describe('targets for a guest', () => {
  it.each([
    ['vfs_wirte', 'did you mean vfs_write?'],
    ['vfs_write,openat', 'did you mean sys_openat?'],
    ['ext4:ext4_wirtepages', 'did you mean ext4:ext4_writepages?'],
    ['block:block_rq_isue', 'did you mean block:block_rq_issue?'],
    ['many_*', 'stands for 600 functions; at most 512 are counted at once'],
    ['@no-such-set', 'no set of targets is called @no-such-set'],
    ['/nowhere/libc.so.6:malloc', 'cannot read /nowhere/libc.so.6'],
  ])('%s is refused before it boots', (words, message) => {
    expect(() => checkTargets([words], SYMBOLS)).toThrow(message);
  });

  it.each([
    ['known', ['vfs_write', 'openat(2)', 'kmem_cache_alloc', 'block:block_rq_issue', 'ext4_writepages', 'vfs_*']],
    ['of tracepoints that are not listed', ['syscalls:sys_enter_openat', 'block:*', 'sched:sched_switch']],
    ["in the guest's own directories", ['/tmp/program:main', '/data/program:main']],
    ['a few too many, where some names may stand for one function', ['some_*']],
  ])('are left to it where they are %s', (_, words) => {
    expect(() => checkTargets(words, SYMBOLS)).not.toThrow();
  });
});
