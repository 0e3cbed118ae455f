// Reads thousands of damaged inputs in a process of its own, so that its memory can be measured and a hang ended.
// Prints one JSON object: how many ended in a report, how many in an error, what went wrong, the most memory used.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { kernelKnowledge } from '../../src/atlas/knowledge.ts';
import { UserError } from '../../src/errors.ts';
import { foldedStacks } from '../../src/formats/folded/write.ts';
import { decompress } from '../../src/formats/input.ts';
import { writePprof } from '../../src/formats/pprof/write.ts';
import { readInput } from '../../src/formats/read-file.ts';
import { jsonReport } from '../../src/report/json.ts';
import { buildReport, inputFile } from '../../src/report/report.ts';
import { textReport } from '../../src/report/text.ts';
import { columns } from '../../src/text/columns.ts';
import { censusProblems } from './census-problems.ts';
import { DUMPS, PRINTERS, printed } from './kernel-log.ts';
import { perfScript, SAMPLES } from './perf-output.ts';
import { generator } from './random.ts';
import { recording } from './recordings.ts';

const SLOW_MILLISECONDS = 20_000;

const result = { reports: 0, errors: 0, problems: [] as string[], megabytes: 0 };
const random = generator(20261123);
let attempts = 0;

function problem(text: string): void {
  if (result.problems.length < 20) result.problems.push(text);
}

/** Pieces as large as those of a file. */
async function* once(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20));
}

async function attempt(label: string, bytes: Buffer, isReported: boolean): Promise<void> {
  const start = Date.now();
  try {
    const read = await readInput(await decompress('input', once(bytes)), { knowledge: kernelKnowledge() });
    for (const what of censusProblems(read.census)) problem(`${label}: ${what}`);
    if (isReported) {
      for (const by of ['site', 'stack'] as const) {
        const report = buildReport(read.census, { by, explain: 'full' }, { files: [inputFile(read)], unreadable: [] });
        JSON.parse(jsonReport(report, '0'));
        const long = textReport(report, { width: 80, colour: false, verbose: true })
          .split('\n')
          .find((line) => columns(line) > 80);
        if (long !== undefined) problem(`${label}: wider than 80: ${long}`);
      }
    }
    result.reports += 1;
  } catch (error) {
    if (!(error instanceof UserError)) problem(`${label}: ${error instanceof Error ? error.stack : error}`);
    else if (/\n/.test(error.message) || error.message.length > 400)
      problem(`${label}: long message: ${error.message}`);
    result.errors += 1;
  }
  // What earlier inputs left behind is not this one's: a real run reads one input.
  if (++attempts % 20 === 0) globalThis.gc?.();
  if (Date.now() - start > SLOW_MILLISECONDS) problem(`${label}: took ${Date.now() - start} ms`);
}

/** A recording, cut off at random bytes; of a long one mostly in its first part, because a cut costs what it leaves. */
async function cuts(label: string, bytes: Buffer, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const length = Math.floor(random() * (i % 4 === 0 ? bytes.length : Math.min(bytes.length, 400_000)));
    await attempt(`${label} cut at ${length}`, bytes.subarray(0, length), i % 20 === 0);
  }
}

/** One of the ways in which files get damaged. */
function mutate(bytes: Buffer, other: Buffer): Buffer {
  const at = Math.floor(random() * bytes.length);
  const length = 1 + Math.floor(random() ** 3 * 200);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(Math.min(bytes.length, at + length));
  switch (Math.floor(random() * 8)) {
    case 0: // some bytes changed
      return Buffer.concat([before, Buffer.from(bytes.subarray(at, at + length)).map(() => random() * 256), after]);
    case 1: // missing
      return Buffer.concat([before, after]);
    case 2: // twice
      return Buffer.concat([before, bytes.subarray(at, at + length), bytes.subarray(at)]);
    case 3: // another file in the middle
      return Buffer.concat([before, other.subarray(Math.floor(random() * other.length)), after]);
    case 4: // no line breaks any more
      return Buffer.from(bytes.map((byte) => (byte === 10 && random() < 0.3 ? 32 : byte)));
    case 5: // line breaks everywhere
      return Buffer.from(bytes.map((byte) => (byte === 32 && random() < 0.2 ? 10 : byte)));
    case 6: {
      // numbers far too large
      const text = bytes.toString('latin1').replace(/\d+/g, (digits) => (random() < 0.1 ? digits.repeat(9) : digits));
      return Buffer.from(text, 'latin1');
    }
    default: {
      // some of it again and again
      const part = bytes.subarray(at, at + length);
      return Buffer.concat([before, ...Array.from({ length: 50 }, () => part), after]);
    }
  }
}

