import type { EventEmitter } from 'node:events';
import { messageOf } from '../../errors.ts';
import { getsTerminalSignals } from './foreground.ts';
import type { WorkloadCommand } from './workload-command.ts';

/** For COMMAND to end in once it was told to. */
const GRACE_MILLISECONDS = 5000;
/** The same after a second Ctrl-C: long enough to hear of an end that has already come. */
const AT_ONCE_MILLISECONDS = 200;

/** How counting came to its end. */
export interface Stop {
  /** What the process should end with. */
  readonly status: number;
  /** Why counting could not go on, where that is the reason. */
  readonly problem?: string;
  /** The signal by which a run with a COMMAND was interrupted. */
  readonly signal?: string;
}

/** Knows when a run is over: COMMAND has ended, the time is up, it is interrupted, or something fails on the way. */
export class Stopper {
  readonly #workload: WorkloadCommand | null;
  readonly #durationSeconds: number | undefined;
  readonly #signals: EventEmitter;
  readonly #stopped: Promise<Stop>;
  readonly #hurried: Promise<void>;
  #stop: (stop: Stop) => void = () => {};
  #hurry: () => void = () => {};
  #timers: NodeJS.Timeout[] = [];
  #interrupts = 0;
  #signal: string | undefined;
  #isOver = false;

  /** `signals` emits SIGINT, SIGTERM and SIGHUP. */
  constructor(durationSeconds: number | undefined, workload: WorkloadCommand | null, signals: EventEmitter = process) {
    this.#workload = workload;
    this.#durationSeconds = durationSeconds;
    this.#signals = signals;
    this.#stopped = new Promise((resolve) => {
      this.#stop = resolve;
    });
    this.#hurried = new Promise((resolve) => {
      this.#hurry = resolve;
    });
  }

  /** Does something every so often until the run is over; a step that fails ends it. */
  every(milliseconds: number, step: () => void): void {
    const guarded = () => {
      try {
        step();
      } catch (error) {
        this.end({ status: 1, problem: messageOf(error) });
      }
    };
    this.#timers.push(setInterval(guarded, milliseconds));
  }

  /** Ends the run, and tells COMMAND to end. */
  end(stop: Stop): void {
    this.#workload?.signal('SIGTERM');
    this.#stop(stop);
  }

  /** Resolves when counting is to stop. */
  async wait(): Promise<Stop> {
    this.#signals.on('SIGINT', this.#onInterrupt).on('SIGTERM', this.#onTerminate).on('SIGHUP', this.#onHangup);
    // Waiting for a signal keeps no process alive by itself.
    this.every(1 << 30, () => {});
    if (this.#durationSeconds !== undefined) {
      this.#timers.push(setTimeout(() => this.end({ status: 0 }), this.#durationSeconds * 1000));
    }
    try {
      const stop: Stop = await Promise.race([this.#stopped, ...(this.#workload ? [this.#workload.ended()] : [])]);
      // Without COMMAND a signal is how runs end.
      return this.#signal === undefined || !this.#workload ? stop : { ...stop, signal: this.#signal };
    } finally {
      this.#isOver = true;
      this.#clearTimers();
    }
  }

  /**
   * To be called when counting has stopped: COMMAND, if it was told to end, has some time to do so and is then left
   * alone. Resolves with a line that says so, null where it has ended.
   */
  async settle(graceMilliseconds = GRACE_MILLISECONDS): Promise<string | null> {
    try {
      const workload = this.#workload;
      if (!workload) return null;
      const ended = workload.ended().then(() => true);
      await Promise.race([ended, this.#hurried, this.#after(graceMilliseconds)]);
      if (await Promise.race([ended, this.#after(AT_ONCE_MILLISECONDS)])) return null;
      workload.leave();
      return `${workload.name} (process ${workload.pid}) did not end and is left running`;
    } finally {
      this.#clearTimers();
      this.#signals.off('SIGINT', this.#onInterrupt).off('SIGTERM', this.#onTerminate).off('SIGHUP', this.#onHangup);
    }
  }

  // Ctrl-C reaches COMMAND as well: it ends in its own way, and the report still comes. A second one waits no more.
  readonly #onInterrupt = () => {
    const workload = this.#workload;
    this.#interrupts++;
    this.#signal ??= 'SIGINT';
    if (workload && !getsTerminalSignals(workload.pid)) workload.signal('SIGINT');
    if (workload && this.#interrupts === 1 && !this.#isOver) return;
    this.#hurry();
    this.#stop({ status: workload ? 130 : 0 });
  };

  readonly #onTerminate = () => this.#terminate('SIGTERM', 143);
  /** The terminal is gone: what was counted may still go to a file. */
  readonly #onHangup = () => this.#terminate('SIGHUP', 129);

  #terminate(signal: string, status: number): void {
    this.#signal ??= signal;
    if (this.#isOver) this.#hurry();
    else this.end({ status });
  }

  /** Nothing is waited for any more. */
  cancel(): void {
    this.#clearTimers();
  }

  #after(milliseconds: number): Promise<false> {
    return new Promise((resolve) => {
      this.#timers.push(setTimeout(resolve, milliseconds, false));
    });
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }
}
