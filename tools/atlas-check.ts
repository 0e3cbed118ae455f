// Proves that atlas/trees/ knows every place where kernels 6.1 and 6.12 insert into a red-black tree, and that no
// gloss is shared by opposites.
// Usage: npm run atlas:check [-- --source 6.1=DIR …] [-- --write]
//   --source  also finds the sites of a source tree and compares them with the list, and the structures of roots and nodes
//   --write   writes what was found to the list
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCatalog, readTable, repository } from './atlas-catalog.ts';
import { checkCatalog } from './catalog-rules.ts';
import { sharedByOpposites } from './gloss-twins.ts';
import { insertSites } from './insert-sites.ts';
import { memberProblems, structuresOf } from './tree-members.ts';

const LIST = join(repository, 'atlas', 'insert-sites.tsv');
const COMPILED = join(repository, 'atlas', 'compiled-inserts.tsv');
const HEADING = `# Every place where a kernel inserts into a red-black tree, itself or with a helper that does so for its callers.
# Written by "npm run atlas:check -- --source 6.1=DIR --source 6.12=DIR --write" from kernel sources; do not edit.
kernel\tfile\tline\tfunction\tinsert
`;

const { values } = parseArgs({
  options: { source: { type: 'string', multiple: true, default: [] }, write: { type: 'boolean', default: false } },
});

const problems: string[] = [];
const catalog = readCatalog();
const helpers = catalog.filter((tree) => tree.general).flatMap((tree) => tree.inserted_by.map((by) => by.function));

compareSources(values.source, values.write);
const { problems: broken, facts } = checkCatalog(catalog, readTable(LIST), readTable(COMPILED));
for (const fact of facts) process.stdout.write(`${fact}\n`);
problems.push(...broken);
checkGlosses('glosses.tsv', 'function', 'gloss');
checkGlosses('syscalls.tsv', 'name', 'summary');

if (problems.length > 0) {
  process.stdout.write(`${problems.join('\n')}\natlas:check: ${problems.length} problems\n`);
  process.exitCode = 1;
}

/** Opposites never share a text. */
function checkGlosses(file: string, name: string, text: string): void {
  const described = readTable(join(repository, 'atlas', file)).map((row) => ({
    name: row[name] ?? '',
    text: row[text] ?? '',
  }));
  problems.push(...sharedByOpposites(described).map((problem) => `atlas/${file}: ${problem}`));
}

/** Compares the list of sites with source trees, or writes it from them. */
function compareSources(sources: readonly string[], write: boolean): void {
  const found: string[] = [];
  for (const argument of sources) {
    const [kernel = '', root = ''] = argument.split('=');
    const rows = insertSites(root, helpers).map(
      (site) => `${kernel}\t${site.file}\t${site.line}\t${site.function}\t${site.insert}`,
    );
    process.stdout.write(`${root}: ${rows.length} insert sites\n`);
    found.push(...rows);
    problems.push(...memberProblems(catalog, structuresOf(root), `${kernel}.0`));
    if (write) continue;
    const listed = new Set(
      readFileSync(LIST, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${kernel}\t`)),
    );
    for (const row of rows) if (!listed.delete(row)) problems.push(`not in the list of sites: ${row}`);
    for (const row of listed) problems.push(`in the list of sites, but not in the source: ${row}`);
  }
  if (write) writeFileSync(LIST, `${HEADING}${found.join('\n')}\n`);
}
