// Proves that atlas/trees/ knows every place where kernels 6.1 and 6.12 insert into a red-black tree, and that no
// gloss is shared by opposites.
// Usage: npm run atlas:check [-- --source 6.1=DIR …] [--write] [--image 6.12=VMLINUZ,MODULES …]
//   --source  also finds the sites of a source tree and compares them with the list, the structures of roots and nodes,
//             and the functions that records name
//   --write   writes what was found to the list
//   --image   compares atlas/compiled-inserts.tsv with the machine code of a kernel: 6.12=VMLINUZ,MODULES
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCatalog, readTable, repository } from './atlas-catalog.ts';
import { checkCatalog } from './catalog-rules.ts';
import { sharedByOpposites } from './gloss-twins.ts';
import { insertingSymbols, insertKey } from './image-inserts.ts';
import { insertSites } from './insert-sites.ts';
import { functionNamesOf, functionProblems } from './tree-functions.ts';
import { memberProblems, structuresOf } from './tree-members.ts';

const LIST = join(repository, 'atlas', 'insert-sites.tsv');
const COMPILED = join(repository, 'atlas', 'compiled-inserts.tsv');
const HEADING = `# Every place where a kernel inserts into a red-black tree, itself or with a helper that does so for its callers.
# Written by "npm run atlas:check -- --source 6.1=DIR --source 6.12=DIR --write" from kernel sources; do not edit.
kernel\tfile\tline\tfunction\tinsert
`;

const { values } = parseArgs({
  options: {
    source: { type: 'string', multiple: true, default: [] },
    image: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: false },
  },
});

const problems: string[] = [];
const catalog = readCatalog();
const helpers = catalog.filter((tree) => tree.general).flatMap((tree) => tree.inserted_by.map((by) => by.function));

compareSources(values.source, values.write);
for (const argument of values.image) await compareImage(argument);
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
  const functions = new Set<string>();
  for (const argument of sources) {
    const [kernel = '', root = ''] = argument.split('=');
    const rows = insertSites(root, helpers).map(
      (site) => `${kernel}\t${site.file}\t${site.line}\t${site.function}\t${site.insert}`,
    );
    process.stdout.write(`${root}: ${rows.length} insert sites\n`);
    found.push(...rows);
    problems.push(...memberProblems(catalog, structuresOf(root), `${kernel}.0`));
    for (const name of functionNamesOf(root)) functions.add(name);
    if (write) continue;
    const listed = new Set(
      readFileSync(LIST, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(`${kernel}\t`)),
    );
    for (const row of rows) if (!listed.delete(row)) problems.push(`not in the list of sites: ${row}`);
    for (const row of listed) problems.push(`in the list of sites, but not in the source: ${row}`);
  }
  // A function may be in one of the kernels only.
  if (sources.length > 1) problems.push(...functionProblems(catalog, functions));
  if (write) writeFileSync(LIST, `${HEADING}${found.join('\n')}\n`);
}

/** Compares the list of symbols that insert with the machine code of a kernel. */
async function compareImage(argument: string): Promise<void> {
  const [kernel = '', files = ''] = argument.split('=');
  const [image = '', modules = ''] = files.split(',');
  const found = new Set((await insertingSymbols(image, modules)).map(insertKey));
  const listed = new Set(
    readTable(COMPILED)
      .filter((row) => row.kernel === kernel)
      .map(({ module = '', symbol = '', primitive = '', insn }) =>
        insertKey({ module, symbol, primitive, insn: insn === 'jump' ? 'jump' : 'call' }),
      ),
  );
  process.stdout.write(`${image}: ${found.size} symbols that insert, ${listed.size} listed for ${kernel}\n`);
  for (const one of found) if (!listed.has(one)) problems.push(`not in compiled-inserts.tsv of ${kernel}: ${one}`);
  for (const one of listed) if (!found.has(one)) problems.push(`in compiled-inserts.tsv, but not in ${kernel}: ${one}`);
}
