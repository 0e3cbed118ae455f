import { atlasTable } from './files.ts';

/** A row of `atlas/subsystems.tsv`. */
export interface Subsystem {
  /** Of paths in the kernel source: `kernel/sched/`. */
  readonly prefix: string;
  readonly label: string;
  readonly group: string;
}

let subsystems: Map<string, Subsystem> | undefined;
let longest = 0;

/** Our label for a file of the kernel source: that of the longest prefix in `atlas/subsystems.tsv`, else `Kernel`. */
export function subsystemOf(file: string): string {
  return find(file)?.label ?? 'Kernel';
}

/** The group of the subsystem of a file: `fs`, `scheduling`; `core` where no subsystem is known. */
export function subsystemGroupOf(file: string): string {
  return find(file)?.group ?? 'core';
}

function find(file: string): Subsystem | undefined {
  if (!subsystems) {
    subsystems = new Map();
    for (const subsystem of atlasTable<Subsystem[]>('subsystems')) {
      subsystems.set(subsystem.prefix, subsystem);
      longest = Math.max(longest, subsystem.prefix.length);
    }
  }
  for (let length = Math.min(longest, file.length); length > 0; length -= 1) {
    const subsystem = subsystems.get(file.slice(0, length));
    if (subsystem !== undefined) return subsystem;
  }
  return undefined;
}
