// Holds what records say of nodes and roots against the structures of a kernel source:
// `struct bfq_queue (pos_node)`, `bfq_group->rq_pos_tree`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeRecord } from '../src/atlas/subjects/tree-catalog.ts';
import { isInRange, textFor } from '../src/atlas/versions.ts';
import { FOLDERS } from './call-graph.ts';
import { sourceFiles } from './kernel-source.ts';

/** Bodies of structures by name; a name may stand for several. */
export type Structures = ReadonlyMap<string, readonly string[]>;

const STRUCTURE = /\b(?:struct|union)\s+(\w+)\s*\{/g;

/** The structures of a source tree. */
export function structuresOf(root: string): Structures {
  const structures = new Map<string, string[]>();
  for (const file of sourceFiles(root, FOLDERS)) addStructures(readFileSync(join(root, file), 'latin1'), structures);
  return structures;
}

/** The structures of a C text, nested ones too. */
export function addStructures(text: string, structures: Map<string, string[]>): void {
  for (const match of text.matchAll(STRUCTURE)) {
    const body = bodyAt(text, match.index + match[0].length);
    const name = match[1] ?? '';
    structures.set(name, [...(structures.get(name) ?? []), body]);
  }
}

/** What records say of a kernel, release `6.12.0`, that its structures do not bear out. */
export function memberProblems(catalog: readonly TreeRecord[], structures: Structures, release: string): string[] {
  const problems: string[] = [];
  for (const { id, root, node, inserted_by } of catalog) {
    if (!inserted_by.some(({ kernels }) => isInRange(release, kernels))) continue;
    const [, type = '', linked = ''] = /^struct (\w+) \((\w[\w.]*)/.exec(textFor(node, release)) ?? [];
    const [, owner = '', member = ''] = /^(\w+)->(\w+)/.exec(textFor(root, release)) ?? [];
    if (type !== '' && !has(structures, type, linked.split('.')[0] ?? '')) {
      problems.push(`${id}: no struct ${type} with ${linked} in ${release}`);
    }
    // The owner may be a variable, as in `net->nexthop.rb_root`.
    if (owner !== '' && structures.has(owner) && !has(structures, owner, member)) {
      problems.push(`${id}: no ${member} in struct ${owner} of ${release}`);
    } else if (owner.includes('_') && !structures.has(owner)) {
      problems.push(`${id}: no struct ${owner} in ${release}`);
    }
  }
  return problems;
}

function has(structures: Structures, name: string, member: string): boolean {
  const word = new RegExp(`\\b${member}\\b`);
  return structures.get(name)?.some((body) => word.test(body)) ?? false;
}

/** The text up to the brace that closes what was opened before `start`. */
function bodyAt(text: string, start: number): string {
  let depth = 1;
  let at = start;
  for (; at < text.length && depth > 0; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}') depth--;
  }
  return text.slice(start, at - 1);
}
