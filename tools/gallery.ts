// `npx tsx tools/gallery.ts`: the pictures of docs/gallery.md and README.md, taken of the page of the founding case in
// Chromium and made small by pngquant; together they stay below MOST_BYTES.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { htmlPage } from '../src/report/html.ts';
import { readInputs } from '../src/report/read-inputs.ts';
import { buildReport } from '../src/report/report.ts';
import { version } from '../src/version.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = join(root, 'docs', 'gallery');
const [EARLIER, LATER] = ['founding-case-6.1.pb.gz', 'founding-case-6.12.pb.gz'] as const;
const CHROMIUM = '/usr/bin/chromium';
/** Of all pictures together. */
const MOST_BYTES = 1_200_000;

interface Picture {
  readonly name: string;
  /** The state of the page. */
  readonly hash: string;
  /** Of the page that compares both examples. */
  readonly isComparison?: true;
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
  /** Where the mouse rests: over a graph it opens the card. */
  readonly mouse?: readonly [x: number, y: number];
}

const PHONE = { width: 390, height: 760 };

const PICTURES: readonly Picture[] = [
  { name: 'overview', hash: 'group=enqueue_task_fair' },
  { name: 'overview-dark', hash: '', theme: 'dark', height: 620 },
  { name: 'two-keys', hash: 'by=comm,site', height: 620 },
  { name: 'filter', hash: 'where=comm%3Ddb_bench+%26%26+!entry~interrupt&by=entry', height: 620 },
  { name: 'paths', hash: 'view=paths', height: 720, mouse: [850, 450] },
  { name: 'flame-graph-dark', hash: 'view=paths&shape=flame', theme: 'dark', height: 720 },
  { name: 'sandwich', hash: 'view=paths&sandwich=try_to_wake_up', height: 820 },
  { name: 'functions', hash: 'view=functions', height: 560 },
  { name: 'time', hash: 'view=time', height: 620 },
  { name: 'compare', hash: 'view=compare', isComparison: true },
  { name: 'compare-dark', hash: 'view=compare&by=subject', theme: 'dark', isComparison: true, height: 620 },
  { name: 'phone', hash: '', ...PHONE },
  { name: 'phone-detail-dark', hash: 'group=put_prev_entity', theme: 'dark', ...PHONE },
];

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-gallery-'));
try {
  const single = await pageOf(LATER);
  const both = await pageOf(EARLIER, LATER);
  mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  let bytes = 0;
  for (const picture of PICTURES) bytes += await take(browser, picture.isComparison ? both : single, picture);
  await browser.close();
  process.stdout.write(`${PICTURES.length} pictures, ${bytes} bytes\n`);
  if (bytes > MOST_BYTES) throw new Error(`more than ${MOST_BYTES} bytes: leave one out, or make one smaller`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The page of recordings, one beside the other. */
async function pageOf(...examples: readonly string[]): Promise<string> {
  const inputs = await Promise.all(
    examples.map(async (name) => {
      const input = await readInputs([join(root, 'examples', name)]);
      return { name, report: buildReport(input.census, {}, input) };
    }),
  );
  const file = join(scratch, `${examples.length}.html`);
  writeFileSync(file, htmlPage(inputs, version()));
  return pathToFileURL(file).href;
}

/** @returns the size of the picture */
async function take(browser: Browser, url: string, picture: Picture): Promise<number> {
  const { name, hash, width = 1280, height = 800, theme = 'light', mouse } = picture;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
  await page.goto(`${url}#${hash}`);
  await page.locator('main').waitFor();
  if (mouse) await page.mouse.move(...mouse);
  await page.waitForTimeout(400); // graphs are drawn a frame later
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  await page.close();
  const { error, status } = spawnSync('pngquant', ['--force', '--speed', '1', '--strip', '--output', path, '96', path]);
  if (error || status !== 0) throw new Error('no pngquant: apt-get install pngquant');
  return statSync(path).size;
}
