// How the page copes with many stacks, beside speedscope on the same census: `npm run bench:view`.
// Prints what the page's main thread ran (processor time, which other work on the machine hardly changes), frames drawn a
// second while zooming and panning, and memory of the renderer. The load of the machine stands beside it.
import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { cacheDirectory } from '../src/host/cache.ts';
import { type MadeCensus, realStacks, writeCensus } from './view-data.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const program = join(root, 'dist', 'cli', 'main.cjs');
const CHROMIUM = '/usr/bin/chromium';
const SPEEDSCOPE = '1.25.0';
const VIEWPORT = { width: 1400, height: 900 };
/** How long wheels are turned, in milliseconds, and how often. */
const WHEEL_MS = 6000;
const WHEEL_EVERY_MS = 16;
const PATIENCE_MS = 240_000;

const BIG: MadeCensus = { stacks: 100_000, calls: 37e6, scattered: 0 };
const WORST: MadeCensus = { stacks: 130_000, calls: 37e6, scattered: 3 };

/** All boxes there are: nothing folded or left out. */
const EVERYTHING = '#view=paths&interrupted=yes&fold=no';

/** Counts the frames the page is given time for; a text, because the policy of our pages lets no text be run within. */
const COUNT_FRAMES = `
  globalThis.framesDrawn = 0;
  const count = () => { framesDrawn++; requestAnimationFrame(count); };
  requestAnimationFrame(count);
  undefined`;

/** What one page took. */
interface Measured {
  /** From asking for the page until two frames after the first drawing: elapsed, and of the main thread, in seconds. */
  readonly openSeconds: number;
  readonly openCpuSeconds: number;
  readonly framesPerSecond: number;
  readonly cpuMillisPerFrame: number;
  readonly megabytes: number;
  readonly peakMegabytes: number;
  readonly load: number;
}

interface Subject {
  readonly name: string;
  readonly address: string;
  readonly scale: number;
  /** Waits until the page shows what it is to show. */
  readonly ready: (page: Page) => Promise<unknown>;
}

const graph = (page: Page) => page.locator('.graph-boxes').waitFor();
const overview = (page: Page) => page.locator('main table').first().waitFor();
/** Its drop zone has a canvas as well: the title says when a profile is there. */
const speedscopeGraph = async (page: Page) => {
  while (!(await page.title()).includes(' - ')) await page.waitForTimeout(100);
  await page.locator('canvas').first().waitFor();
};

if (!existsSync(CHROMIUM)) {
  process.stderr.write(`there is no ${CHROMIUM}: apt-get install chromium\n`);
  process.exit(1);
}
const scratch = mkdtempSync(join(tmpdir(), 'whocalls-view-'));
try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const real = await realStacks();
  const big = await makePage(real, 'big', BIG);
  const worst = await makePage(real, 'worst', WORST);
  const server = await serve(scratch, speedscopeFolder());
  const { port } = server.address() as AddressInfo;
  const theirs = `http://127.0.0.1:${port}/speedscope/index.html#profileURL=${encodeURIComponent(
    `http://127.0.0.1:${port}/big.speedscope.json`,
  )}`;
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--enable-precise-memory-info'],
  });
  process.stdout.write(`Chromium ${browser.version()}, ${VIEWPORT.width} x ${VIEWPORT.height}\n`);
  process.stdout.write(
    `${'page'.padEnd(44)}${['open s', 'CPU s', 'frames/s', 'CPU ms/frame', 'MB', 'peak MB', 'load']
      .map((text) => text.padStart(13))
      .join('')}\n`,
  );
  try {
    const subjects: Subject[] = [
      { name: 'Overview, 100 000 stacks', address: big, scale: 1, ready: overview },
      { name: 'Paths', address: `${big}#view=paths`, scale: 1, ready: graph },
      { name: 'Paths, every box', address: big + EVERYTHING, scale: 1, ready: graph },
      { name: 'Paths, every box, 2 device pixels', address: big + EVERYTHING, scale: 2, ready: graph },
      { name: '2 million nodes, every box', address: worst + EVERYTHING, scale: 1, ready: graph },
    ];
    const ours: Measured[] = [];
    for (const subject of subjects) ours.push(report(subject, await measure(browser, subject)));
    const speedscope = { name: `speedscope ${SPEEDSCOPE}`, address: theirs, scale: 1, ready: speedscopeGraph };
    const other = report(speedscope, await measure(browser, speedscope));
    const own = ours[2];
    if (own) {
      const ratio = (a: number, b: number) => (a / b).toFixed(1);
      process.stdout.write(
        `speedscope, times "Paths, every box": processor time to open ${ratio(other.openCpuSeconds, own.openCpuSeconds)}, ` +
          `frames a second 1/${ratio(own.framesPerSecond, other.framesPerSecond)}, memory ${ratio(other.megabytes, own.megabytes)}\n`,
      );
    }
  } finally {
    await browser.close();
    server.close();
  }
}

