import type { Note } from '../../census/message.ts';
import type { Engine } from '../engines/engine.ts';
import { ENGINES } from '../engines/engines.ts';
import { Refused } from '../refusals/refused.ts';
import { SystemCallError } from '../sys/native.ts';
import { BpfSession } from './bpf-session.ts';
import type { CountingSession } from './counting-session.ts';
import { HistogramSession } from './histogram-session.ts';
import type { CapturePlan } from './plan.ts';

/** How sessions of each backend are armed. */
const BACKENDS: Readonly<Record<Engine['backend'], (plan: CapturePlan) => CountingSession>> = {
  bpf: (plan) => BpfSession.arm(plan),
  histogram: (plan) => HistogramSession.arm(plan),
};

/** Errors of bpf(2) where it may not be used at all. */
const FORBIDDEN: readonly string[] = ['EPERM', 'EACCES', 'ENOSYS'];

/** A session whose targets are armed, and what there is to say about how it came to be. */
export interface ArmedSession {
  readonly session: CountingSession;
  readonly note?: Note;
}

/**
 * Arms every target of a plan, by the backend of the engine that was asked for. Where none was, histograms of the kernel
 * stand in where BPF is forbidden.
 * @throws {Refused} what was asked for cannot be counted; nothing is armed then
 */
export function armSession(plan: CapturePlan): ArmedSession {
  const wanted = ENGINES.find(({ name }) => name === plan.engine);
  if (wanted) return { session: BACKENDS[wanted.backend](plan) };
  try {
    return { session: BACKENDS.bpf(plan) };
  } catch (error) {
    const refused = error instanceof Refused && error.cause instanceof SystemCallError ? error.cause : null;
    if (refused?.call !== 'bpf' || !FORBIDDEN.includes(refused.errno)) throw error;
    try {
      return { session: BACKENDS.histogram(plan), note: { code: 'hist-stood-in', refusal: refused.message } };
    } catch {
      throw error; // what was refused first is what matters
    }
  }
}
