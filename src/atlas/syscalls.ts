import { atlasTable } from './files.ts';

let summaries: Map<string, string> | undefined;

/** What a system call does, in one line that continues "it …"; null for an unknown one. Takes the name alone: `write`. */
export function syscallSummary(name: string): string | null {
  summaries ??= new Map(
    atlasTable<{ name: string; summary: string }[]>('syscalls').map((row) => [row.name, row.summary]),
  );
  return summaries.get(name) ?? null;
}
