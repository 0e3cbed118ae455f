import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

/** More than what a pipe, or a pair of sockets in its place, holds on Linux unless it was made larger. */
const PIPE_CAPACITY = 512 * 1024;

/** COMMAND's standard output, read along and passed through unchanged, no faster than it is taken. */
export class WorkloadOutput {
  readonly #from: Socket;
  #bytes = 0;

  /**
   * Where `to` breaks, because the reader has gone (`| head`), COMMAND's output is closed: it learns of it by SIGPIPE
   * at its next write, as if it had written there itself.
   */
  constructor(from: Socket, to: Writable, onOutput: (chunk: Buffer) => void) {
    this.#from = from;
    from.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      onOutput(chunk);
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => from.resume());
    });
    to.once('error', () => from.destroy());
  }

  /** Lets this process end while processes could still print. */
  unref(): void {
    this.#from.unref();
  }

  /**
   * To be called when COMMAND has ended; resolves when what it had printed is read. What it left running in the
   * background may print on, and is not waited for: it loses its output when this process ends.
   */
  async rest(): Promise<void> {
    const from = this.#from;
    const most = this.#bytes + PIPE_CAPACITY;
    while (!from.readableEnded && !from.destroyed && this.#bytes < most) {
      if (from.isPaused()) {
        await Promise.race([once(from, 'resume'), once(from, 'close')]);
        continue;
      }
      const before = this.#bytes;
      // What there is to read is read between the two.
      await turn();
      await turn();
      if (this.#bytes === before && !from.isPaused()) return;
    }
  }
}
