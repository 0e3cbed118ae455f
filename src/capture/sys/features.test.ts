import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decide, FEATURES, type Feature, kernelAtLeast } from './features.ts';
import { SystemCallError } from './native.ts';

const feature = (probe: Feature['probe']): Feature => ({ since: '6.7', brings: '', probe });

describe('features of the kernel', () => {
  it('are what a probe finds, whatever the version says', () => {
    expect(
      decide(
        feature(() => true),
        '5.14.0-362.el9',
      ),
    ).toBe(true);
    expect(
      decide(
        feature(() => false),
        '6.12.0',
      ),
    ).toBe(false);
  });

  it('are what the version says where nothing can be tried', () => {
    const refused = () => {
      throw new SystemCallError({ call: 'bpf', object: 'map' }, 'EPERM');
    };
    for (const probe of [() => null, refused]) {
      expect([decide(feature(probe), '6.6.9'), decide(feature(probe), '6.7.0')]).toEqual([false, true]);
    }
  });

  it('stand in the documentation with the version that brought them', () => {
    const documentation = readFileSync(new URL('../../../docs/how-it-counts.md', import.meta.url), 'utf8');
    for (const { since, brings } of Object.values(FEATURES)) {
      expect(documentation).toContain(`| ${since} | ${brings} |`);
    }
  });
});

describe('versions of the kernel', () => {
  it.each([
    ['6.12.117+deb12-amd64', 6, 7, true],
    ['6.1.0-56-amd64', 6, 7, false],
    ['5.15.0', 5, 15, true],
    ['10.0.1', 6, 7, true],
    ['nonsense', 5, 4, false],
  ])('are compared by number: %s', (release, major, minor, expected) => {
    expect(kernelAtLeast(major, minor, release)).toBe(expected);
  });
});
