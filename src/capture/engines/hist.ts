import type { Engine } from './engine.ts';

/** Histograms of tracefs: what src/capture/session/histogram-session.ts counts by. */
export const histEngine = {
  name: 'hist',
  backend: 'histogram',
  summary: {
    targets: 'kernel functions that take kprobes, and tracepoints',
    how: "the kernel's own histograms, through files of tracefs, without BPF",
    limits: "16 frames; no filters, no times, no key but the task's name",
  },
  trial: { on: 'traceable function', brings: 'without BPF; 16 frames of a stack' },
  hasSlots: false,
  fits: (target) => target.kind !== 'user',
} as const satisfies Engine;
