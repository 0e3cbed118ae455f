import { arch } from './arch.ts';
import { addressOf, allocate, trySystemCall } from './native.ts';

const RLIMIT_MEMLOCK = 8;

/**
 * Lifts the limit on locked memory, which BPF maps count against before Linux 5.11. Where that is refused, creating
 * the maps says so.
 */
export function raiseMemoryLock(): void {
  const unlimited = allocate(16);
  unlimited.fill(0xff);
  trySystemCall(arch().syscalls.prlimit64, 0, RLIMIT_MEMLOCK, addressOf(unlimited), 0);
}
