// Pages in a real browser: Debian's Chromium, driven by playwright-core. Everything that a page asks for and everything
// it complains about is kept, and `close` fails where there is any.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Census } from '../../../src/census/census.ts';
import { readInputs } from '../../../src/report/read-inputs.ts';
import { buildReport, type ReportInput, type ReportOptions } from '../../../src/report/report.ts';
import { writeReport } from '../../../src/report/writers.ts';
import { type Lack, lackIf, needs } from '../../support/needs.ts';
import { recording } from '../../support/recordings.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = PLACES.find(existsSync);

/** Options of tests that need Chromium. */
export const IN_CHROMIUM = options(lackIf(executablePath === undefined, 'no Chromium', 'apt-get install chromium'));

/** As `needs`, without the type of `meta`, which only the program of the other tests knows. */
export function options(lack: Lack): { skip?: true } {
  return needs(lack);
}

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-page-'));
let browser: Promise<Browser> | undefined;

/** Ends the browser and removes the pages; for `afterAll`. */
export async function endChromium(): Promise<void> {
  await (await browser)?.close();
  rmSync(scratch, { recursive: true, force: true });
}

/** A census with its page in a file. */
export interface PageFile {
  readonly census: Census;
  readonly input: ReportInput | null;
  readonly file: string;
  readonly html: string;
  /** The JSON report of the same census. */
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into it as anybody who reads JSON does
  report(options?: ReportOptions): Promise<any>;
}

/** The page of a recording. */
export async function pageOfRecording(name: string, options: ReportOptions = {}): Promise<PageFile> {
  const input = await readInputs([recording(name)]);
  return pageOfCensus(name, input.census, input, options);
}

/** The page of a census. */
export async function pageOfCensus(
  name: string,
  census: Census,
  input: ReportInput | null = null,
  options: ReportOptions = {},
): Promise<PageFile> {
  const html = String(await writeReport(buildReport(census, options, input), 'html'));
  return {
    census,
    input,
    html,
    file: pageFile(name, html),
    report: async (own = {}) => JSON.parse(String(await writeReport(buildReport(census, own, input), 'json'))),
  };
}

/** A page in a file. */
export function pageFile(name: string, html: string): string {
  const file = join(scratch, `${name.replaceAll(/[^\w.-]/g, '_')}.html`);
  writeFileSync(file, html);
  return file;
}

/** An open page. */
export interface OpenPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What it asked for besides itself. */
  readonly requests: readonly string[];
  /** What it complained about: errors on the console, exceptions, what its policy forbade. */
  readonly complaints: readonly string[];
  /** Closes it. @throws {Error} it asked for something or complained */
  close(): Promise<void>;
}

/** Opens a page from its file, as somebody who got it by mail does. */
export async function open(file: string, hash = '', options: BrowserContextOptions = {}): Promise<OpenPage> {
  browser ??= chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] });
  const context = await (await browser).newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  const own = pathToFileURL(file).href;
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== own) requests.push(request.url());
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.setDefaultTimeout(15_000);
  await page.goto(`${own}${hash === '' ? '' : `#${hash}`}`);
  await page.locator('main').waitFor();
  return {
    page,
    context,
    requests,
    complaints,
    close: async () => {
      await context.close();
      if (requests.length > 0) throw new Error(`the page asked for ${requests.join(', ')}`);
      if (complaints.length > 0) throw new Error(`the page complained: ${complaints.join('\n')}`);
    },
  };
}

/** A text without the blanks that group digits and lines. */
export function plain(text: string | null): string {
  return (text ?? '').replaceAll('\u202f', '').replaceAll(/\s+/g, ' ').trim();
}

/** The hash of the address, as parameters. */
export function stateOf(page: Page): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(new URL(page.url()).hash.slice(1)));
}

/** Whether the page can be scrolled sideways. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
}
