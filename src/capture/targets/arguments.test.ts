import { describe, expect, it } from 'vitest';
import { keyLayout } from '../bpf/key-layout.ts';
import { syscallArguments } from './argument-count.ts';
import { argumentsOf, keyOptions, parseKeys } from './arguments.ts';
import type { Target } from './target.ts';

describe('keys of calls', () => {
  it('reads lists', () => {
    expect(parseKeys('comm,arg3:sym')).toEqual({
      pid: false,
      comm: true,
      cpu: false,
      argument: { number: 3, asSymbol: true },
    });
    expect(parseKeys('none')).toEqual({ pid: false, comm: false, cpu: false });
    expect(() => parseKeys('com')).toThrow('--keys com is none of');
    expect(() => parseKeys('arg1,arg2')).toThrow('only one argument');
    expect(() => parseKeys('arg0')).toThrow('--keys arg0: arguments are numbered from 1');
  });

  it('records the rotate callback of augmented trees unasked, and nothing else', () => {
    const [augmented, plain] = argumentsOf([
      { kind: 'function', name: '__rb_insert_augmented', functions: [] },
      { kind: 'function', name: 'rb_insert_color', functions: [] },
    ]);
    expect(augmented).toEqual({ number: 3, asSymbol: true });
    expect(plain).toBeUndefined();
    expect(keyOptions(parseKeys('none'), [augmented, plain], undefined).argument).toBe(true);
    expect(keyOptions(parseKeys('none'), [plain], undefined).argument).toBe(false);
  });

  it('records pids with user stacks, whose addresses mean nothing without', () => {
    expect(keyOptions(parseKeys('comm'), [], 50, true)).toEqual({
      pid: true,
      comm: true,
      cpu: false,
      argument: false,
      bucketMilliseconds: 50,
    });
  });

  it('refuses an argument that an event does not have, and says how many it has', () => {
    const event: Target = { kind: 'tracepoint', name: 'sched:sched_switch', category: 'sched', event: 'sched_switch' };
    const check = (number: number, count: number | null) => () =>
      argumentsOf([event], { number, asSymbol: false }, { of: () => count });
    expect(check(5, 4)).toThrow('--keys arg5: sched:sched_switch has 4 arguments');
    expect(check(2, 1)).toThrow('sched:sched_switch has 1 argument');
    expect(check(13, null)).toThrow('a tracepoint has no more than 12 (sched:sched_switch)');
    for (const count of [4, 5, null]) expect(check(4, count)()).toEqual([{ number: 4, asSymbol: false }]);
    // Of those that only matched, some may lack it, but not all.
    const matched = [3, 4].map((count): Target => ({ ...event, name: `${count}`, pattern: 'sched:*' }));
    const ofMatched = (number: number) =>
      argumentsOf(matched, { number, asSymbol: false }, { of: (t) => Number(t.name) });
    expect(ofMatched(4)).toEqual([undefined, { number: 4, asSymbol: false }]);
    expect(() => ofMatched(5)).toThrow('--keys arg5: 3 has 3 arguments');
  });

  it('counts the arguments of a system call in the format of its event', () => {
    const format = `name: sys_enter_write
ID: 760
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;
\tfield:unsigned int fd;\toffset:16;\tsize:8;\tsigned:0;
\tfield:const char * buf;\toffset:24;\tsize:8;\tsigned:0;
\tfield:size_t count;\toffset:32;\tsize:8;\tsigned:0;

print fmt: "fd: 0x%08lx", ((unsigned long)(REC->fd))
`;
    expect(syscallArguments(format)).toBe(3);
  });

  it('lays keys out without overlaps, in whole words of 8 bytes', () => {
    expect(keyLayout({}).size).toBe(16);
    const full = keyLayout({ pid: true, comm: true, cpu: true, argument: true, bucketMilliseconds: 100 });
    const parts = [
      [full.stack, 8],
      [full.argument!, 8],
      [full.parts.comm!, 16],
      [full.target, 4],
      [full.parts.pid!, 4],
      [full.parts.cpu!, 4],
      [full.bucket!, 4],
    ].sort((a, b) => a[0]! - b[0]!);
    let end = 0;
    for (const [offset, size] of parts) {
      expect(offset).toBe(end);
      end = offset! + size!;
    }
    expect(full.size).toBe(end);
  });
});
