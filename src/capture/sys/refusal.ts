import { has } from './features.ts';
import { readLine } from './kernel.ts';
import { isCapable, lockdown, missingCapabilities } from './privileges.ts';

const ELSEWHERE = "; 'whocalls lab' counts in a virtual machine and needs no privilege";

/** The message without the hint at the lab. */
export function withoutHint(message: string): string {
  return message.replace(ELSEWHERE, '');
}

/** One line on why the kernel refused, and what to do instead. `what` was refused: `bpf map counts: EPERM`. */
export function explainRefusal(code: string, what: string): string {
  const missing = missingCapabilities();
  if (code === 'EPERM' || code === 'EACCES') {
    // Before 5.11 maps count against a limit that only CAP_SYS_RESOURCE may lift.
    if (what.startsWith('bpf map') && !has('charged maps') && (missing.length === 0 || isCapable('CAP_BPF')))
      return `the limit on locked memory is too low for the maps (ulimit -l; ${what})${ELSEWHERE}`;
    if (missing.length > 0) return `counting calls needs root (missing: ${missing.join(', ')}; ${what})${ELSEWHERE}`;
    return `the kernel forbids it here, as containers often do (${what})${ELSEWHERE}`;
  }
  if (code === 'EMFILE' || code === 'ENFILE')
    return `too many files are open (ulimit -n, ${what}): fewer targets need fewer`;
  if (code === 'ENOSYS') return `the kernel was built without it (${what})${ELSEWHERE}`;
  if (code === 'ENOMEM' || code === 'E2BIG')
    return `not enough memory for the maps (${what}): a smaller --max-stacks or --max-keys takes less`;
  return what;
}

/** Why a probe was refused for want of permission; `needs` says what is asked for where nothing else is in the way. */
export function whyNotPermitted(needs: string): string {
  if (lockdown() === 'confidentiality') return 'the kernel is locked down (confidentiality)';
  const paranoid = readLine('/proc/sys/kernel/perf_event_paranoid');
  // Above 2 is a distribution's own: nobody but CAP_SYS_ADMIN may open an event.
  if (Number(paranoid) > 2 && !isCapable('CAP_SYS_ADMIN'))
    return `kernel.perf_event_paranoid is ${paranoid}: that asks for CAP_SYS_ADMIN, 2 for CAP_PERFMON`;
  return missingCapabilities().length > 0 ? needs : 'the kernel forbids it here, as containers often do';
}

/** One line on why /proc/kallsyms shows no addresses, and what to do. */
export function explainHiddenAddresses(): string {
  const restrict = readLine('/proc/sys/kernel/kptr_restrict');
  if (restrict === '2') {
    return `kernel.kptr_restrict is 2, which hides the kernel's addresses from everybody; 1 shows them to root (sysctl kernel.kptr_restrict=1)${ELSEWHERE}`;
  }
  const missing = [...(isCapable('CAP_SYSLOG') ? [] : ['CAP_SYSLOG']), ...missingCapabilities()];
  if (missing.length > 0) {
    return `the kernel's addresses are hidden: counting calls needs root (missing: ${missing.join(', ')})${ELSEWHERE}`;
  }
  return `the kernel's addresses are hidden here, as in containers${ELSEWHERE}`;
}
