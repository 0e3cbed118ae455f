// Finds regular expressions whose time can grow with the square of what they read, or worse: nested quantifiers, and
// neighbours that can take each other's characters. Those in the sources, and those that modules make when they are
// loaded. Part of `npm run check`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { analyse } from 'scslre';
import { expressionsIn } from './regular-expressions.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Expressions that may stay, by file and beginning, and why: they read nothing long that somebody else made. */
const MAY_STAY: readonly (readonly [file: string, beginning: string, why: string])[] = [
  ['census/condition.ts', '', "a word of the user's own command line"],
  ['census/where.ts', '\\s(and|or)', "a word of the user's own command line"],
  ['capture/targets/name-pattern.ts', '\\[', "a word of the user's own command line"],
  ['image/kernel-image.ts', '^(\\d+\\.\\d+', '200 characters at most'],
  ['lab/kernels.ts', '^linux-image', 'names of packages'],
  ['lab/console.ts', '', 'LONGEST_LINE characters at most'],
  ['capture/session/hist-text.ts', '^\\s*(\\S+)', "a file of the machine's own kernel"],
  ['capture/symbols/user-symbols.ts', '^([0-9a-f]+)', "a file of the machine's own kernel"],
  ['formats/ftrace/grammar.ts', '^\\s*(\\S.*?)\\s+', 'LONGEST_HEAD characters at most'],
  ['formats/kernel-log/line.ts', '(?:', 'parts of an expression that begins with ^, which is looked at as a whole'],
];

const problems: string[] = [];
const used = new Set<unknown>();
let count = 0;

function look(file: string, line: number, source: string, flags: string): void {
  count += 1;
  const exemption = MAY_STAY.find(([where, beginning]) => file === where && source.startsWith(beginning));
  const reports = analysed(source, flags);
  if (reports.length === 0) return;
  if (exemption) used.add(exemption);
  else
    problems.push(`src/${file}${line > 0 ? `:${line}` : ''}: ${reports.join(', ')}: /${source.slice(0, 100)}/${flags}`);
}

function analysed(source: string, flags: string): string[] {
  return analyse({ source, flags }).reports.map(({ type, exponential }) =>
    exponential ? 'exponential' : type === 'Move' ? 'begins anew everywhere' : 'parts that trade characters',
  );
}

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.includes('.test.'),
);
for (const file of sources) {
  for (const { source, flags, line } of expressionsIn(readFileSync(join(root, 'src', file), 'utf8'))) {
    look(file, line, source, flags);
  }
}

const made = new Map<string, string>();
const Original = RegExp;
globalThis.RegExp = new Proxy(Original, {
  construct(target, [pattern, flags]: [string | RegExp, string | undefined]) {
    const expression = new target(pattern, flags);
    made.set(expression.source, expression.flags);
    return expression;
  },
});
const loaded = sources.filter((file) => /^(?:formats|workload|census|text)\//.test(file));
for (const file of loaded) await import(pathToFileURL(join(root, 'src', file)).href);
globalThis.RegExp = Original;
for (const [source, flags] of made) look('(made when loaded)', 0, source, flags);

for (const entry of MAY_STAY)
  if (!used.has(entry)) problems.push(`${entry[0]}: nothing of it needs an exemption for ${entry[1]}`);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${count} regular expressions, ${made.size} of them made when loaded\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
