// Writes atlas/tree-callers.tsv: for every function of atlas/trees/ that inserts, the functions its insert may be
// compiled into. Usage: npx tsx tools/atlas-tree-callers.ts 6.1=SOURCE 6.12=SOURCE
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCatalog, repository } from './atlas-catalog.ts';
import { CallGraph } from './call-graph.ts';

const rows = new Map<string, string[]>();
for (const argument of process.argv.slice(2)) {
  const [kernel = '', root = ''] = argument.split('=');
  const graph = CallGraph.ofSource(root);
  for (const { function: name, file } of readCatalog().flatMap((tree) => (tree.general ? [] : tree.inserted_by))) {
    const steps = graph.framesOf(name, file);
    if (steps.length === 0) continue;
    const key = `${name}\t${file}\t${steps.map((step) => step.join(' ')).join(' | ')}`;
    const kernels = rows.get(key) ?? [];
    if (!kernels.includes(kernel)) rows.set(key, [...kernels, kernel]);
  }
}
const lines = [...rows].map(([key, kernels]) => {
  const [name, file, callers] = key.split('\t');
  return `${name}\t${file}\t${kernels.join(' ')}\t${callers}\n`;
});
writeFileSync(
  join(repository, 'atlas', 'tree-callers.tsv'),
  `# Functions in whose frame an insert may appear, by the function that makes it: callers that inline it or jump to it,
# then their callers behind "|", and so on. Written by tools/atlas-tree-callers.ts from kernel sources; do not edit.
function\tfile\tkernels\tcallers
${lines.sort().join('')}`,
);
