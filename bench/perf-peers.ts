// Whether perf scripts are read as FlameGraph's stackcollapse-perf.pl reads them:
//     npm run bench:perf-peers -- path/to/stackcollapse-perf.pl FILE…
// For each event of a file: samples and distinct stacks by both, and the stacks that differ. Names are made alike first,
// because that script shortens them; periods are taken away, because it adds up those of time and work too.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Census } from '../src/census/census.ts';
import type { KernelKnowledge } from '../src/census/knowledge.ts';
import { perfScriptReader } from '../src/formats/perf-script/read.ts';
import { readFile } from '../src/formats/read-file.ts';

/** Nothing is known: no frame is peeled off. */
const NO_KNOWLEDGE: KernelKnowledge = { role: () => undefined, entryOfComm: () => undefined, mayCall: () => null };

/** Stacks, outermost frame first, process in front, and how many samples have them. */
type Stacks = Map<string, number>;

const [script, ...files] = process.argv.slice(2);
if (script === undefined || files.length === 0) {
  process.stderr.write('usage: npm run bench:perf-peers -- path/to/stackcollapse-perf.pl FILE…\n');
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'perf-peers-'));
try {
  process.stdout.write(
    `${'file'.padEnd(36)} ${'event'.padEnd(18)} samples: ours theirs  stacks: ours theirs  differ\n`,
  );
  for (const file of files) await compare(script, file);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function compare(perl: string, file: string): Promise<void> {
  const text = readFileSync(file, 'latin1');
  const plain = join(scratch, 'input.txt');
  // That script leaves out a last stack with no empty line behind it.
  writeFileSync(plain, `${text.replace(/(\d\.\d{3,9}:)\s+\d+(?=\s+[A-Za-z])/g, '$1')}\n\n`, 'latin1');
  let census: Census | null = null;
  try {
    ({ census } = await readFile(plain, { knowledge: NO_KNOWLEDGE, reader: perfScriptReader }));
  } catch (error) {
    process.stdout.write(`${basename(file).padEnd(36)} ${String(error)}\n`);
  }
  // Told by another way than the reader's: the last word of lines that end in a colon and are not indented.
  const events = new Set([...text.matchAll(/^\S.*?(\S+):[ \t]*\r?$/gm)].map(([, event]) => event ?? ''));
  for (const event of events) {
    const theirs = collapsed(
      execFileSync('perl', [perl, '--event-filter', event, plain], {
        encoding: 'latin1',
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 1 << 28,
      }),
    );
    const ours = census ? stacksOf(census, event) : new Map();
    const differing = [...new Set([...ours.keys(), ...theirs.keys()])].filter(
      (stack) => ours.get(stack) !== theirs.get(stack),
    );
    process.stdout.write(
      `${basename(file).padEnd(36)} ${event.padEnd(18)} ${String(sum(ours)).padStart(13)} ${String(sum(theirs)).padStart(6)} ${String(ours.size).padStart(13)} ${String(theirs.size).padStart(6)} ${String(differing.length).padStart(7)}\n`,
    );
    for (const stack of differing.slice(0, 6)) {
      process.stdout.write(`    ours ${ours.get(stack) ?? 0}, theirs ${theirs.get(stack) ?? 0}: ${stack}\n`);
    }
  }
  if (census && census.losses.length > 0) process.stdout.write(`    losses: ${JSON.stringify(census.losses)}\n`);
}

function sum(stacks: Stacks): number {
  return [...stacks.values()].reduce((total, count) => total + count, 0);
}

function collapsed(output: string): Stacks {
  const stacks: Stacks = new Map();
  for (const line of output.split('\n')) {
    const [, stack, count] = /^(.*) (\d+)$/.exec(line) ?? [];
    if (stack !== undefined)
      add(
        stacks,
        stack
          .split(';')
          .map((name) => alike(Buffer.from(name, 'latin1').toString(), stack.startsWith('java')))
          .join(';'),
        Number(count),
      );
  }
  return stacks;
}

function stacksOf(census: Census, event: string): Stacks {
  const stacks: Stacks = new Map();
  for (const { stack, target, key, count } of census.rows) {
    if (census.targets[target] !== event) continue;
    const { comm } = census.keys.at(key);
    const process = comm.replaceAll(' ', '_');
    const frames = census.stacks
      .frames(stack)
      .flatMap(({ symbol }) => census.symbols.raw(symbol).split('->').reverse())
      .reverse();
    add(stacks, [process, ...frames.map((name) => alike(name, process.startsWith('java')))].join(';'), count);
  }
  return stacks;
}

/** A name as both print it once it is shortened. */
function alike(name: string, isJava: boolean): string {
  let short = /^\[.*\]$/.test(name) ? '[unknown]' : name.replaceAll(';', ':');
  if (!/\.\(.*\)\./.test(short)) short = short.replace(/\((?!anonymous namespace\)).*/, '');
  short = short.replace(/["']|_\[i\]$/g, '');
  return isJava && short.includes('/') ? short.replace(/^L/, '') : short;
}

function add(stacks: Stacks, stack: string, count: number): void {
  stacks.set(stack, (stacks.get(stack) ?? 0) + count);
}
