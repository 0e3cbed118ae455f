// Finds every place of a kernel source tree where something is inserted into a red-black tree.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOLDERS } from './call-graph.ts';
import { parseFunctions, sourceFiles } from './kernel-source.ts';

/** A place where a function inserts, by itself or with a function that inserts on behalf of others. */
export interface InsertSite {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  /** What it calls. */
  readonly insert: string;
}

/** The library itself: its functions insert into the trees of their callers. */
const LIBRARY =
  /^(?:include\/linux\/rbtree\w*\.h|lib\/rbtree\.c|include\/linux\/ceph\/libceph\.h|include\/linux\/interval_tree_generic\.h)$/;

const INSERTS = [
  'rb_insert_color',
  'rb_insert_color_cached',
  'rb_add',
  'rb_add_cached',
  'rb_find_add',
  'rb_find_add_rcu',
  'latch_tree_insert',
  '__rb_insert_augmented',
  'rb_insert_augmented',
  'rb_insert_augmented_cached',
  'rb_add_augmented_cached',
  // bcache's macro around rb_insert_color.
  'RB_INSERT',
  // Exported by mm/interval_tree.c.
  'vma_interval_tree_insert',
  'vma_interval_tree_insert_after',
  'anon_vma_interval_tree_insert',
];

/** All sites of a source tree, in the order of its files. `helpers` insert into the trees of their callers. */
export function insertSites(root: string, helpers: readonly string[]): InsertSite[] {
  const everywhere = new Set([...INSERTS, ...helpers]);
  const sites: InsertSite[] = [];
  for (const file of sourceFiles(root, FOLDERS)) {
    if (LIBRARY.test(file)) continue;
    const text = readFileSync(join(root, file), 'latin1');
    if (!/rb_|RB_|_insert|timerqueue|INTERVAL_TREE|_link_va|vmap_area/.test(text)) continue;
    const functions = parseFunctions(text, file);
    // Macros generate insert functions that only their own file sees.
    const generated = functions
      .filter(({ calls }) => calls.length === 1 && calls[0]?.isGenerated)
      .map(({ name }) => name);
    for (const { name, calls } of functions) {
      for (const call of calls) {
        if (call.isGenerated && generated.includes(call.name)) continue;
        if (everywhere.has(call.name) || generated.includes(call.name)) {
          sites.push({ file, line: call.line, function: name, insert: call.name });
        }
      }
    }
  }
  return sites;
}
