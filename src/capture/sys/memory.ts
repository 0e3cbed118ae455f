import { arch } from './arch.ts';
import { memoryAt, systemCall, trySystemCall } from './native.ts';

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** Memory of an object of the kernel, which this process reads and writes without asking. */
export class SharedMemory {
  /** Not to be touched once it is unmapped. */
  readonly bytes: Buffer;
  readonly #address: number;

  /** @throws {SystemCallError} where the kernel refuses to map so many bytes of the descriptor's object */
  constructor(descriptor: number, bytes: number) {
    this.#address = systemCall(
      { call: 'mmap' },
      arch().syscalls.mmap,
      0,
      bytes,
      PROT_READ_WRITE,
      MAP_SHARED,
      descriptor,
      0,
    );
    this.bytes = memoryAt(this.#address, bytes);
  }

  unmap(): void {
    trySystemCall(arch().syscalls.munmap, this.#address, this.bytes.length);
  }
}
