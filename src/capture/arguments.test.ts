import { describe, expect, it } from 'vitest';
import { argumentsOf, keyOptions, parseKeys } from './arguments.ts';
import { keyLayout } from './bpf/key-layout.ts';

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
    expect(() => parseKeys('arg0')).toThrow();
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

  it('lays keys out without overlaps, in whole words of 8 bytes', () => {
    expect(keyLayout({}).size).toBe(16);
    const full = keyLayout({ pid: true, comm: true, cpu: true, argument: true, bucketMilliseconds: 100 });
    const parts = [
      [full.stack, 8],
      [full.argument!, 8],
      [full.comm!, 16],
      [full.target, 4],
      [full.pid!, 4],
      [full.cpu!, 4],
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
