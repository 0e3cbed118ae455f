const TICK_MS = 1000;

/**
 * Notices that a guest's heartbeat, one a second, has stopped.
 * Silence is counted in ticks of this process rather than by the clock: as long as the host is suspended, the process
 * is stopped or does not get to run, it could not have heard anything either.
 */
export class Heartbeat {
  #silentTicks = 0;
  readonly #timer: NodeJS.Timeout;

  /** @param limit seconds of silence after which `silent` is called, every second until {@link stop} */
  constructor(limit: number, silent: () => void) {
    this.#timer = setInterval(() => {
      this.#silentTicks += 1;
      if (this.#silentTicks * TICK_MS >= limit * 1000) silent();
    }, TICK_MS);
  }

  beat(): void {
    this.#silentTicks = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
