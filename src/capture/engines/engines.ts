import { breakpointEngine } from './breakpoint.ts';
import type { BpfEngine, Engine } from './engine.ts';
import { histEngine } from './hist.ts';
import { kprobeEngine } from './kprobe.ts';
import { tracepointEngine } from './tracepoint.ts';
import { uprobeEngine } from './uprobe.ts';

/** Every engine; of those that fit a target the first is tried first: the cheaper. */
export const ENGINES = [
  kprobeEngine,
  breakpointEngine,
  tracepointEngine,
  uprobeEngine,
  histEngine,
] as const satisfies readonly Engine[];

export type EngineName = (typeof ENGINES)[number]['name'];

/** Names of all engines, as `--engine` takes them. */
export const ENGINE_NAMES: readonly EngineName[] = ENGINES.map(({ name }) => name);

/** The engines that run BPF programs. */
export const BPF_ENGINES: readonly BpfEngine[] = ENGINES.filter((engine) => engine.backend === 'bpf');