/** Makes a census and its page, and where speedscope is to read it, its file. @returns the address of the page */
async function makePage(real: readonly string[][], name: string, made: MadeCensus): Promise<string> {
  const folded = join(scratch, `${name}.folded`);
  const page = join(scratch, `${name}.html`);
  await writeCensus(real, folded, made);
  run(['read', folded, '--format', 'html', '-o', page]);
  if (name === 'big') writeSpeedscope(folded, join(scratch, 'big.speedscope.json'));
  const megabytes = (file: string) => (statSync(file).size / 1e6).toFixed(1);
  process.stdout.write(`${name}: ${made.stacks} stacks, page ${megabytes(page)} MB\n`);
  return pathToFileURL(page).href;
}

/** The same census in the form of speedscope's own files (https://github.com/jlfwong/speedscope/wiki). */
function writeSpeedscope(folded: string, file: string): void {
  const frames: { name: string }[] = [];
  const numbers = new Map<string, number>();
  const samples: number[][] = [];
  const weights: number[] = [];
  for (const line of readFileSync(folded, 'utf8').trimEnd().split('\n')) {
    const blank = line.lastIndexOf(' ');
    weights.push(Number(line.slice(blank + 1)));
    const stack = line.slice(0, blank).split(';');
    samples.push(
      stack.map((name) => {
        const known = numbers.get(name) ?? frames.push({ name }) - 1;
        numbers.set(name, known);
        return known;
      }),
    );
  }
  const endValue = weights.reduce((sum, weight) => sum + weight, 0);
  const profile = { type: 'sampled', name: 'big', unit: 'none', startValue: 0, endValue, samples, weights };
  const $schema = 'https://www.speedscope.app/file-format-schema.json';
  writeFileSync(file, JSON.stringify({ $schema, shared: { frames }, profiles: [profile] }));
}

