import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { percent } from '../../../src/text/percent.ts';
import type { PageData } from '../../../web/data/columns.ts';
import type { BoxTree } from '../../../web/data/layout.ts';
import { callersTree, entriesTree } from '../../../web/data/tree.ts';
import { pageDataOf } from '../../support/page-data.ts';
import {
  endChromium,
  IN_CHROMIUM,
  isTooWide,
  open,
  type PageFile,
  pageOfRecording,
  plain,
  stateOf,
} from './chromium.ts';

afterAll(endChromium);

const FOUNDING_CASE = 'founding-case-6.12.pb.gz';
const ROW = 20;

/** Where a box of a tree is on the canvas, as the whole tree is shown. */
async function placeOf(
  page: Page,
  tree: BoxTree,
  box: number,
  isUpward = false,
): Promise<{ x: number; y: number; width: number }> {
  const canvas = await page.locator('.graph-text').boundingBox();
  if (!canvas) throw new Error('there is no graph');
  const scale = canvas.width / tree.total[0]!;
  const level = tree.depth[box]! - 1;
  const down = level * ROW + ROW / 2;
  return {
    x: canvas.x + (tree.x[box]! + tree.total[box]! / 2) * scale,
    y: isUpward ? canvas.y + canvas.height - down : canvas.y + down,
    width: tree.total[box]! * scale,
  };
}

function namesTo({ symbols }: PageData, tree: BoxTree, box: number): string[] {
  const names: string[] = [];
  for (let at = box; at > 0; at = tree.parent[at]!) names.unshift(symbols.names[tree.symbol[at]!]!);
  return names;
}

/** The focus as the page itself has it: the browser tells others of a new address a little later. */
async function focusNow(page: Page): Promise<string> {
  return new URLSearchParams(await page.evaluate(() => location.hash.slice(1))).get('focus') ?? '';
}

