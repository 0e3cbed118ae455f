import { expect, it, vi } from 'vitest';
import { whyNotPermitted, whyRefused } from './diagnosis.ts';
import { SystemCallError } from './native.ts';

/** What this process may do, and what the kernel says of itself. */
const state = vi.hoisted(() => ({ missing: [] as string[], lockdown: null as string | null, lines: {} as object }));

vi.mock('./privileges.ts', () => ({
  missingCapabilities: () => state.missing,
  isCapable: (capability: string) => !state.missing.includes(capability),
  lockdown: () => state.lockdown,
}));
vi.mock('./kernel.ts', () => ({
  readLine: (path: string) => (state.lines as Record<string, string>)[path] ?? null,
}));
vi.mock('./features.ts', () => ({ has: () => false }));

const ROOT = { missing: [], lockdown: null, lines: {} };

it.each([
  [ROOT, 'map', 'EPERM', 'memory-lock-limit'],
  [ROOT, 'program', 'EPERM', 'forbidden'],
  [{ ...ROOT, missing: ['CAP_SYS_ADMIN', 'CAP_BPF'] }, 'map', 'EPERM', 'not-root'],
  [{ ...ROOT, missing: ['CAP_PERFMON'] }, 'program', 'EACCES', 'not-root'],
  [ROOT, 'map', 'ENOSYS', 'not-built'],
  [ROOT, 'map', 'ENOMEM', 'no-memory'],
  [ROOT, 'link', 'EMFILE', 'too-many-files'],
  [ROOT, 'link', 'EIO', 'system-call'],
])('%j: a %s refused with %s is %s', (process, object, errno, code) => {
  Object.assign(state, process);
  expect(whyRefused(new SystemCallError({ call: 'bpf', object }, errno)).code).toBe(code);
});

it.each([
  [{ ...ROOT, lockdown: 'confidentiality' }, 'locked-down'],
  [{ ...ROOT, missing: ['CAP_SYS_ADMIN'], lines: { '/proc/sys/kernel/perf_event_paranoid': '3' } }, 'paranoid'],
  [{ ...ROOT, missing: ['CAP_SYS_ADMIN'] }, 'lacks-capability'],
  [ROOT, 'forbidden-here'],
])('%j: a probe that is not permitted is %s', (process, code) => {
  Object.assign(state, process);
  expect(whyNotPermitted('kprobes', 'CAP_PERFMON').code).toBe(code);
});
