import type { Readable, Writable } from 'node:stream';
import type { Accelerator } from './accelerator.ts';

/** Signals that COMMAND can be sent. */
export type SignalName = 'INT' | 'TERM' | 'HUP' | 'QUIT';

/** Where COMMAND's streams go. Without stdout or stderr they are collected in the result; without stdin it is empty. */
export interface LabStreams {
  readonly stdin?: Readable | undefined;
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
  /** Gets the guest's console as it comes. */
  readonly console?: Writable | undefined;
  /** Told what the lab is doing, for a progress line. */
  readonly onPhase?: ((phase: 'booting' | 'running' | 'done', accelerator: Accelerator) => void) | undefined;
  /** Called with a way to send signals to COMMAND's process group, as soon as it runs. */
  readonly onRunning?: ((guest: { signal: (name: SignalName) => void }) => void) | undefined;
  /** Switches the machine off. */
  readonly abort?: AbortSignal | undefined;
}
