import { expect, it } from 'vitest';
import { ConsoleTail } from './console.ts';

it('keeps the last lines without the codes of the firmware', () => {
  const console = new ConsoleTail();
  console.push(Buffer.from('\x1bc\x1b[?7l\x1b[2JSeaBIOS\r\n[    1.0] one\r\n[    1.1] t'));
  console.push(Buffer.from('wo'));
  expect(console.lines()).toEqual(['SeaBIOS', '[    1.0] one', '[    1.1] two']);
  expect(console.lines(1)).toEqual(['[    1.1] two']);
  console.push(Buffer.from([0x0a, 0x9b, ...Buffer.from('31mred\n')]));
  expect(console.lines(1)).toEqual(['31mred']);
});

it('finds why the kernel gave up and what it killed', () => {
  const console = new ConsoleTail();
  expect([console.panic(), console.outOfMemory()]).toEqual([undefined, undefined]);
  console.push(Buffer.from('[    9.1] Out of memory: Killed process 184 (db_bench:low) total-vm:388812kB\n'));
  console.push(Buffer.from('[   10.2] Kernel panic - not syncing: sysrq triggered crash\r\n[   10.3] CPU: 1\r\n'));
  expect(console.panic()).toBe('Kernel panic - not syncing: sysrq triggered crash');
  expect(console.outOfMemory()).toBe('db_bench:low');
});

it('finds the first fault of the kernel, and tells it from a processor that is slow', () => {
  const reports = [
    ['[ 23.8][   T18] Oops: int3: 0000 [#3] PREEMPT SMP NOPTI\r', 'Oops: int3: 0000 [#3] PREEMPT SMP NOPTI'],
    ['[ 1.0] kernel BUG at mm/slub.c:4027!', 'kernel BUG at mm/slub.c:4027!'],
    [
      '[ 1.0] general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP',
      'general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP',
    ],
    [
      '[ 1.0] BUG: unable to handle page fault for address: ffffffffffffffd6',
      'BUG: unable to handle page fault for address: ffffffffffffffd6',
    ],
  ] as const;
  for (const [line, first] of reports) {
    const console = new ConsoleTail();
    console.push(
      Buffer.from('[ 0.9] watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [sh:175]\n[ 0.9] RIP: 0010:0x0\n'),
    );
    expect(console.oops()).toEqual([]);
    expect(console.lockup()).toEqual(['BUG: soft lockup - CPU#0 stuck for 26s! [sh:175]', '[ 0.9] RIP: 0010:0x0']);
    console.push(Buffer.from(`${line}\n[ 1.1] CPU: 1\n[ 1.2] BUG: another\n`));
    expect(console.oops()).toEqual([first, '[ 1.1] CPU: 1', '[ 1.2] BUG: another']);
  }
});
