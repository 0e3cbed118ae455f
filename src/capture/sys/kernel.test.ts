import { describe, expect, it } from 'vitest';
import { parseCpuList } from './kernel.ts';
import { perfEventBytes } from './perf.ts';

describe('what the kernel says of itself', () => {
  it('reads lists of CPUs', () => {
    expect(parseCpuList('0-3,8,10-11\n')).toEqual([0, 1, 2, 3, 8, 10, 11]);
    expect(parseCpuList('0')).toEqual([0]);
  });

  it('lays out struct perf_event_attr as linux/perf_event.h has it, disabled', () => {
    const attr = perfEventBytes({
      type: 5,
      samplePeriod: 1,
      breakpoint: true,
      config1: 0xffffffff81000000n,
      config2: 8n,
    });
    expect([attr.readUInt32LE(0), attr.readUInt32LE(4)]).toEqual([5, 112]);
    expect([attr.readBigUInt64LE(16), attr.readBigUInt64LE(40) & 1n]).toEqual([1n, 1n]);
    expect(attr.readUInt32LE(52)).toBe(4); // HW_BREAKPOINT_X
    expect([attr.readBigUInt64LE(56), attr.readBigUInt64LE(64)]).toEqual([0xffffffff81000000n, 8n]);
  });
});
