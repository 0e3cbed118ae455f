import { expect, it } from 'vitest';
import { ConsoleTail } from './console.ts';

it('keeps the last lines without the codes of the firmware', () => {
  const console = new ConsoleTail();
  console.push(Buffer.from('\x1bc\x1b[?7l\x1b[2JSeaBIOS\r\n[    1.0] one\r\n[    1.1] t'));
  console.push(Buffer.from('wo'));
  expect(console.lines()).toEqual(['SeaBIOS', '[    1.0] one', '[    1.1] two']);
  expect(console.lines(1)).toEqual(['[    1.1] two']);
});

it('finds why the kernel gave up and what it killed', () => {
  const console = new ConsoleTail();
  expect([console.panic(), console.outOfMemory()]).toEqual([undefined, undefined]);
  console.push(Buffer.from('[    9.1] Out of memory: Killed process 184 (db_bench:low) total-vm:388812kB\n'));
  console.push(Buffer.from('[   10.2] Kernel panic - not syncing: sysrq triggered crash\r\n[   10.3] CPU: 1\r\n'));
  expect(console.panic()).toBe('Kernel panic - not syncing: sysrq triggered crash');
  expect(console.outOfMemory()).toBe('db_bench:low');
});
