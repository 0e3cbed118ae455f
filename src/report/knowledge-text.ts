import { glossOf } from '../atlas/gloss.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { placesOf } from '../atlas/places.ts';
import { TreeFinder } from '../atlas/subjects/rbtree.ts';
import { insertSites, type TreeRecord, treeRecord, treeRecords } from '../atlas/subjects/tree-catalog.ts';
import { syscallSummary } from '../atlas/syscalls.ts';
import type { Versioned } from '../atlas/versions.ts';
import { normaliseSymbol } from '../census/symbol-name.ts';
import { wrap } from '../text/columns.ts';

/** A fact with its name; several lines where it differs from kernel to kernel, or lists things. */
export interface Fact {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Everything the atlas knows of a red-black tree. */
export function treeFacts(tree: TreeRecord): Fact[] {
  const facts: Fact[] = [
    { name: 'holds', lines: versions(tree.purpose) },
    { name: 'root', lines: versions(tree.root) },
    { name: 'nodes', lines: versions(tree.node) },
    { name: 'sorted by', lines: versions(tree.key) },
  ];
  const add = (name: string, lines: readonly string[]) => {
    if (lines.length > 0) facts.push({ name, lines });
  };
  add('usually', tree.nodes === undefined ? [] : [tree.nodes]);
  add('held while inserting', tree.lock === undefined ? [] : versions(tree.lock));
  add(
    'inserted by',
    tree.inserted_by.map((inserter) => {
      const lines = insertSites(inserter).map(({ kernel, line }) => `line ${line} in ${kernel}`);
      const where = lines.length > 0 ? `: ${[...new Set(lines)].join(', ')}` : '';
      return `${inserter.function} (${inserter.file}, Linux ${inserter.kernels})${where}`;
    }),
  );
  add('searched by', tree.searched_by ?? []);
  add('rotate callback', tree.rotate ?? []);
  add('what inserting means', decisions(tree));
  add('why a tree', tree.why === undefined ? [] : [tree.why]);
  add('other versions', tree.history === undefined ? [] : [tree.history]);
  return facts;
}

function versions(text: Versioned): string[] {
  if (typeof text === 'string') return [text];
  return Object.entries(text).map(([range, own]) => `${own} (${rangeText(range)})`);
}

/** `-6.8` is `Linux 6.8 and before`. */
function rangeText(range: string): string {
  const [first = '', last] = range.split('-');
  if (first === '') return `Linux ${last} and before`;
  if (last === '') return `Linux ${first} and later`;
  return `Linux ${range}`;
}

function decisions({ decided }: TreeRecord): string[] {
  if (decided === undefined) return [];
  if (typeof decided === 'string' || Object.keys(decided).every((key) => /^[-\d]/.test(key))) {
    return versions(decided as Versioned);
  }
  const byClause = new Map<string, string[]>();
  for (const [name, clause] of Object.entries(decided)) {
    for (const text of versions(clause)) byClause.set(text, [...(byClause.get(text) ?? []), name]);
  }
  return [...byClause].map(([clause, names]) => `${names.join(', ')}: ${clause}`);
}

/** Everything the atlas knows of a kernel function, whatever the form of its name; null where that is nothing. */
export function functionFacts(name: string): Fact[] | null {
  const normal = normaliseSymbol(name);
  const facts: Fact[] = [];
  const add = (what: string, lines: readonly string[]) => {
    if (lines.length > 0) facts.push({ name: what, lines });
  };
  const call = /^(?:compat_)?sys_(\w+)$/.exec(normal)?.[1];
  const summary = call === undefined ? null : syscallSummary(call);
  const gloss = glossOf(normal) ?? summary;
  add('it', gloss === null ? [] : [gloss]);
  add(
    'defined in',
    placesOf(normal, '').map(({ file, subsystem }) => `${file} (${subsystem})`),
  );
  const role = kernelKnowledge().role(normal);
  add(
    'entry',
    role?.entry ? [`paths through it start in: ${role.entry.name.replace('%f', 'the function it calls')}`] : [],
  );
  add('boundary', role?.boundary ? [`what lies further out was interrupted by this ${role.boundary}`] : []);
  add('pass-through', role?.helper ? ['it only passes calls on, and is never the site'] : []);
  add(
    'reporting',
    role?.reports ? [`it reports faults of the kernel (${role.reports.kind}), and is taken off their stacks`] : [],
  );
  add('recording', role?.instrumentation ? ['it belongs to the tools that record stacks, and is taken off them'] : []);
  add(
    'inserts into',
    new TreeFinder().treesAt(normal).map(({ name: tree, id }) => `the ${tree} (whocalls explain --tree ${id})`),
  );
  return facts.length > 0 ? facts : null;
}

/** Facts for a terminal: names in a column, lines wrapped beside them. */
export function factsText(heading: string, facts: readonly Fact[], width: number): string {
  const column = Math.max(...facts.map(({ name }) => name.length)) + 2;
  const lines = facts.flatMap(({ name, lines: own }) =>
    own.flatMap((line, i) => wrap(line, width, `  ${(i === 0 ? name : '').padEnd(column)}`, ' '.repeat(column + 4))),
  );
  return `${heading}\n${lines.join('\n')}\n`;
}

/** The trees whose id or name holds a word, for those who do not know the id. */
export function treesLike(word: string): readonly TreeRecord[] {
  const exact = treeRecord(word);
  if (exact) return [exact];
  const wanted = word.toLowerCase();
  return treeRecords().filter(({ id, name }) => id.includes(wanted) || name.toLowerCase().includes(wanted));
}
