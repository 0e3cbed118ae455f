import { describe, expect, it } from 'vitest';
import { parseKeys } from '../targets/arguments.ts';
import { HistogramSession } from './histogram-session.ts';
import type { CapturePlan } from './plan.ts';

/** Refused before anything of the machine is looked at. */
function refusal(plan: Partial<CapturePlan>): string {
  const whole: CapturePlan = {
    targets: [{ kind: 'tracepoint', name: 'no:event', category: 'no', event: 'event' }],
    keys: parseKeys('comm'),
    arguments: [],
    filter: {},
    cgroups: [],
    kallsyms: null,
    walk: true,
    userStacks: false,
    maxStacks: 128,
    maxKeys: 128,
    needsSnapshots: false,
    ...plan,
  };
  try {
    HistogramSession.arm(whole).close();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the engine hist', () => {
  it.each([
    ['arg2', 'cannot do keys besides comm'],
    ['comm,pid', 'cannot do keys besides comm'],
    ['cpu', 'cannot do keys besides comm'],
  ])('refuses --keys %s', (keys, message) => {
    expect(refusal({ keys: parseKeys(keys) })).toContain(message);
  });

  it('refuses times, filters, user stacks and interim counts', () => {
    expect(refusal({ bucketMilliseconds: 100, needsTimes: true })).toBe(
      'the engine hist cannot do times (--time-buckets, --phases, --phase-regex)',
    );
    expect(refusal({ filter: { comms: ['a'], cgroup: '/' }, userStacks: true, needsSnapshots: true })).toBe(
      'the engine hist cannot do --user-stacks, --comm, --cgroup, --interval',
    );
  });

  it('leaves out times that nobody asked for', () => {
    expect(refusal({ bucketMilliseconds: 100 })).not.toContain('cannot do');
  });

  it('does not mind process names', () => {
    expect(refusal({ keys: parseKeys('comm') })).not.toContain('cannot do');
  });
});
