import { atlasTable } from './files.ts';

/** A row of `atlas/tracepoints.tsv`. */
export interface TracepointSystem {
  /** The folder of tracefs' `events/` in which they are. */
  readonly system: string;
  /** Their names, with blanks between. */
  readonly events: string;
}

let systems: Map<string, string> | undefined;

/**
 * The system of a tracepoint, which traces do not print: of `softirq_raise` it is `irq`. Undefined where no kernel the
 * atlas was made from has the event, or several have it in several systems.
 */
export function systemOfTracepoint(event: string): string | undefined {
  if (!systems) {
    systems = new Map();
    for (const { system, events } of atlasTable<TracepointSystem[]>('tracepoints')) {
      for (const name of events.split(' ')) systems.set(name, system);
    }
  }
  return systems.get(event) ?? (/^sys_(?:enter|exit)_/.test(event) ? 'syscalls' : undefined);
}
