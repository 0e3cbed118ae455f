// `npm run fuzz`: reads and writes damaged, hostile and very large recordings in this process and looks whether what must
// hold does (test/fuzz/check.ts). The same seed tries the same cases.
//
//     npm run fuzz                              ten thousand cases
//     npm run fuzz -- --minutes 30 --seed 7     as many as there is time for
//     npm run fuzz -- --format pprof            only one reader
//     npm run fuzz -- --only 4711 --seed 7      one case, again
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { READERS } from '../src/formats/registry.ts';
import { makeCase } from '../test/fuzz/case.ts';
import { tryCase } from '../test/fuzz/check.ts';
import { Hunt } from '../test/fuzz/hunt.ts';
import { minimised } from '../test/fuzz/minimise.ts';
import { makeSeeds } from '../test/fuzz/seeds.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    cases: { type: 'string' },
    minutes: { type: 'string' },
    format: { type: 'string' },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    out: { type: 'string', default: 'fuzz-found' },
  },
});
const seed = whole('seed', values.seed);
const format = values.format ?? null;
if (format !== null && !READERS.some(({ name }) => name === format)) {
  throw new Error(`no format ${format} (known: ${READERS.map(({ name }) => name).join(', ')})`);
}
const scratch = mkdtempSync(join(tmpdir(), 'whocalls-fuzz-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

if (values.only !== undefined) await tryOne(whole('only', values.only));
else await tryMany();

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name}: a whole number, not ${text}`);
  return number;
}

/** One case by itself: what came of it, with the memory and time it took. */
async function tryOne(number: number): Promise<void> {
  const input = makeCase(await makeSeeds(), { seed, format }, number);
  globalThis.gc?.();
  const before = { rss: process.memoryUsage.rss(), cpu: process.cpuUsage() };
  const outcome = await tryCase(input, join(scratch, 'input'));
  const { user, system } = process.cpuUsage(before.cpu);
  const megabytes = Math.max(0, process.resourceUsage().maxRSS * 1024 - before.rss) / 1e6;
  const { length } = input.bytes;
  process.stdout.write(
    `${JSON.stringify({ number, bytes: length, reader: input.reader, ...outcome, megabytes: Math.round(megabytes), cpuSeconds: (user + system) / 1e6 })}\n`,
  );
  if (outcome.problem !== null || values.out !== 'fuzz-found') keep(nameOf(number, input.reader), input.bytes);
  process.exitCode = outcome.problem === null ? 0 : 1;
}

async function tryMany(): Promise<void> {
  const minutes = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes);
  const cases = whole('cases', values.cases ?? (values.minutes === undefined ? '10000' : String(2 ** 52)));
  const hunt = new Hunt({
    seed,
    format,
    from: whole('from', values.from),
    cases,
    minutes,
    scratch,
    jobs: whole('jobs', values.jobs),
  });
  hunt.onProgress = (line) => process.stderr.write(`${line}\n`);
  const { findings, summary } = await hunt.run();
  const seeds = findings.length > 0 ? await makeSeeds() : null;
  for (const { number, problem } of seeds ? findings : []) {
    const input = makeCase(seeds as never, { seed, format }, number);
    // Waiting for the same problem again and again would take hours.
    const isQuick = !/^(?:time|memory)/.test(problem);
    const small = isQuick
      ? await minimised(
          input.bytes,
          async (bytes) => (await tryCase({ ...input, bytes }, join(scratch, 'input'))).problem === problem,
          3000,
        )
      : input.bytes;
    process.stdout.write(
      `case ${number}: ${problem}\n  ${keep(nameOf(number, input.reader), small)} (${small.length} bytes)\n`,
    );
    if (small.length <= 300) process.stdout.write(`  ${JSON.stringify(small.toString('latin1'))}\n`);
  }
  process.stdout.write(`${summary}\n`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}

/** Which reader has to be named for it, if any: `case-1-4711.folded`. */
function nameOf(number: number, reader: string | null): string {
  return `case-${seed}-${number}${reader === null ? '' : `.${reader}`}`;
}

function keep(name: string, bytes: Buffer): string {
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, name);
  writeFileSync(file, bytes);
  return file;
}
