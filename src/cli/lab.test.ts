import { describe, expect, it } from 'vitest';
import { guestPath } from '../lab/guest.ts';
import { machineOptions } from './lab-machine.ts';
import { recordOutputs } from './lab-record.ts';

describe('lab options', () => {
  it('reads sizes and refuses what is none', () => {
    expect(machineOptions({ memory: '2G', disk: '512M' })).toMatchObject({ memory: 2048, disk: 512 });
    for (const memory of ['', '0', '-1G', '2X', '1.5G']) {
      expect(() => machineOptions({ memory })).toThrow(`--memory ${memory}: not a size`);
    }
    expect(() => machineOptions({ cpus: 'two' })).toThrow('--cpus two: not a whole number above 0');
    expect(() => machineOptions({ scheduler: 'cfq' })).toThrow('--scheduler cfq: not one of none, mq-deadline, bfq');
  });
});

describe('recordOutputs', () => {
  it('finds the files of record in every spelling, and none of COMMAND', () => {
    const args = ['a', '-o', 'x.json', '-oy', '--output=/z', '--output', 'w', '-o', '-', '--', 'cc', '-o', 'not'];
    expect(recordOutputs(args, '/here')).toEqual(['/here/x.json', '/here/y', '/z', '/here/w']);
  });
});

it('finds host files where the guest has its own directory', () => {
  expect(guestPath('/usr/bin/node')).toBe('/usr/bin/node');
  expect(guestPath('/tmp/x/node')).toBe('/run/whocalls/host/tmp/x/node');
});
