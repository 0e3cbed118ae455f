import { closeSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import type { CaptureFilter } from '../bpf/capture-filter.ts';
import type { UserSymbols } from '../symbols/user-symbols.ts';
import { isRunning } from '../sys/processes.ts';
import { openCgroup } from './cgroup.ts';
import { CommandCgroup } from './command-cgroup.ts';
import { LOOK_MILLISECONDS, MappingWatch } from './mapping-watch.ts';
import { type Stop, Stopper } from './run-end.ts';
import { type CommandOptions, WorkloadCommand } from './workload-command.ts';

/** COMMAND, and when the run ends. */
export interface RunOptions extends CommandOptions {
  /** COMMAND and its arguments; empty to watch the system as it is. */
  readonly command: readonly string[];
  /** Stop after so many seconds. */
  readonly durationSeconds?: number | undefined;
}

/** What goes on between the beginning and the end of a run. */
export interface Counting {
  /** When it began, in nanoseconds of the monotonic clock. */
  readonly startedAt: bigint;
  start(): void;
  stop(): void;
}

/** How counting came to its end, and how many mappings of processes the kernel had no room to tell of. */
export interface Counted extends Stop {
  readonly lostMappings: number;
}

/** The life of one run: COMMAND, held back until everything is armed, then let go with and waited for. */
export class Run {
  /** null where there is no COMMAND. */
  readonly #workload: WorkloadCommand | null;
  readonly #filter: CaptureFilter;
  readonly #stopper: Stopper;
  readonly #cleanups: (() => void)[];
  #watch: MappingWatch | undefined;

  /** @throws {Refused} COMMAND cannot be run */
  constructor(options: RunOptions, filter: CaptureFilter) {
    const workload = options.command.length > 0 ? new WorkloadCommand(options.command, options) : null;
    this.#workload = workload;
    this.#filter = filter;
    this.#stopper = new Stopper(options.durationSeconds, workload);
    this.#cleanups = [() => workload?.cancel(), () => workload?.leave()];
  }

  /** Has something done at the end, before what was asked for earlier. */
  beforeClose(step: () => void): void {
    this.#cleanups.unshift(step);
  }

  /** Descriptors of the cgroups that a call has to come from, COMMAND's own among them; COMMAND is in it then. */
  cgroups(): number[] {
    const { cgroup, onlyCommand } = this.#filter;
    const cgroups: number[] = [];
    if (cgroup !== undefined) {
      const descriptor = openCgroup(cgroup);
      this.#cleanups.push(() => closeSync(descriptor));
      cgroups.push(descriptor);
    }
    if (onlyCommand && this.#workload) {
      const own = new CommandCgroup();
      this.#cleanups.push(() => own.close());
      own.add(this.#workload.pid);
      cgroups.push(own.descriptor);
    }
    return cgroups;
  }

  /** Has something done every so often while counting goes on; a step that fails ends the run. */
  every(milliseconds: number, step: () => void): void {
    this.#stopper.every(milliseconds, step);
  }

  /** Has what processes map kept from now on, for the user part of stacks. */
  watchMappings(symbols: UserSymbols): void {
    const watch = new MappingWatch(symbols, this.#workload?.pid);
    this.#watch = watch;
    this.beforeClose(() => watch.close());
    this.every(LOOK_MILLISECONDS, () => watch.look());
  }

  /**
   * Lets COMMAND go and counts until it is time to stop.
   * @param onStarted called right before COMMAND is let go with
   */
  async count(counting: Counting, onStarted?: (startedAt: bigint) => void): Promise<Counted> {
    counting.start();
    onStarted?.(counting.startedAt);
    this.#workload?.release();
    const { pids } = this.#filter;
    if (pids && !this.#workload) {
      this.every(LOOK_MILLISECONDS, () => {
        if (pids.every((pid) => !isRunning(pid))) this.#stopper.end({ status: 0 });
      });
    }
    const stop = await this.#stopper.wait();
    counting.stop();
    const watch = this.#watch;
    try {
      watch?.close();
    } catch (error) {
      return { status: 1, problem: stop.problem ?? messageOf(error), lostMappings: watch?.lost ?? 0 };
    }
    return { ...stop, lostMappings: watch?.lost ?? 0 };
  }

  /** Gives COMMAND time to end; resolves with a line that says so where it has not. */
  settle(): Promise<string | null> {
    return this.#stopper.settle();
  }

  /** Ends what still runs and gives back what is held. */
  close(): void {
    this.#stopper.cancel();
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
  }
}
