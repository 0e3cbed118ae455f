import { arch } from './arch.ts';
import { addressOf, allocate, systemCall } from './native.ts';

const O_CLOEXEC = 0x80000;

/** The descriptors of the two ends of a pipe. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/**
 * A pipe as shells make them; null where none can be had. Those of Node are sockets, which processes cannot open again
 * as /dev/stdout, and which break otherwise than by SIGPIPE.
 */
export function openPipe(): Pipe | null {
  try {
    const ends = allocate(8);
    systemCall({ call: 'pipe2' }, arch().syscalls.pipe2, addressOf(ends), O_CLOEXEC);
    return { read: ends.readInt32LE(0), write: ends.readInt32LE(4) };
  } catch {
    return null;
  }
}
