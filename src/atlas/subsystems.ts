import { atlasTable } from './files.ts';

/** A row of `atlas/subsystems.tsv`. */
export interface Subsystem {
  /** Of paths in the kernel source: `kernel/sched/`. */
  readonly prefix: string;
  readonly label: string;
  readonly group: string;
}

let labels: Map<string, string> | undefined;
let longest = 0;

/** Our label for a file of the kernel source: that of the longest prefix in `atlas/subsystems.tsv`, else `Kernel`. */
export function subsystemOf(file: string): string {
  if (!labels) {
    labels = new Map();
    for (const { prefix, label } of atlasTable<Subsystem[]>('subsystems')) {
      labels.set(prefix, label);
      longest = Math.max(longest, prefix.length);
    }
  }
  for (let length = Math.min(longest, file.length); length > 0; length -= 1) {
    const label = labels.get(file.slice(0, length));
    if (label !== undefined) return label;
  }
  return 'Kernel';
}
