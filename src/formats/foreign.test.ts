import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readBytes } from '../../test/support/check-reader.ts';
import { ALL_RECORDINGS } from '../../test/support/recordings.ts';
import { foreignFormat } from './foreign.ts';
import { decompress, takeHead } from './input.ts';

const HEAD_OF_TAR = `${'a.txt'.padEnd(257, '\0')}ustar`;

/** What it is called, and how it begins. All made up, in the form these tools print. */
const EXAMPLES: [string, string][] = [
  ["trace-cmd's trace.dat", '\x17\x08Dtracing6\0'],
  ['a CPU profile of gperftools', `${'\0'.repeat(8)}\x03${'\0'.repeat(15)}\x10'\0\0`],
  ['a CPU profile of gperftools', `${'\0'.repeat(4)}\x03\0\0\0\x01\0\0\0\x10'\0\0`],
  ['samples of simpleperf as protobuf', 'SIMPLEPERF\x01\0'],
  ['a Java Flight Recording', 'FLR\0\0\x02'],
  ['a crash dump', 'KDUMP   \x06\0'],
  ['a crash dump', 'makedumpfile\0\0'],
  ['an ELF file (a program, a module or a core dump)', '\x7fELF\x02\x01'],
  ['bzip2 data', 'BZh91AY&SY'],
  ['lz4 data', '\x04"M\x18d@'],
  ['a zip archive', 'PK\x03\x04\x14\0'],
  ['a tar archive', HEAD_OF_TAR],
  ['a SQLite database', 'SQLite format 3\0\x10'],
  ['a profile of the Firefox Profiler', '{"meta":{"interval":1,"preprocessedProfileVersion":49}}'],
  ["Chrome's trace events", '{"traceEvents": [{"ph":"X"}]}'],
  ['a CPU profile of V8', '{"nodes":[{"id":1,"callFrame":{}}]}'],
  ['a flame graph', '<?xml version="1.0"?>\n<svg version="1.1" width="1200">'],
  ['a web page', '<!DOCTYPE html>\n<title>perf output</title>'],
  ['the output of perf stat', "\n Performance counter stats for 'ls':\n\n   1.23 msec task-clock\n"],
  [
    'the output of perf report',
    "# Samples: 1K of event 'cycles'\n#\n# Overhead  Command  Symbol\n    12.00%  alpha    [k] f\n",
  ],
  ['the output of perf trace', '     0.000 ( 0.002 ms): ls/123 close(fd: 3) = 0\n'],
  ['the output of simpleperf report-sample', 'sample:\n  event_type: cpu-clock\n  time: 12\n  callchain:\n'],
  ["the output of bcc's klockstat", '                    Caller   Avg Wait  Count   Max Wait\n   f    12   1  12\n'],
  [
    "a trace of ftrace's function_graph, which tells what functions call and not who calls them",
    ' 0)               |  vfs_write() {\n 0)   0.123 us    |    rw_verify_area();\n',
  ],
  ["a listing of a slab cache's users", '      1 f+0x1/0x2 age=12 pid=1 cpus=0\n'],
  ['symbols of a kernel (kallsyms or System.map)', 'ffffffff81000000 T _text\nffffffff81000000 T startup_64\n'],
  [
    "backtraces of crash's bt",
    'PID: 12       TASK: ffff888000000000  CPU: 0    COMMAND: "alpha"\n #0 [ffffc90000000000] f at ffffffff81\n',
  ],
  [
    'backtraces of gdb',
    '#0  vfs_read (file=0x0, buf=0x0) at fs/read_write.c:450\n#1  0xffffffff81000000 in ksys_read () at fs/read_write.c:612\n',
  ],
  ["backtraces of SystemTap's print_backtrace", ' 0xffffffff81200abc : vfs_read+0x0/0x190 [kernel]\n'],
  ['stacks of DTrace', '              genunix`fop_read+0x6b\n              genunix`read+0x2b3\n                1\n'],
  ['the output of strace', '[pid  12] openat(AT_FDCWD, "/etc/x", O_RDONLY) = 3\n'],
  [
    'a histogram of bcc or bpftrace, or of another tool like them',
    '     usecs               : count     distribution\n         0 -> 1          : 12       |***|\n',
  ],
  [
    'a histogram of bcc or bpftrace, or of another tool like them',
    '@usecs:\n[4, 8)                 2 |@@@@@               |\n',
  ],
  ["the output of bcc's funccount", 'FUNC                          COUNT\nvfs_read                         12\n'],
  [
    'a table of bcc or bpftrace, a line for each event',
    'PID    COMM               FD ERR PATH\n12     bash                3   0 /etc/x\n',
  ],
  ['a table of bcc or bpftrace, a line for each event', 'Tracing block I/O... Hit Ctrl-C to end.\n'],
  ['packets as tcpdump prints them', '12:01:02.123456 IP 10.0.0.1.22 > 10.0.0.2.4242: Flags [P.]\n'],
  ['/proc/interrupts', '           CPU0       CPU1       \n  0:         12          0   IO-APIC   2-edge      timer\n'],
  ['/proc/lock_stat', 'lock_stat version 0.4\n-----\n'],
  ['a list of processes', 'USER         PID %CPU %MEM    VSZ   RSS TTY\nroot           1  0.0  0.1\n'],
  ['the output of vmstat', 'procs -----------memory---------- ---swap--\n r  b   swpd\n'],
  ['a report of AddressSanitizer for a program', '==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n'],
  ['the output of valgrind', '==12== Invalid read of size 4\n==12==    at 0x1: main (x.c:3)\n'],
  ['a dump of Java threads', 'Full thread dump OpenJDK\n'],
  ['a dump of Java threads', '\tat a.b.C.d(C.java:12)\n'],
  ['a dump of goroutines', 'goroutine 1 [running]:\nmain.f(...)\n'],
  ['a traceback of Python', 'Traceback (most recent call last):\n  File "x.py", line 1\n'],
  ['a report of macOS', 'panic(cpu 0 caller 0xffffff8000000000): x\n'],
  ['a report of a BSD kernel', 'KDB: stack backtrace:\ndb_trace_self_wrapper() at db_trace_self_wrapper+0x2b\n'],
  ['a report of Fuchsia', '[1.5] ZIRCON KERNEL PANIC\n'],
  ['a report of Windows', 'STACK_TEXT:  \nffffd000 nt!KeBugCheckEx\n'],
];

