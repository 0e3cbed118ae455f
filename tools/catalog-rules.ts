// What must hold for the catalog of trees as a whole.

import { TreeFinder } from '../src/atlas/subjects/rbtree.ts';
import type { Inserter, TreeRecord } from '../src/atlas/subjects/tree-catalog.ts';
import type { PathView } from '../src/census/knowledge.ts';

/** A row of a TSV file. */
type Row = Record<string, string>;

/** What a check found out. */
export interface Findings {
  /** Each one breaks a rule. */
  readonly problems: string[];
  /** Figures worth printing. */
  readonly facts: string[];
}

/**
 * Checks the catalog against the insert sites of kernel sources (`atlas/insert-sites.tsv`) and against the inserts
 * in a kernel's machine code (`atlas/compiled-inserts.tsv`).
 */
export function checkCatalog(
  catalog: readonly TreeRecord[],
  sites: readonly Row[],
  compiled: readonly Row[],
): Findings {
  const findings: Findings = { problems: [], facts: [] };
  checkSites(catalog, sites, findings);
  checkDuplicates(catalog, sites, findings);
  checkCompiled(catalog, compiled, findings);
  return findings;
}

/** Every site belongs to a tree of its kernel, and every function of the catalog has a site in the kernels it names. */
function checkSites(catalog: readonly TreeRecord[], rows: readonly Row[], { problems, facts }: Findings): void {
  const kernels = [...new Set(rows.map((row) => row.kernel ?? ''))];
  const bySite = new Set(rows.map((row) => `${row.kernel} ${row.function} ${row.file}`));
  const known = new Set<string>();
  let older = 0;
  for (const { id, inserted_by } of catalog) {
    for (const by of inserted_by) {
      const inListed = kernels.filter((kernel) => isWithin(kernel, by.kernels));
      if (inListed.length === 0) older++;
      for (const kernel of inListed) {
        const key = `${kernel} ${by.function} ${by.file}`;
        known.add(key);
        if (!bySite.has(key)) problems.push(`${id}: ${by.function} (${by.file}) inserts nowhere in ${kernel}`);
      }
    }
  }
  let covered = 0;
  for (const row of rows) {
    if (known.has(`${row.kernel} ${row.function} ${row.file}`)) covered++;
    else problems.push(`no tree for ${row.function} (${row.file}:${row.line}) of ${row.kernel}`);
  }
  facts.push(
    `${covered} of ${rows.length} insert sites of ${kernels.join(' and ')} belong to one of ${catalog.length} trees; ` +
      `${older} functions of the catalog are of older kernels`,
  );
}

/** No id or name twice, and no function in more trees than it has sites. */
function checkDuplicates(catalog: readonly TreeRecord[], rows: readonly Row[], { problems }: Findings): void {
  const trees = new Map<string, TreeRecord[]>();
  for (const field of ['id', 'name'] as const) {
    const seen = new Set<string>();
    for (const tree of catalog) {
      if (seen.has(tree[field])) problems.push(`two trees have the ${field} "${tree[field]}"`);
      seen.add(tree[field]);
    }
  }
  for (const tree of catalog) {
    for (const by of tree.inserted_by) {
      const key = `${by.function} ${by.file}`;
      const list = trees.get(key) ?? [];
      if (list.includes(tree)) problems.push(`${tree.id}: ${key} stands twice`);
      trees.set(key, [...list, tree]);
    }
  }
  for (const [key, list] of trees) {
    const byKernel = new Map<string, number>();
    for (const row of rows) {
      if (`${row.function} ${row.file}` !== key) continue;
      byKernel.set(row.kernel ?? '', (byKernel.get(row.kernel ?? '') ?? 0) + 1);
    }
    const places = Math.max(1, ...byKernel.values());
    if (list.length > places) {
      problems.push(`${key} inserts into ${list.map((tree) => tree.id).join(', ')} but at ${places} places`);
    }
  }
}

/** Every symbol that holds an insert in the machine code of Debian 6.1 leads to its tree or trees. */
function checkCompiled(catalog: readonly TreeRecord[], compiled: readonly Row[], findings: Findings): void {
  const { problems, facts } = findings;
  const finder = new TreeFinder(catalog);
  const treesOfRow = treesByRow(catalog);
  const symbols = new Map<string, Row[]>();
  for (const row of compiled) {
    if (row.kernel !== '6.1') continue;
    const key = `${row.module}:${row.symbol}`;
    symbols.set(key, [...(symbols.get(key) ?? []), row]);
  }
  let one = 0;
  let general = 0;
  const several: string[] = [];
  for (const [key, rows] of symbols) {
    const expected = new Set(rows.flatMap(treesOfRow));
    if (expected.size === 0) problems.push(`${key}: no tree`);
    else if (expected.size === 1) one++;
    else several.push(`  ${key}: ${[...expected].map((tree) => tree.id).join(', ')}`);
    if ([...expected].some((tree) => tree.general)) general++;
    for (const row of rows) checkRow(finder, row, treesOfRow(row), expected.size === 1, problems);
  }
  facts.push(
    `${symbols.size} compiled symbols of Debian 6.1.0-56-amd64: ${one} lead to one tree ` +
      `(${general} of them helpers whose caller tells whose tree it is), ${several.length} to candidates:\n${several.join('\n')}`,
  );
}

/** The trees into which the function of a compiled insert inserts. */
function treesByRow(catalog: readonly TreeRecord[]): (row: Row) => TreeRecord[] {
  return (row) => {
    const isOwn = (by: Inserter): boolean => by.function === row.function && by.file === row.file;
    const trees = catalog.filter((tree) => tree.inserted_by.some(isOwn));
    const direct = trees.filter((tree) => tree.inserted_by.some((by) => isOwn(by) && by.through === undefined));
    return direct.length > 0 ? direct : trees;
  };
}

/** The finder admits the tree of a compiled insert, and is sure where there is but one. */
function checkRow(
  finder: TreeFinder,
  row: Row,
  trees: readonly TreeRecord[],
  isOnly: boolean,
  problems: string[],
): void {
  const frames = [{ name: (row.symbol ?? '').replace(/\..*/, ''), module: row.module ?? '' }];
  const path: PathView = {
    frames,
    site: 0,
    entry: { kind: 'unknown', name: '' },
    target: row.primitive ?? '',
    argument: '',
  };
  const { tree, candidates } = finder.find(path);
  const ids = trees.map((record) => record.id);
  const found = candidates.map((candidate) => candidate.id);
  if (!ids.some((id) => found.includes(id))) {
    problems.push(
      `${row.module}:${row.symbol} inserts into ${ids.join(', ')}, but the finder says ${found.join(', ') || 'nothing'}`,
    );
  } else if (isOnly && tree?.id !== ids[0]) {
    problems.push(
      `${row.module}:${row.symbol} inserts into ${ids[0]}, but the finder prefers ${tree?.id ?? 'nothing'}`,
    );
  }
}

function isWithin(kernel: string, range: string): boolean {
  const [first = '', last = first] = range.split('-');
  return number(kernel) >= number(first) && number(kernel) <= number(last);
}

function number(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1000 + minor;
}
