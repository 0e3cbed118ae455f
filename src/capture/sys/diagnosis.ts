import type { EngineRefusal, MachineRefusal } from '../refusals/reasons.ts';
import { has } from './features.ts';
import { readLine } from './kernel.ts';
import type { SystemCallError } from './native.ts';
import { isCapable, lockdown, missingCapabilities } from './privileges.ts';

/** What is behind a system call that the kernel refused. */
export function whyRefused({ errno, object, message: what }: SystemCallError): MachineRefusal {
  const missing = missingCapabilities();
  switch (errno) {
    case 'EPERM':
    case 'EACCES':
      if (object === 'map' && !has('charged maps') && (missing.length === 0 || isCapable('CAP_BPF')))
        return { code: 'memory-lock-limit', what };
      return missing.length > 0 ? { code: 'not-root', missing, what } : { code: 'forbidden', what };
    case 'EMFILE':
    case 'ENFILE':
      return { code: 'too-many-files', what };
    case 'ENOSYS':
      return { code: 'not-built', what };
    case 'ENOMEM':
    case 'E2BIG':
      return { code: 'no-memory', what };
    default:
      return { code: 'system-call', what, errno };
  }
}

/**
 * What is behind EPERM for a probe.
 * @param probes what the probes are called
 * @param capabilities one of which they ask for where nothing else is in the way
 */
export function whyNotPermitted(probes: string, ...capabilities: readonly string[]): EngineRefusal {
  if (lockdown() === 'confidentiality') return { code: 'locked-down' };
  const value = readLine('/proc/sys/kernel/perf_event_paranoid');
  // Above 2 is a distribution's own: nobody but CAP_SYS_ADMIN may open an event.
  if (value !== null && Number(value) > 2 && !isCapable('CAP_SYS_ADMIN')) return { code: 'paranoid', value };
  return missingCapabilities().length > 0
    ? { code: 'lacks-capability', probes, capabilities }
    : { code: 'forbidden-here' };
}

/** Why /proc/kallsyms shows no addresses. */
export function whyHidden(): MachineRefusal {
  return {
    code: 'addresses-hidden',
    restrict: readLine('/proc/sys/kernel/kptr_restrict') ?? '',
    missing: [...(isCapable('CAP_SYSLOG') ? [] : ['CAP_SYSLOG']), ...missingCapabilities()],
  };
}
