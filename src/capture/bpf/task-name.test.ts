import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTaskName, encodeTaskName } from './task-name.ts';

const bytesOf = (field: Buffer) => field.subarray(0, field.indexOf(0)).toString('hex');

describe('names of tasks', () => {
  it('are cut off as the kernel does, after 15 bytes', () => {
    expect(bytesOf(encodeTaskName('epoll'))).toBe(Buffer.from('epoll').toString('hex'));
    // ten letters of two bytes
    expect(bytesOf(encodeTaskName('ääääääääää'))).toBe('c3a4'.repeat(7).concat('c3'));
    expect(encodeTaskName('x'.repeat(40))).toEqual(Buffer.from(`${'x'.repeat(15)}\0`));
    expect(encodeTaskName('x'.repeat(40))).toHaveLength(16);
  });

  it('show what is left of a letter, and are found by what is shown', () => {
    const cut = Buffer.from('ääääääääää').subarray(0, 15);
    expect(decodeTaskName(cut)).toBe('äääääää\\xc3');
    expect(encodeTaskName('äääääää\\xc3')).toEqual(encodeTaskName('ääääääääää'));
    expect(decodeTaskName(Buffer.from('a\\xffb'))).toBe('a\\x5cxffb');
    expect(decodeTaskName(Buffer.from('kworker/0:1\0\0left over'))).toBe('kworker/0:1');
    expect(bytesOf(encodeTaskName('a\\x2cb'))).toBe(Buffer.from('a,b').toString('hex'));
  });

  it('lose no byte on the way', () => {
    const byte = fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constantFrom(0x5c, 0x78, 0x35, 0xc3, 0xa4));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 15 }), (name) => {
        expect(bytesOf(encodeTaskName(decodeTaskName(Buffer.from(name))))).toBe(Buffer.from(name).toString('hex'));
      }),
    );
  });
});
