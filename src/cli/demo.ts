import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { foundingFamilies } from '../db_bench/families.ts';
import { messageOf, UserError } from '../errors.ts';
import { dataDirectory } from '../host/cache.ts';
import { checkWritable, toFile } from '../host/output-file.ts';
import { labAvailability } from '../lab/availability.ts';
import { type Inputs, readInputs } from '../report/read-inputs.ts';
import { buildReport } from '../report/report.ts';
import { writeReport } from '../report/writers.ts';
import { newCommand } from './command.ts';
import { ownProgram } from './founding-case.ts';
import { obtainLevelDb } from './leveldb.ts';
import { printReport } from './report-options.ts';
import { count, path } from './values.ts';

const TARGET = '@rbtree-insert';

/** Where calls can be counted, best first. */
const PLACES = ['live', 'lab', 'recording'] as const;
type Place = (typeof PLACES)[number];

interface DemoOptions {
  readonly num: number;
  readonly kernel: string;
  readonly output: string;
  readonly only?: Place;
}

/** `whocalls demo`: the founding case, end to end, with what the machine allows. */
export function command(): Command {
  return newCommand('demo')
    .description(
      'The founding case: who inserts into the red-black trees of the kernel while db_bench runs on LevelDB?\n' +
        'Counted on this machine if it can, else in a virtual machine (set up on the way), else read from a recording.',
    )
    .option('--num <n>', 'entries db_bench writes and reads', count(), 20_000)
    .option('--kernel <version>', 'kernel of the virtual machine: 6.1, 6.12 or a full version', '6.1')
    .option('-o, --output <file>', 'keep the census here', path, join(dataDirectory(), 'founding-case.pb.gz'))
    .addOption(new Option('--only <place>', 'count here and nowhere else').choices(PLACES))
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const wanted = options.only === undefined ? PLACES : [options.only];
  for (const place of wanted) {
    const problem = await tryPlace(place, options);
    if (problem === null) return;
    if (place === wanted.at(-1)) throw new UserError(problem);
    say(`${problem}`);
  }
}

/** Counting takes minutes: whether its result can be kept is looked at before. */
function prepareOutput(file: string): void {
  if (dirname(file) === dataDirectory()) {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new UserError(`cannot make ${dirname(file)}: ${messageOf(error)}; keep the census elsewhere: -o FILE`);
    }
  }
  checkWritable(file);
}

/** Counts in one place and reports; otherwise says in a line why it could not. */
async function tryPlace(place: Place, options: DemoOptions): Promise<string | null> {
  switch (place) {
    case 'live':
      return live(options);
    case 'lab':
      return lab(options);
    case 'recording':
      return recording();
  }
}

async function live(options: DemoOptions): Promise<string | null> {
  prepareOutput(options.output);
  const trial = spawnSync(process.execPath, [ownProgram(), 'record', TARGET, '--format', 'json', '--', 'true'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (trial.status !== 0) return `cannot count calls on this machine: ${lastLine(trial.stderr)}`;
  const lack = await lackOfLevelDb();
  if (lack !== null) return lack;
  say('counting on this machine');
  return countInto(options, ['record', TARGET], []);
}

/** Gets LevelDB ahead: within the virtual machine it cannot be fetched, and while calls are counted it must not be. */
async function lackOfLevelDb(): Promise<string | null> {
  try {
    await obtainLevelDb();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

async function lab(options: DemoOptions): Promise<string | null> {
  prepareOutput(options.output);
  const lack = await lackOfLevelDb();
  if (lack !== null) return lack;
  const { ready, missing, kernels } = labAvailability();
  const isThere = kernels.some(({ release }) => release?.startsWith(options.kernel));
  if (!ready || !isThere) {
    const lacks = missing.length > 0 ? missing.join(', ') : `kernel ${options.kernel}`;
    say(`setting up a virtual machine (missing: ${lacks})`);
    const setup = await run(['lab', 'setup', '--kernel', options.kernel, '--yes'], 'stderr');
    if (setup !== 0) return 'the virtual machine could not be set up';
  }
  say(`counting in a virtual machine with Linux ${options.kernel}; this takes a minute or two`);
  const machine = ['lab', '--kernel', options.kernel, '--disk', '2G', '--scheduler', 'bfq'];
  return countInto(options, [...machine, TARGET], ['--db', '/data/db']);
}

/** Records the founding case; null if it was counted and reported. */
async function countInto(
  { num, output }: DemoOptions,
  first: readonly string[],
  last: readonly string[],
): Promise<string | null> {
  const before = stateOf(output);
  const workload = [process.execPath, ownProgram(), 'founding-case', '--num', String(num), ...last];
  const status = await run([...first, '--top', '0', '-o', output, '--', ...workload], 'stdout');
  if (stateOf(output) === before) return `the recording ended with status ${status} and no census`;
  const input = await readInputs([output]);
  printFamilies(foundingFamilies(input.census));
  process.stdout.write(`\nThe census is in ${output}: whocalls read ${output}, or any pprof viewer, opens it.\n`);
  await writePage(input, output.replace(/(?:\.pb(?:\.gz)?|\.pprof)?$/, '.html'));
  process.exitCode = status;
  return null;
}

async function recording(): Promise<string | null> {
  const file = ['../../examples/', '../examples/']
    .map((folder) => fileURLToPath(new URL(`${folder}founding-case-6.1.pb.gz`, import.meta.url)))
    .find(existsSync);
  if (file === undefined) return 'the package has no recording of the founding case';
  say('reading the recording of the founding case that comes with whocalls; nothing is counted on this machine');
  const input = await readInputs([file]);
  await printReport(input.census, { top: 0, format: 'text' }, input);
  printFamilies(foundingFamilies(input.census));
  process.stdout.write(`\nThe census is in ${file}.\n`);
  await writePage(input, join(dataDirectory(), 'founding-case.html'));
  return null;
}

/** The same to look at; that it cannot be written is no reason to fail, because the report is told. */
async function writePage(input: Inputs, file: string): Promise<void> {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    await toFile(file, await writeReport(buildReport(input.census, {}, input), 'html'));
    process.stdout.write(`To look at it, open ${file} in a browser.\n`);
  } catch (error) {
    say(`the page could not be written: ${messageOf(error)}`);
  }
}

function printFamilies(families: ReturnType<typeof foundingFamilies>): void {
  process.stdout.write('\nThe seven kinds of path of the founding case, here:\n');
  for (const { name, calls } of families) process.stdout.write(`  ${String(calls).padStart(9)}  ${name}\n`);
}

/** Runs this program again; what it prints goes to the given stream. Its exit status, 128 + signal if killed. */
function run(args: readonly string[], to: 'stdout' | 'stderr'): Promise<number> {
  const child = spawn(process.execPath, [ownProgram(), ...args], { stdio: ['inherit', to === 'stdout' ? 1 : 2, 2] });
  // Ctrl-C reaches the child as well; it ends in its own way, and the report still comes.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  const forward = () => child.kill('SIGTERM');
  process.on('SIGTERM', forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore).off('SIGTERM', forward);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/** Which file it is and when it was written, as far as that can tell an old census from a new one. */
function stateOf(file: string): string {
  const status = statSync(file, { throwIfNoEntry: false, bigint: true });
  return status === undefined ? '' : [status.ino, status.size, status.ctimeNs].join();
}

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^whocalls: /, '') || 'no reason was given'
  );
}

function say(text: string): void {
  process.stderr.write(`whocalls: ${text}\n`);
}
