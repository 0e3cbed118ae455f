import { describe, expect, it } from 'vitest';
import { askedKeys, parseKeys } from '../targets/arguments.ts';
import { HistCapture } from './hist-session.ts';
import type { CapturePlan } from './plan.ts';

/** Refused before anything of the machine is looked at. */
function refusal(plan: Partial<CapturePlan>): string {
  const whole: CapturePlan = {
    targets: [{ kind: 'tracepoint', name: 'no:event', category: 'no', event: 'event' }],
    keys: {},
    arguments: [],
    filter: {},
    cgroups: [],
    userStacks: false,
    maxStacks: 128,
    maxKeys: 128,
    ...plan,
  };
  try {
    HistCapture.arm(whole).close();
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
    expect(refusal({ keys: askedKeys(parseKeys(keys)) })).toContain(message);
  });

  it('refuses times, filters and stacks of programs', () => {
    expect(refusal({ keys: askedKeys(parseKeys('comm'), 100) })).toBe(
      'the engine hist cannot do times (--time-buckets, --phases, --phase-regex)',
    );
    expect(refusal({ filter: { comms: ['a'] }, userStacks: true })).toBe(
      'the engine hist cannot do --user-stacks, filters (--pid, --comm, --cpu)',
    );
  });

  it('does not mind process names', () => {
    expect(refusal({ keys: askedKeys(parseKeys('comm')) })).not.toContain('cannot do');
  });
});
