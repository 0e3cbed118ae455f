import { expect, test } from 'vitest';
import { glossOf } from './gloss.ts';
import { placeInPath } from './places.ts';
import { syscallSummary } from './syscalls.ts';

test('a function has a file and a subsystem', () => {
  expect(placeInPath([{ name: 'enqueue_task_fair', module: '' }], 0)).toEqual({
    file: 'kernel/sched/fair.c',
    subsystem: 'CPU scheduler (fair class)',
  });
});

test('a function of no kernel has no place, gloss or summary', () => {
  expect(placeInPath([{ name: 'no_such_function', module: '' }], 0)).toBeNull();
  expect(glossOf('no_such_function')).toBeNull();
  expect(syscallSummary('no_such_call')).toBeNull();
  expect(syscallSummary('write')).toMatch(/writes/);
  expect(glossOf('try_to_wake_up')).toMatch(/runnable/);
});
