import { expect, test } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { stacks } from '../../../test/support/stacks.ts';
import { NO_TARGET } from '../../census/row-table.ts';
import { readerNamed } from '../registry.ts';
import { foldedStacks } from './write.ts';

test('marked kernel frames: the process first, user frames, kernel frames', async () => {
  const { census } = await checkBytes(
    'folded',
    'db_bench;main;std::vector<int, x>::push_back(int);write;entry_SYSCALL_64_after_hwframe_[k];do_syscall_64_[k];ksys_write_[k];vfs_write_[k] 12\n' +
      'swapper/0;secondary_startup_64_no_verify_[k];do_idle_[k];vfs_write_[k] 3\n' +
      'db_bench;main;spin_[j] 5\n',
  );
  expect(census.total).toBe(20);
  expect(groupCounts(census, 'comm')).toEqual([
    ['db_bench', 17],
    ['swapper/0', 3],
  ]);
  expect(groupCounts(census, 'entry')).toEqual([
    ['write(2)', 12],
    ['user space', 5],
    ['idle', 3],
  ]);
});

test("unmarked frames are the kernel's; the process is told from a function", async () => {
  const { census } = await checkBytes(
    'folded',
    'kworker/0:1-events;ret_from_fork;kthread;worker_thread;process_one_work;flush;vfs_write 4\n' +
      'ret_from_fork;kthread;jbd2;vfs_write 2\n' +
      'bash;entry_SYSCALL_64_after_hwframe;do_syscall_64;ksys_write;vfs_write 1\n',
  );
  expect(groupCounts(census, 'comm')).toEqual([
    ['kworker/0:1-events', 4],
    ['(not recorded)', 2],
    ['bash', 1],
  ]);
  expect(census.targets).toEqual(['vfs_write']);
  expect(groupCounts(census, 'target')).toEqual([['vfs_write', 7]]);
  expect(groupCounts(census, 'entry')).toEqual([
    ['flush', 4],
    ['jbd2', 2],
    ['write(2)', 1],
  ]);
});

test('a frame of dashes separates user from kernel frames', async () => {
  const { census } = await checkBytes(
    'folded',
    'bash;__libc_start_main;main;write;-;entry_SYSCALL_64_after_hwframe;do_syscall_64;ksys_write;vfs_write 2\n' +
      'bash;main;--;ret_from_fork;vfs_write 1\n',
  );
  const spaces = census.stacks
    .frames(census.rows.row(0).stack)
    .map(({ symbol }) => `${census.symbols.space(symbol)} ${census.symbols.name(symbol)}`);
  expect(spaces).toEqual([
    'kernel vfs_write',
    'kernel ksys_write',
    'kernel do_syscall_64',
    'kernel entry_SYSCALL_64_after_hwframe',
    'user write',
    'user main',
    'user __libc_start_main',
  ]);
});

test('innermost frame first, when asked', async () => {
  const outermostFirst =
    'bash;entry_SYSCALL_64_after_hwframe;do_syscall_64;ksys_write;vfs_write 2\nbash;x;do_idle;vfs_write 1\n';
  const innermostFirst =
    'vfs_write;ksys_write;do_syscall_64;entry_SYSCALL_64_after_hwframe;bash 2\nvfs_write;do_idle;x;bash 1\n';
  const { census } = await checkBytes('folded', innermostFirst, { options: { leafFirst: true } });
  expect(groupCounts(census)).toEqual(groupCounts((await readBytes(outermostFirst)).census));
});

test('offsets, modules, doubt and markers of frames', async () => {
  const { census } = await checkBytes('folded', 'a_[k];<IRQ>;</IRQ>;b+0x1f [ext4]_[k];? c_[k];d_[k] 2\n');
  const frames = census.stacks.frames(census.rows.row(0).stack).map(({ symbol, offset, unreliable }) => {
    const { symbols } = census;
    return [symbols.raw(symbol), symbols.module(symbol), symbols.space(symbol), offset, unreliable];
  });
  expect(frames.slice(0, 4)).toEqual([
    ['d', '', 'kernel', -1, false],
    ['c', '', 'kernel', -1, true],
    ['b', 'ext4', 'kernel', 31, false],
    ['</IRQ>', '', 'marker', -1, false],
  ]);
});

