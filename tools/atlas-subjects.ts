// Writes atlas/subject-sites.tsv: which function of the sources does something with a thing of atlas/subjects/.
// Usage: npx tsx tools/atlas-subjects.ts 6.1=SOURCE 6.12=SOURCE
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { KindRecord, SubjectRecord } from '../src/atlas/subjects/subject-catalog.ts';
import { readFolder, repository } from './atlas-catalog.ts';
import { subjectSites } from './subject-sites.ts';

const kinds = parse(readFileSync(join(repository, 'atlas', 'subject-kinds.yaml'), 'utf8')) as KindRecord[];
const records = readFolder<SubjectRecord>('subjects');

const rows = new Map<string, string[]>();
for (const argument of process.argv.slice(2)) {
  const [kernel = '', root = ''] = argument.split('=');
  for (const site of subjectSites(root, kinds, records)) {
    const things = `${listed(site.own)}\t${listed(site.inlined)}`;
    const key = `${site.function}\t${site.file}\t${site.operation}\t${things}`;
    rows.set(key, [...(rows.get(key) ?? []), kernel]);
  }
}
const lines = [...rows].map(([key, kernels]) => {
  const [name, file, ...rest] = key.split('\t');
  return [name, file, rangeOf(kernels), ...rest].join('\t');
});
writeFileSync(
  join(repository, 'atlas', 'subject-sites.tsv'),
  `# Functions that do something with a thing of atlas/subjects/: what they name themselves, and what functions name that
# may be compiled into them; "?" is a thing without a record. Written by tools/atlas-subjects.ts from kernel sources; do
# not edit.
function\tfile\tkernels\toperation\town\tinlined
${lines.sort().join('\n')}
`,
);
process.stdout.write(`${lines.length} rows in atlas/subject-sites.tsv\n`);

function listed(ids: ReadonlySet<string>): string {
  return ids.size === 0 ? '-' : [...ids].sort().join(' ');
}

/** What one of the two sources has counts up to the other. */
function rangeOf(kernels: readonly string[]): string {
  if (kernels.length > 1) return '6.1-6.12';
  return kernels[0] === '6.1' ? '6.1-6.11' : '6.2-6.12';
}
