// Holds the functions that records name (clauses, `through`, `never_under`, `searched_by`) against kernel sources.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeRecord } from '../src/atlas/subjects/tree-catalog.ts';
import { FOLDERS } from './call-graph.ts';
import { sourceFiles } from './kernel-source.ts';

/** Functions of kernels between 6.1 and 6.12, and those whose names macros put together. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  '__insert_generic_request',
  '__insert_linger',
  '__insert_linger_osdc',
  '__insert_pg_mapping',
  '__insert_request',
  '__mmap_new_vma',
  'drm_sched_rq_update_fifo',
  'lock_and_cleanup_extent_if_need',
]);

const CALLED = /\b([A-Za-z_]\w+)\s*\(/g;

/** Adds what stands before an opening bracket in a C text: functions, called or defined, and macros with arguments. */
export function addFunctionNames(text: string, names: Set<string>): void {
  for (const [, name] of text.matchAll(CALLED)) if (name !== undefined) names.add(name);
}

/** The names of functions in a source tree. */
export function functionNamesOf(root: string): Set<string> {
  const names = new Set<string>();
  for (const file of sourceFiles(root, FOLDERS)) addFunctionNames(readFileSync(join(root, file), 'latin1'), names);
  return names;
}

/** Functions that records name and no source has. Records that reach back before 6.1 may name older ones. */
export function functionProblems(catalog: readonly TreeRecord[], names: ReadonlySet<string>): string[] {
  const isKnown = (name: string): boolean => names.has(name) || ELSEWHERE.has(name) || name.startsWith('sys_');
  return catalog
    .filter(({ inserted_by }) => inserted_by.every(({ kernels }) => kernels.startsWith('6.')))
    .flatMap((tree) =>
      namedIn(tree)
        .filter((name) => !isKnown(name))
        .map((name) => `${tree.id}: no source has a function ${name}`),
    );
}

function namedIn({ decided, through = [], never_under = [], searched_by = [] }: TreeRecord): string[] {
  const deciding = typeof decided === 'object' ? Object.keys(decided).filter((key) => !/^[-\d]/.test(key)) : [];
  return [...deciding, ...through, ...never_under, ...searched_by];
}
