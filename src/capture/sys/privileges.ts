import { readFileSync } from 'node:fs';
import { readLine } from './kernel.ts';

/** Capabilities as bits of CapEff (include/uapi/linux/capability.h). */
const CAPABILITIES = { CAP_SYS_ADMIN: 21n, CAP_SYSLOG: 34n, CAP_PERFMON: 38n, CAP_BPF: 39n } as const;
type Capability = keyof typeof CAPABILITIES;

/** Whether this process has a capability. */
export function isCapable(capability: Capability): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> CAPABILITIES[capability]) & 1n) === 1n;
}

/** Capabilities that counting needs and this process lacks. CAP_SYS_ADMIN stands for the other two. */
export function missingCapabilities(): string[] {
  const needed = ['CAP_SYS_ADMIN', 'CAP_PERFMON', 'CAP_BPF'] as const;
  return isCapable('CAP_SYS_ADMIN') ? [] : needed.filter((capability) => !isCapable(capability));
}

/** The kernel's lockdown mode: `none`, `integrity`, `confidentiality`; null where there is none. */
export function lockdown(): string | null {
  return /\[(\w+)\]/.exec(readLine('/sys/kernel/security/lockdown') ?? '')?.[1] ?? null;
}
