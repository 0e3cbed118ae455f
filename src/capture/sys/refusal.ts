import { readFileSync } from 'node:fs';
import { readLine } from './kernel.ts';

/** CAP_SYS_ADMIN, CAP_PERFMON and CAP_BPF as bits of CapEff (include/uapi/linux/capability.h). */
const CAPABILITIES: Readonly<Record<string, bigint>> = {
  CAP_SYS_ADMIN: 1n << 21n,
  CAP_PERFMON: 1n << 38n,
  CAP_BPF: 1n << 39n,
};

/** Capabilities that counting needs and this process lacks. CAP_SYS_ADMIN stands for the other two. */
export function missingCapabilities(): string[] {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const bits = BigInt(`0x${effective}`);
  if ((bits & (CAPABILITIES.CAP_SYS_ADMIN ?? 0n)) !== 0n) return [];
  return Object.entries(CAPABILITIES)
    .filter(([, bit]) => (bits & bit) === 0n)
    .map(([name]) => name);
}

/** The kernel's lockdown mode: `none`, `integrity`, `confidentiality`; null where there is none. */
export function lockdown(): string | null {
  return /\[(\w+)\]/.exec(readLine('/sys/kernel/security/lockdown') ?? '')?.[1] ?? null;
}

/** One line on why the kernel refused, and what to do instead. */
export function explainRefusal(code: string, what: string): string {
  const elsewhere = "'whocalls lab' counts in a virtual machine and needs no privilege";
  const missing = missingCapabilities();
  if (code === 'EPERM' || code === 'EACCES') {
    if (missing.length > 0) return `${what}: counting calls needs root (missing: ${missing.join(', ')}); ${elsewhere}`;
    if (lockdown() === 'confidentiality') return `${what}: the kernel is locked down (confidentiality); ${elsewhere}`;
    return `${what}: the kernel forbids it here, as containers often do; ${elsewhere}`;
  }
  if (code === 'ENOSYS') return `${what}: the kernel was built without it; ${elsewhere}`;
  if (code === 'ENOMEM' || code === 'E2BIG')
    return `${what}: not enough memory for the maps; try a smaller --max-stacks`;
  return `${what}: ${code}`;
}
