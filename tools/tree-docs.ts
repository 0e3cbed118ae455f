// Writes docs/trees/: a page for every red-black tree, and a list of them. `npm run check` compares (--check).
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { treeRecords } from '../src/atlas/subjects/tree-catalog.ts';
import { treeFacts } from '../src/report/knowledge-text.ts';
import { repository } from './atlas-catalog.ts';

const folder = join(repository, 'docs', 'trees');

/** The pages, by file name. */
function pages(): Map<string, string> {
  const trees = [...treeRecords()].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  const list = trees.map(({ id, name }) => `- [${name}](${id}.md)`).join('\n');
  const head = `Generated from \`atlas/trees/\` by \`npm run atlas:docs\`; do not edit.`;
  const made = new Map([
    [
      'README.md',
      `# The red-black trees of the kernel\n\n${head}\n\n${trees.length} trees in Linux 6.1, 6.12 and some older kernels.\n\n${list}\n`,
    ],
  ]);
  for (const tree of trees) {
    const facts = treeFacts(tree).map(({ name, lines }) =>
      lines.length === 1 ? `**${name}**: ${lines[0]}` : `**${name}**:\n${lines.map((line) => `- ${line}`).join('\n')}`,
    );
    made.set(`${tree.id}.md`, `# ${tree.name}\n\n${head}\n\n${facts.join('\n\n')}\n`);
  }
  return made;
}

const made = pages();
const there = existsSync(folder) ? readdirSync(folder) : [];
if (process.argv.includes('--check')) {
  const old = (name: string) => (there.includes(name) ? readFileSync(join(folder, name), 'utf8') : '');
  const stale = [...made].filter(([name, text]) => old(name) !== text).map(([name]) => name);
  const gone = there.filter((name) => !made.has(name));
  if (stale.length + gone.length > 0) {
    process.stderr.write(
      `docs/trees/ is not what atlas/trees/ says (${[...stale, ...gone].slice(0, 5).join(', ')} …): npm run atlas:docs\n`,
    );
    process.exitCode = 1;
  }
} else {
  mkdirSync(folder, { recursive: true });
  for (const name of there) if (!made.has(name)) rmSync(join(folder, name));
  for (const [name, text] of made) writeFileSync(join(folder, name), text);
  process.stdout.write(`${made.size} pages in docs/trees/\n`);
}