test.each(EXAMPLES)('%s', (what, text) => {
  expect(foreignFormat(Buffer.from(text, 'latin1'))?.what).toBe(what);
});

test.each(EXAMPLES)('%s is refused by its name', async (what, text) => {
  await expect(readBytes(Buffer.from(text, 'latin1'))).rejects.toThrow(`input looks like ${what}, which is not read`);
});

test('nothing tells what prose is', () => {
  expect(foreignFormat(Buffer.from('Once upon a time (in Oslo)\nthere was = 1 kernel: no more.\n'))).toBeNull();
  expect(foreignFormat(Buffer.alloc(0))).toBeNull();
});

test.each(ALL_RECORDINGS)('%s is not foreign', async (file) => {
  async function* bytes() {
    yield readFileSync(file);
  }
  const { head } = await takeHead((await decompress(file, bytes())).bytes, 1 << 16);
  expect(foreignFormat(head)).toBeNull();
});

// Long lines must not make a search long: it would run into the time limit of tests.
test.each([
  '#0 (',
  '==1',
  '"a',
  ' ',
  '@[',
  '1.5 (',
  'a(',
  '# Samples: ',
  '0',
  '\tat a',
])('a file of nothing but %j', (text) => {
  expect(foreignFormat(Buffer.from(text.repeat(1 << 16)))).toBeNull();
});
