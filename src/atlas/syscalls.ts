import { atlasTable } from './files.ts';

/** A row of `atlas/syscalls.tsv`. */
export interface Syscall {
  /** The kernel function without `sys_`: `newstat`. */
  readonly name: string;
  /** What the manual calls it: `stat`. */
  readonly call: string;
  readonly summary: string;
}

let calls: Map<string, Syscall> | undefined;

function find(name: string): Syscall | undefined {
  if (!calls) {
    const rows = atlasTable<Syscall[]>('syscalls');
    // A kernel function of that very name comes before what merely is called so.
    calls = new Map([...rows.map((row) => [row.call, row] as const), ...rows.map((row) => [row.name, row] as const)]);
  }
  return calls.get(name);
}

/** What the manual calls the system call of a kernel function: `newstat` is `stat`. Unknown names are their own. */
export function manualName(name: string): string {
  return find(name)?.call ?? name;
}

/** What a system call does, in one line that continues "it …"; null for an unknown one. Takes the name alone: `write`. */
export function syscallSummary(name: string): string | null {
  return find(name)?.summary ?? null;
}