test('a differential file is refused with the line and what to do', async () => {
  await expect(readBytes('bash;do_syscall_64;vfs_write 2 5\nbash;do_idle;vfs_write 1 0\n')).rejects.toThrow(
    /^input: line 1: a differential folded file \(two counts a line\).*give the two files/,
  );
});

test('lines without a count are skipped and shown; comments and empty lines are not lines', async () => {
  const { census, diagnostics } = await checkBytes(
    'folded',
    '# by stackcount\n\na;b;vfs_write 2\nno count here\nc;vfs_write 1\na;c;vfs_write 4\r\n',
  );
  expect(census.total).toBe(7);
  expect(diagnostics.examples).toEqual([{ line: 4, text: 'no count here', why: 'not "frames count"' }]);
});

test('the same stack in several lines adds up; fractions are rounded', async () => {
  const { census } = await checkBytes('folded', 'a;b;c 2\na;b;c 3\na;b;d 2.6\n');
  expect(census.total).toBe(8);
});

test('instrumentation is peeled off', async () => {
  const { census, diagnostics } = await checkBytes(
    'folded',
    'do_syscall_64;ksys_write;vfs_write;kprobe_ftrace_handler;bpf_prog_6deef7357e7b4530 3\n',
  );
  expect(census.symbols.name(census.stacks.frames(census.rows.row(0).stack)[0]!.symbol)).toBe('vfs_write');
  expect(diagnostics.peeled.get('kprobe_ftrace_handler')).toBe(3);
});

test('text that is no stack is of no known format', async () => {
  await expect(readBytes('one; two; three\nfour five 6\n')).rejects.toThrow(/no known format \(tried .*folded/);
});

test('a target in a program is found again, though its file is only in its name', async () => {
  const text = '[target];[/lib/libc.so.6:malloc] 0\n[target];[/bin/a:work] 0\na;main;malloc 3\na;main;often;work 4\n';
  const { census } = await checkBytes('folded', text);
  expect(groupCounts(census, 'target')).toEqual([
    ['/bin/a:work', 4],
    ['/lib/libc.so.6:malloc', 3],
  ]);
  expect(groupCounts(census, 'site')).toEqual([
    ['often', 4],
    ['main', 3],
  ]);
});

test('stacks that do not begin with their target, one of several, name it', async () => {
  const census = stacks(`
    3 dd             2 sh               4 ssh
    vfs_write        submit_bio         submit_bio
    ksys_write       write_something    write_something
  `);
  const [event, both] = ['block:block_rq_issue', 'ext4:vfs_write'].map((name) => census.target(name));
  census.rows.rewrite({ targetOf: ({ count }) => (count === 3 ? both! : count === 2 ? event! : NO_TARGET) });
  const text = foldedStacks(census);
  expect(text.split('\n').slice(0, 3)).toEqual([
    'dd;ksys_write_[k];vfs_write_[k];[target:ext4:vfs_write] 3',
    'sh;write_something_[k];submit_bio_[k];[target:block:block_rq_issue] 2',
    'ssh;write_something_[k];submit_bio_[k] 4',
  ]);
  const { census: back } = await readBytes(text);
  for (const by of ['target', 'site', 'stack', 'comm']) expect(groupCounts(back, by)).toEqual(groupCounts(census, by));
});

test('an element in brackets is a frame where the file lists no such target', async () => {
  const { census } = await readBytes('[target];[vfs_write] 0\na;main;[target:other] 1\na;b;vfs_write_[k] 1\n');
  expect(groupCounts(census, 'target')).toEqual([['vfs_write', 2]]);
  expect(census.symbols.raw(census.stacks.frames(census.rows.row(0).stack)[0]!.symbol)).toBe('[target:other]');
});

test('a name that ends in a number is no second count', async () => {
  const census = stacks(`
    3 dd
    main (a.out)
  `);
  census.add({ stack: census.stack([{ symbol: census.symbols.intern('f 7', '', 'user'), offset: -1 }]) }, 4);
  const { census: back } = await readBytes(foldedStacks(census), { reader: readerNamed('folded') });
  expect(back.total).toBe(7);
});

test('a process called like the lines that are no stacks loses no call', async () => {
  const census = stacks(
    `
    3 [target]       4 [lost]
    vfs_write        vfs_write
  `,
    'vfs_write',
  );
  const { census: back } = await readBytes(foldedStacks(census), { reader: readerNamed('folded') });
  expect([back.total, back.attributed]).toEqual([7, 7]);
});
