import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { recording } from '../../../test/support/recordings.ts';
import { speedscopeFile } from './write.ts';

describe.each(['dmesg.txt.gz', 'perf-script.txt.gz', 'founding-case-6.12.pb.gz', 'bpftrace.txt.gz'])('%s', (name) => {
  it('comes back with the same groups, targets and losses', async () => {
    const { census } = await readBytes(readFileSync(recording(name)));
    const written = speedscopeFile(census);
    const { census: back } = await readBytes(written);
    expect([back.total, back.attributed, back.losses]).toEqual([census.total, census.attributed, census.losses]);
    for (const by of ['site', 'target', 'comm', 'entry', 'subsystem'])
      expect(groupCounts(back, by), by).toEqual(groupCounts(census, by));
    // Never a sample a call.
    const { profiles } = JSON.parse(written);
    for (const { samples, weights, endValue } of profiles) {
      expect(samples).toHaveLength(weights.length);
      expect(weights.reduce((sum: number, weight: number) => sum + weight, 0)).toBe(endValue);
    }
  });
});

const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';

it('reads samples of other tools; time is added up and not called calls', async () => {
  const frames = [
    { name: 'main', file: '/usr/bin/x' },
    { name: 'vfs_write', file: '[kernel.kallsyms]' },
    { name: 'ksys_write', file: '[kernel.kallsyms]' },
  ];
  const profile = { type: 'sampled', name: 'x', unit: 'milliseconds', startValue: 0, endValue: 30 };
  const file = {
    $schema: SCHEMA,
    shared: { frames },
    profiles: [{ ...profile, samples: [[0, 2, 1], [0]], weights: [10, 20] }],
  };
  const { census } = await checkBytes('speedscope', JSON.stringify(file));
  expect(census.total).toBe(2);
  expect(census.measures).toEqual([{ name: 'time', unit: 'milliseconds', of: 'profile' }]);
  expect(groupCounts(census)).toContainEqual(['vfs_write', 1]);
});

it('reads events that open and close', async () => {
  const frames = [{ name: 'a' }, { name: 'b' }];
  const event = (type: string, frame: number, at: number) => ({ type, frame, at });
  const events = [event('O', 0, 0), event('O', 1, 4), event('C', 1, 10), event('C', 0, 12)];
  const file = {
    shared: { frames },
    profiles: [{ type: 'evented', name: 'x', unit: 'bytes', events }],
    $schema: SCHEMA,
  };
  const { census } = await readBytes(JSON.stringify(file));
  expect(census.total).toBe(3);
  expect([...census.rows].map((_, i) => census.rows.sum(i, 0))).toEqual([6, 6]);
});

it('says what is wrong with a damaged file', async () => {
  await expect(readBytes(`{"$schema":"${SCHEMA}","shared":{"frames":[`)).rejects.toThrow('ends too early');
  await expect(readBytes(`{"$schema":"${SCHEMA}"}`)).rejects.toThrow('no frames or no profiles');
});
