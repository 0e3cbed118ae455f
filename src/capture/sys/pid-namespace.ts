import { readlinkSync, statSync } from 'node:fs';
import { Refused } from '../refusals/refused.ts';
import { has } from './features.ts';

const OWN = '/proc/self/ns/pid';
/** The kernel's number of the namespace that everything started in. */
const INITIAL = 4_026_531_836n;

/** A PID namespace other than the initial one, as `bpf_get_ns_current_pid_tgid` wants it. */
export interface PidNamespace {
  readonly device: bigint;
  readonly inode: bigint;
}

/** The number of the PID namespace of this process. */
export function pidNamespaceNumber(): bigint {
  try {
    return BigInt(/\d+/.exec(readlinkSync(OWN))?.[0] ?? INITIAL);
  } catch {
    return INITIAL;
  }
}

/** Whether processes have the numbers here that the kernel itself knows them by. */
export function isInitialPidNamespace(): boolean {
  return pidNamespaceNumber() === INITIAL;
}

/** Whether a process is in the PID namespace of this one, and not in one below. */
export function sharesPidNamespace(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync(OWN);
  } catch {
    return true; // gone, or not to be looked at
  }
}

/**
 * The namespace that numbers processes for this one, as in a container; undefined where it is the initial one, whose
 * numbers BPF programs are given anyway.
 * @throws {Refused} the kernel cannot tell BPF programs these numbers
 */
export function foreignPidNamespace(): PidNamespace | undefined {
  if (isInitialPidNamespace()) return undefined;
  if (!has('namespace pids')) {
    throw new Refused({ code: 'namespace-pids-unknown' });
  }
  return { device: kernelDevice(statSync(OWN, { bigint: true }).dev), inode: pidNamespaceNumber() };
}

/** A device number as the kernel keeps it, from what stat(2) makes of it. */
export function kernelDevice(device: bigint): bigint {
  const major = (device >> 8n) & 0xfffn;
  const minor = (device & 0xffn) | ((device >> 12n) & 0xfff00n);
  return (major << 20n) | minor;
}