function run(args: readonly string[]): void {
  execFileSync(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The release of speedscope from npm, kept in the cache: it is measured, not used. */
function speedscopeFolder(): string {
  const folder = join(cacheDirectory(), 'bench', `speedscope-${SPEEDSCOPE}`);
  const release = join(folder, 'package', 'dist', 'release');
  if (!existsSync(release)) {
    mkdirSync(folder, { recursive: true });
    const pack = ['pack', `speedscope@${SPEEDSCOPE}`, '--pack-destination', folder, '--silent'];
    const file = execFileSync('npm', pack, { encoding: 'utf8' }).trim();
    execFileSync('tar', ['-xzf', join(folder, file), '-C', folder]);
  }
  return release;
}

/** Serves files of `data`, and speedscope below `/speedscope/`, on loopback. */
async function serve(data: string, speedscope: string): Promise<Server> {
  const types: Record<string, string> = {
    html: 'text/html',
    js: 'text/javascript',
    css: 'text/css',
    json: 'application/json',
  };
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? '/').split(/[?#]/)[0] ?? '/'));
    const file = path.startsWith('/speedscope/')
      ? join(speedscope, path.slice('/speedscope/'.length))
      : join(data, path);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const type = types[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function measure(browser: Browser, { address, scale, ready }: Subject): Promise<Measured> {
  const before = processorTimes(await browserPid(browser));
  const context = await browser.newContext({ viewport: VIEWPORT, deviceScaleFactor: scale });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  try {
    const begin = performance.now();
    await page.goto(address, { waitUntil: 'commit' });
    await ready(page);
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const openSeconds = (performance.now() - begin) / 1000;
    const [pid, openCpuSeconds] = await rendererOf(browser, before);
    const opened = mainThreadSeconds(pid);
    const frames = await turnWheels(page);
    const cpu = mainThreadSeconds(pid) - opened;
    return {
      openSeconds,
      openCpuSeconds,
      framesPerSecond: frames / (WHEEL_MS / 1000),
      cpuMillisPerFrame: (cpu * 1000) / Math.max(1, frames),
      megabytes: memory(pid, 'VmRSS'),
      peakMegabytes: memory(pid, 'VmHWM'),
      load: loadavg()[0] ?? 0,
    };
  } finally {
    await context.close();
  }
}

function report({ name }: Subject, measured: Measured): Measured {
  const { openSeconds, openCpuSeconds, framesPerSecond, cpuMillisPerFrame, megabytes, peakMegabytes, load } = measured;
  const numbers = [
    openSeconds.toFixed(2),
    openCpuSeconds.toFixed(2),
    framesPerSecond === 0 ? '-' : framesPerSecond.toFixed(1),
    framesPerSecond === 0 ? '-' : cpuMillisPerFrame.toFixed(1),
    megabytes.toFixed(0),
    peakMegabytes.toFixed(0),
    load.toFixed(1),
  ];
  process.stdout.write(`${name.padEnd(44)}${numbers.map((text) => text.padStart(13)).join('')}\n`);
  return measured;
}

/** Zooms in and out and pans with a real wheel. @returns frames the page drew */
async function turnWheels(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const canvases = page.locator('canvas');
  const box = (await canvases.count()) === 0 ? null : await canvases.first().boundingBox();
  if (!box) return 0;
  await page.evaluate(COUNT_FRAMES);
  const begin = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let turn = 0; performance.now() - begin < WHEEL_MS; turn++) {
    const isZoom = turn % 2 === 0;
    const isInwards = Math.floor(turn / 60) % 2 === 0;
    pending.push(
      session.send('Input.dispatchMouseEvent', {
        type: 'mouseWheel',
        x: box.x + box.width * (0.3 + 0.4 * ((turn % 50) / 50)),
        y: box.y + Math.min(box.height, VIEWPORT.height - box.y) / 2,
        deltaX: isZoom ? 0 : isInwards ? 30 : -30,
        deltaY: isZoom ? (isInwards ? -40 : 40) : 0,
        modifiers: isZoom ? 2 : 0,
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, WHEEL_EVERY_MS));
  }
  const frames = Number(await page.evaluate('framesDrawn'));
  await Promise.all(pending);
  return frames;
}

async function browserPid(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.find(({ type }) => type === 'browser')?.id ?? 0;
}

/** Processes of pages, below a browser. */
function renderers(browser: number): number[] {
  const text = execFileSync('ps', ['-e', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  const all = text.split('\n').map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line));
  const below = new Set([browser]);
  // Parents may follow their children in the list.
  for (let round = 0; round < 3; round++) {
    for (const line of all) if (line && below.has(Number(line[2]))) below.add(Number(line[1]));
  }
  return all.flatMap((line) =>
    line && below.has(Number(line[1])) && line[3]?.includes('--type=renderer') ? [Number(line[1])] : [],
  );
}

/** What the main threads of the pages' processes ran so far; one is always there in advance. */
function processorTimes(browser: number): Map<number, number> {
  return new Map(renderers(browser).map((pid) => [pid, mainThreadSeconds(pid)]));
}

/** The page's own process, which ran most since, and how many seconds. */
async function rendererOf(
  browser: Browser,
  before: ReadonlyMap<number, number>,
): Promise<[pid: number, seconds: number]> {
  const times = [...processorTimes(await browserPid(browser))];
  const ran = times.map(([pid, seconds]): [number, number] => [pid, seconds - (before.get(pid) ?? 0)]);
  const [busiest] = ran.sort(([, a], [, b]) => b - a);
  if (!busiest) throw new Error('the process of the page cannot be found');
  return busiest;
}

/** What the main thread of a process ran, in seconds (first field of schedstat, in nanoseconds). */
function mainThreadSeconds(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

function memory(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes ?? 0) / 1024;
}