describe('paths of the founding case', IN_CHROMIUM, () => {
  let made: PageFile;
  let data: PageData;
  let total: number;
  /** Calls by path, `a <- b`, of the JSON report. */
  let paths: [path: string, count: number][];
  beforeAll(async () => {
    made = await pageOfRecording(FOUNDING_CASE);
    data = await pageDataOf(made.census);
    const report = await made.report({ by: 'stack' });
    total = report.calls.total;
    paths = report.groups.map(({ key, count }: { key: string; count: number }) => [key, count]);
  }, 60_000);

  /** Calls whose path begins with these functions, or ends with them, as the JSON report has it. */
  function callsThrough(names: readonly string[], where: 'inner' | 'outer' = 'inner'): number {
    const wanted = names.join(' <- ');
    const isMeant = (path: string) =>
      where === 'inner'
        ? path === wanted || path.startsWith(`${wanted} <- `)
        : path === wanted || path.endsWith(` <- ${wanted}`);
    return paths.reduce((sum, [path, count]) => sum + (isMeant(path) ? count : 0), 0);
  }

  async function matching(where: string): Promise<number> {
    return (await made.report({ where })).calls.matching;
  }

  it('tells on the card of each box what the JSON report says', async () => {
    const { page, close } = await open(made.file, 'view=paths&fold=no');
    const tree = callersTree(data, { weights: data.rows.calls });
    let seen = 0;
    for (let box = 1; box < tree.start[8]!; box++) {
      const place = await placeOf(page, tree, box);
      if (place.width < 24) continue;
      await page.mouse.move(place.x, place.y);
      const names = namesTo(data, tree, box);
      const count = callsThrough(names);
      const card = page.locator('.card');
      await expect.poll(async () => plain(await card.locator('code').first().textContent())).toBe(names.at(-1));
      expect(plain(await card.locator('.card-calls').textContent())).toBe(
        `${count} calls · ${percent(count / total)} of all`,
      );
      if (names.length > 1) {
        const share = percent(count / callsThrough(names.slice(0, -1)));
        expect(plain(await card.textContent())).toContain(`${share} of the calls of ${names.at(-2)}`);
      }
      seen++;
    }
    expect(seen).toBeGreaterThan(30);
    await close();
  });

  it('draws the flame graph from the same calls, entries at the bottom', async () => {
    const { page, close } = await open(made.file, 'view=paths&fold=no&shape=flame');
    const tree = entriesTree(data, { weights: data.rows.calls });
    let seen = 0;
    for (let box = 1; box < tree.start[7]!; box++) {
      const place = await placeOf(page, tree, box, true);
      if (place.width < 30) continue;
      await page.mouse.move(place.x, place.y);
      const names = namesTo(data, tree, box).reverse();
      const count = callsThrough(names, 'outer');
      await expect.poll(async () => plain(await page.locator('.card code').first().textContent())).toBe(names[0]);
      expect(plain(await page.locator('.card-calls').textContent())).toContain(`${count} calls`);
      seen++;
    }
    expect(seen).toBeGreaterThan(20);
    await close();
  });

  it('a click zooms, Back zooms out, and reload and a link restore what was in focus', async () => {
    const { page, close } = await open(made.file, 'view=paths&fold=no');
    const tree = callersTree(data, { weights: data.rows.calls });
    const box = tree.start[4]!;
    const names = namesTo(data, tree, box);
    const { x, y } = await placeOf(page, tree, box);
    await page.mouse.click(x, y);
    await expect.poll(() => stateOf(page).focus).toBe(names.join(','));
    const crumbs = page.locator('.breadcrumb li');
    expect((await crumbs.allTextContents()).map(plain)).toEqual(['all', ...names]);
    await page.reload();
    await expect.poll(async () => (await crumbs.allTextContents()).map(plain)).toEqual(['all', ...names]);
    await crumbs.nth(2).click();
    await expect.poll(() => stateOf(page).focus).toBe(names.slice(0, 2).join(','));
    await page.goBack();
    await expect.poll(() => stateOf(page).focus).toBe(names.join(','));
    await page.goBack();
    await expect.poll(() => stateOf(page).focus).toBeUndefined();
    await expect.poll(async () => (await crumbs.allTextContents()).map(plain)).toEqual(['all']);
    await close();
  });

  it('is walked through by keys, and says where one is', async () => {
    const { page, close } = await open(made.file, 'view=paths&fold=no');
    const graph = page.getByRole('application');
    const spoken = page.locator('.graph-panel [aria-live]');
    await graph.focus();
    await page.keyboard.press('ArrowDown');
    const tree = callersTree(data, { weights: data.rows.calls });
    const sentence = (box: number) => {
      const names = namesTo(data, tree, box);
      const parent = tree.parent[box]!;
      const siblings = tree.first[parent + 1]! - tree.first[parent]!;
      const rank = box - tree.first[parent]! + 1;
      const place = siblings > 1 ? `, ${rank}${['th', 'st', 'nd', 'rd'][rank]} of ${siblings} callers` : '';
      const count = callsThrough(names);
      return `${names.at(-1)}, ${count} calls, ${percent(count / total)} of all${place}`;
    };
    const walk: [key: string, box: number][] = [
      ['ArrowRight', 2],
      ['ArrowDown', tree.first[2]!],
      ['ArrowDown', tree.first[tree.first[2]!]!],
      ['ArrowUp', tree.first[2]!],
      ['ArrowRight', tree.first[2]! + 1],
      ['ArrowLeft', tree.first[2]!],
    ];
    await expect.poll(async () => plain(await spoken.textContent())).toBe(sentence(1));
    for (const [key, box] of walk) {
      await page.keyboard.press(key);
      await expect.poll(async () => plain(await spoken.textContent())).toBe(sentence(box));
    }
    await page.keyboard.press('Enter');
    await expect.poll(() => stateOf(page).focus).toBe(namesTo(data, tree, tree.first[2]!).join(','));
    await page.keyboard.press('Escape');
    await expect.poll(() => stateOf(page).focus).toBeUndefined();
    // One stop for the graph, one for the table below it.
    const stops = await page.locator('.graph-panel [tabindex="0"], .next [tabindex="0"]').count();
    expect(stops).toBe(2);
    await close();
  });

  it('searches: matches, calls and share; n and N walk through them', async () => {
    const { page, close } = await open(made.file, 'view=paths&fold=no&search=%2F%5Eenqueue_task%2F');
    const count = await matching('frame~^enqueue_task');
    const found = page.locator('.found');
    expect(plain(await found.textContent())).toContain(`${count} calls, ${percent(count / total)} of all`);
    const boxes = Number(/^\d+/.exec(plain(await found.textContent()))?.[0]);
    expect(boxes).toBeGreaterThan(2);
    await page.getByRole('application').focus();
    const seen = new Set<string>();
    for (let i = 0; i < boxes; i++) {
      await page.keyboard.press('n');
      const focus = await focusNow(page);
      expect(focus.split(',').at(-1)).toMatch(/^enqueue_task/);
      seen.add(focus);
    }
    const last = await focusNow(page);
    await page.keyboard.press('n');
    await page.keyboard.press('N');
    await expect.poll(() => stateOf(page).focus).toBe(last);
    expect(seen.size).toBeGreaterThan(2);
    await close();
  });

  it('hides calls through a function, everywhere', async () => {
    const { page, close } = await open(made.file, 'view=paths&fold=no');
    await page.getByRole('application').focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'h']) await page.keyboard.press(key);
    await expect.poll(() => stateOf(page).hide).toBeDefined();
    const hidden = stateOf(page).hide;
    const left = await matching(`frame!=${hidden}`);
    expect(left).toBeGreaterThan(0);
    expect(plain(await page.locator('.chips').textContent())).toContain(`matching ${left} calls of ${total} calls`);
    const rows = await page.locator('.next tbody td:first-child').allTextContents();
    expect(rows.reduce((sum, text) => sum + Number(plain(text)), 0)).toBe(left);
    await page.keyboard.press('Escape');
    await expect.poll(() => stateOf(page).hide).toBeUndefined();
    await close();
  });

  it('follows filter and grouping', async () => {
    const where = 'phase=fillrandom';
    const report = await made.report({ by: 'entry', where });
    const { page, close } = await open(made.file, `view=paths&by=entry&where=${encodeURIComponent(where)}`);
    for (const more = page.locator('.next > button'); (await more.count()) > 0; ) await more.click();
    const rows = await page
      .locator('.next tbody tr')
      .evaluateAll((all) => all.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '')));
    const shown = rows.map(([calls = '', , , name = '']) => [plain(name), Number(plain(calls))] as const);
    const expected = report.groups.map(({ key, count }: { key: string; count: number }) => [
      key ?? 'unknown entry',
      count,
    ]);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(expected));
    await close();
  });

  it('shows both sides of a function over all its places', async () => {
    const { page, close } = await open(made.file, 'view=paths&fold=no');
    await page.getByRole('application').focus();
    for (const key of ['ArrowDown', 'ArrowRight', 'ArrowDown', 'ArrowDown', 's']) await page.keyboard.press(key);
    const name = 'enqueue_task_fair';
    await expect.poll(() => stateOf(page).sandwich).toBe(name);
    const count = await matching(`frame=${name}`);
    expect(plain(await page.locator('.sandwich-middle').textContent())).toContain(
      `${count} calls through it, ${percent(count / total)} of all`,
    );
    const [callers = [], callees = []] = await page
      .locator('.sandwich-tables table')
      .evaluateAll((tables) =>
        tables.map((table) =>
          [...table.querySelectorAll('tbody tr')].map((row) =>
            [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? ''),
          ),
        ),
      );
    for (const [calls = '', , caller = ''] of callers) {
      const pair = ` ${name} <- ${plain(caller)} `;
      const expected = paths.reduce((sum, [path, own]) => sum + (` ${path} `.includes(pair) ? own : 0), 0);
      expect(Number(plain(calls)), plain(caller)).toBe(expected);
    }
    for (const [calls = '', , callee = ''] of callees) {
      const pair = ` ${plain(callee)} <- ${name} `;
      const expected = paths.reduce((sum, [path, own]) => sum + (` ${path} `.includes(pair) ? own : 0), 0);
      expect(Number(plain(calls)), plain(callee)).toBe(expected);
    }
    await page.keyboard.press('Escape');
    await expect.poll(() => stateOf(page).sandwich).toBeUndefined();
    await close();
  });

  it('opens a tail, and folds and opens runs', async () => {
    const { page, close } = await open(made.file, 'view=paths');
    const labels = () => page.locator('.next tbody .tag').allTextContents();
    await page.locator('.next tbody button').first().click();
    await page.getByRole('application').focus();
    await page.keyboard.press('c');
    await expect.poll(() => stateOf(page).fold).toBe('no');
    expect(await labels()).toEqual([]);
    await page.keyboard.press('c');
    // The whole tree again; its narrowest callers stand together at the right.
    await page.keyboard.press('0');
    const width = () => page.locator('.mini-frame').evaluate((frame) => (frame as HTMLElement).style.width);
    await expect.poll(width).toBe('100%');
    const canvas = await page.locator('.graph-text').boundingBox();
    await page.mouse.move(canvas!.x + canvas!.width - 2, canvas!.y + ROW * 1.5, { steps: 2 });
    await expect.poll(async () => plain(await page.locator('.card').textContent())).toMatch(/^\d+ more callers of /);
    await page.mouse.click(canvas!.x + canvas!.width - 2, canvas!.y + ROW * 1.5);
    await expect.poll(() => stateOf(page).zoom).toMatch(/^\d+-\d+$/);
    await page.goBack();
    await expect.poll(() => stateOf(page).zoom).toBeUndefined();
    await close();
  });

  it('has a menu for each box, and copies', async () => {
    const { page, context, close } = await open(made.file, 'view=paths&fold=no', {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const canvas = await page.locator('.graph-text').boundingBox();
    await page.mouse.click(canvas!.x + 200, canvas!.y + ROW * 1.5, { button: 'right' });
    const menu = page.getByRole('menu', { name: 'timerqueue_add' });
    expect((await menu.getByRole('menuitem').allTextContents()).map(plain)).toEqual([
      expect.stringContaining('Focus'),
      expect.stringContaining('Callers and callees'),
      expect.stringContaining('Hide calls through it'),
      'Copy name',
      expect.stringContaining('Copy as text'),
    ]);
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('timerqueue_add');
    await page.keyboard.press('y');
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    const count = callsThrough(['rb_insert_color', 'timerqueue_add']);
    await expect
      .poll(async () => plain(await copied()))
      .toContain(`${String(count).replace(/\B(?=(\d{3})+$)/g, ' ')} calls`);
    for (const line of (await copied()).split('\n')) expect(line.length).toBeLessThanOrEqual(75);
    await context.clearPermissions();
    await close();
  });

  it('works under fingers on a phone, and is not wider', async () => {
    const { page, close } = await open(made.file, 'view=paths', {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
      deviceScaleFactor: 2,
    });
    await expect.poll(() => isTooWide(page)).toBe(false);
    const graph = page.locator('.graph-text');
    await graph.scrollIntoViewIfNeeded();
    const canvas = await graph.boundingBox();
    const at = { x: canvas!.x + 60, y: canvas!.y + ROW * 1.5 };
    await page.touchscreen.tap(at.x, at.y);
    expect(plain(await page.locator('.card.docked').textContent())).toContain('timerqueue_add');
    await expect.poll(() => stateOf(page).focus).toBeUndefined();
    await page.touchscreen.tap(at.x, at.y);
    await expect.poll(() => stateOf(page).focus).toBe('rb_insert_color,timerqueue_add');
    await close();
  });

  it('lists functions with the calls through each', async () => {
    const { page, close } = await open(made.file, 'view=functions');
    const rows = await page
      .locator('.function-list tbody tr:not(.spacer)')
      .evaluateAll((all) => all.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '')));
    expect(rows.length).toBeGreaterThan(15);
    const sites = (await made.report()).groups.map(({ key, count }: { key: string; count: number }) => [key, count]);
    const decided = new Map<string, number>(sites);
    for (const [calls = '', share = '', own = '', name = ''] of rows.slice(0, 25)) {
      const count = await matching(`frame=${plain(name)}`);
      expect([plain(name), Number(plain(calls)), plain(share)]).toEqual([plain(name), count, percent(count / total)]);
      expect(Number(plain(own)), plain(name)).toBe(decided.get(plain(name)) ?? 0);
    }
    await page.locator('.function-list').focus();
    for (const key of ['j', 'j', 'k', 'Enter']) await page.keyboard.press(key);
    await expect.poll(() => stateOf(page)).toMatchObject({ view: 'paths', sandwich: plain(rows[1]?.[3] ?? '') });
    await page.goBack();
    await page.getByRole('button', { name: 'Function', exact: true }).click();
    const first = await page.locator('.function-list tbody .link').first().textContent();
    const names = data.symbols.names.filter((_, i) => i > 0).sort();
    expect(names.indexOf(plain(first))).toBeLessThan(20);
    await close();
  });
});
