import { expect, test } from 'vitest';
import type { Refusal } from './reasons.ts';
import { isRefused, Refused } from './refused.ts';

const NO_SLOT: Refusal = {
  code: 'cannot-count',
  target: 'rb_next',
  kind: 'function',
  engine: '',
  tried: [
    { engine: 'kprobe', refusal: { code: 'not-traceable' } },
    { engine: 'breakpoint', refusal: { code: 'no-slot' } },
  ],
  fitting: ['rb_erase', 'rb_first'],
};

test('says of each engine why it cannot count, and what there is room for', () => {
  expect(new Refused(NO_SLOT).message).toBe(
    'rb_next cannot be counted: kprobe: the kernel refuses kprobes on a function compiled without tracing; ' +
      'breakpoint: the processor has no breakpoint left (others of this run or another debugger hold them); ' +
      'there is room for rb_erase, rb_first',
  );
  expect(new Refused({ ...NO_SLOT, engine: 'uprobe', tried: [], fitting: [] }).message).toBe(
    'rb_next cannot be counted: the engine uprobe is not for kernel functions',
  );
});

test('hints at the virtual machine only where that helps, apart from the message', () => {
  const what = 'bpf map whocalls_counts: EPERM';
  const notRoot = new Refused({ code: 'not-root', missing: ['CAP_BPF'], what });
  expect(notRoot.message).toBe(`counting calls needs root (missing: CAP_BPF; ${what})`);
  expect(notRoot.hint).toContain('whocalls lab');
  expect(new Refused(NO_SLOT).hint).toBeUndefined();
  const noKprobes = { code: 'no-event-source', source: 'kprobe', option: 'CONFIG_KPROBE_EVENTS' } as const;
  const tried = [{ engine: 'kprobe', refusal: noKprobes }];
  expect(new Refused({ ...NO_SLOT, tried }).hint).toContain('whocalls lab');
});

test('ends as a shell would where COMMAND cannot be run', () => {
  const statusOf = (refusal: Refusal) => new Refused(refusal).exitStatus;
  expect(statusOf({ code: 'no-command', command: 'x', isBuiltin: false })).toBe(127);
  expect(statusOf({ code: 'not-executable', command: 'x' })).toBe(126);
  expect(statusOf(NO_SLOT)).toBe(1);
});

test('is known by its code', () => {
  const error: unknown = new Refused(NO_SLOT);
  expect(isRefused(error, 'cannot-count') && error.refusal.tried[1]?.refusal.code).toBe('no-slot');
  expect(isRefused(error, 'no-function')).toBe(false);
  expect(isRefused(new Error('no breakpoint left'), 'cannot-count')).toBe(false);
});
