import { expect, test } from 'vitest';
import { originOf } from './origin.ts';

test.each([
  ['[kernel.kallsyms]', undefined, 'kernel', ''],
  ['[guest.kernel.kallsyms]', undefined, 'kernel', ''],
  ['/usr/lib/debug/boot/vmlinux-6.1.0', undefined, 'kernel', ''],
  ['/proc/kcore', undefined, 'kernel', ''],
  ['[ext4]', undefined, 'kernel', 'ext4'],
  ['[dm-mod]', undefined, 'kernel', 'dm_mod'],
  ['/lib/modules/6.1.0/kernel/drivers/md/dm-mod.ko.xz', undefined, 'kernel', 'dm_mod'],
  ['[vdso]', '7ffd12345678', 'user', '[vdso]'],
  ['[vsyscall]', 'ffffffffff600000', 'user', '[vsyscall]'],
  ['[heap]', '55d012345678', 'user', '[heap]'],
  ['/usr/lib/libc.so.6', '7f0012345678', 'user', '/usr/lib/libc.so.6'],
  ['/home/a/my vmlinux clone/bin', undefined, 'user', '/home/a/my vmlinux clone/bin'],
  ['[unknown]', '7f0012345678', 'user', ''],
  ['[unknown]', 'ffffffff81000000', 'kernel', ''],
  ['', undefined, 'kernel', ''],
  ['bpf_prog_6deef7357e7b4530', 'ffffffffc0012345', 'kernel', 'bpf'],
  ['/tmp/perf-123.map', 'ffffffff81000000', 'kernel', ''],
])('%s at %s', (file, address, space, module) => {
  expect(originOf(file, address)).toEqual({ space, module });
});