const seed = readFileSync(recording('rbtree-inserts-under-db_bench.txt'));
const dmesg = readFileSync(recording('dmesg.txt.gz'));
const perf = readFileSync(recording('perf-script.txt.gz'));
const folded = readFileSync(recording('stackcount-folded.txt.gz'));
const plain = { dmesg: gunzipSync(dmesg), perf: gunzipSync(perf) };

async function profileOf(bytes: Buffer): Promise<Buffer> {
  const { census } = await readInput(await decompress('input', once(bytes)), { knowledge: kernelKnowledge() });
  return gunzipSync(await writePprof(census));
}

const packed = (tool: string, bytes: Buffer) => execFileSync(tool, ['-c'], { input: bytes, maxBuffer: 1 << 26 });

await cuts('the founding case', seed, 200);
await cuts('dmesg', plain.dmesg, 200);
await cuts('perf script', plain.perf, 200);
await cuts('folded', gunzipSync(folded), 200);
// Of the compressed ones, which take longer, parts that are still longer than any buffer.
await cuts('dmesg.gz', gzipSync(plain.dmesg.subarray(0, 400_000)), 200);
await cuts('perf script.gz', gzipSync(plain.perf.subarray(0, 400_000)), 200);
await cuts('profile', await profileOf(perf), 200);
for (const tool of process.argv.slice(2)) {
  await cuts(`perf script by ${tool}`, packed(tool, plain.perf.subarray(0, 300_000)), 200);
}

const small: Record<string, Buffer> = {
  'the founding case': seed,
  dmesg: Buffer.from(printed(DUMPS, PRINTERS.dmesg!)),
  'kernel log without times': Buffer.from(printed(DUMPS, PRINTERS['dmesg -t']!)),
  '/dev/kmsg': Buffer.from(printed(DUMPS, PRINTERS['/dev/kmsg with caller ids']!)),
  'perf script': Buffer.from(
    perfScript(SAMPLES, ['comm', 'pid', 'tid', 'cpu', 'time', 'period', 'event', 'ip', 'sym', 'symoff', 'dso']),
  ),
  'perf script without times': Buffer.from(perfScript(SAMPLES, ['comm', 'tid', 'event', 'ip', 'sym'])),
  folded: Buffer.from(
    foldedStacks((await readInput(await decompress('', once(seed)), { knowledge: kernelKnowledge() })).census),
  ),
  profile: await profileOf(seed),
  gzip: gzipSync(seed),
};
const names = Object.keys(small);
for (let i = 0; i < 2000; i++) {
  const name = names[i % names.length]!;
  const other = small[names[Math.floor(random() * names.length)]!]!;
  let bytes = small[name]!;
  for (let damages = 1 + Math.floor(random() * 3); damages > 0; damages--) bytes = mutate(bytes, other);
  await attempt(`mutation ${i} of ${name}`, bytes, i % 2 === 0);
}

await attempt('a line of 10 MB', Buffer.alloc(10 << 20, 'a;b;c '), true);
await attempt(
  'a line of 10 MB in a log',
  Buffer.concat([plain.dmesg.subarray(0, 5000), Buffer.alloc(10 << 20, 'x'), plain.dmesg]),
  true,
);
await attempt('binary junk', Buffer.from(Array.from({ length: 1 << 20 }, () => random() * 256)), true);
await attempt('zeros', Buffer.alloc(4 << 20), true);
await attempt('invalid UTF-8', Buffer.concat([Buffer.from('\xff\xfe', 'latin1'), seed]), true);

result.megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(`${JSON.stringify(result)}\n`);
