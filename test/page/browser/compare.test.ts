import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildComparison } from '../../../src/report/comparison.ts';
import { writeComparison } from '../../../src/report/comparison-writers.ts';
import { readInputs } from '../../../src/report/read-inputs.ts';
import { recording } from '../../support/recordings.ts';
import { endChromium, IN_CHROMIUM, isTooWide, type OpenPage, open, pageFile, plain, stateOf } from './chromium.ts';

const example = (name: string) => recording('rbtree-inserts-under-db_bench.txt').replace(/[^/]*$/, name);

// biome-ignore lint/suspicious/noExplicitAny: as anybody who reads JSON does
let told: any;
let file = '';
let repeated = '';
beforeAll(async () => {
  const [old, now] = await Promise.all(
    ['6.1', '6.12'].map((kernel) => readInputs([example(`founding-case-${kernel}.pb.gz`)])),
  );
  if (!old || !now) throw new Error('two examples');
  const comparison = buildComparison([[old], [now]]);
  told = JSON.parse(writeComparison(comparison, 'json'));
  file = pageFile('compare', writeComparison(comparison, 'html'));
  repeated = pageFile(
    'repeated',
    writeComparison(
      buildComparison([
        [old, old],
        [now, old],
      ]),
      'html',
    ),
  );
}, 120_000);
afterAll(endChromium);

async function rowsOf({ page }: OpenPage): Promise<string[][]> {
  const rows = await page.locator('table.differences tbody tr[data-row]').all();
  return Promise.all(
    rows.map(async (row) => Promise.all((await row.locator('td').allTextContents()).map(async (text) => plain(text)))),
  );
}

describe('the comparison of two kernels', IN_CHROMIUM, () => {
  test('is what opens, and every number is that of the JSON comparison', async () => {
    const opened = await open(file);
    await opened.page.getByRole('button', { name: /more changes/ }).click();
    const rows = await rowsOf(opened);
    const number = (value: number) => (value === 0 ? '–' : String(value));
    const expected = told.groups
      // biome-ignore lint/suspicious/noExplicitAny: as anybody who reads JSON does
      .filter(({ changes }: any) => changes[0].calls.absolute !== 0)
      // biome-ignore lint/suspicious/noExplicitAny: as anybody who reads JSON does
      .map(({ key, subject, sides, changes }: any) => [
        number(sides[0].calls.median),
        `${changes[0].calls.absolute > 0 ? '+' : '−'}${Math.abs(changes[0].calls.absolute)}`,
        number(sides[1].calls.median),
        `${key}${subject?.name ?? ''}`,
      ]);
    expect(rows.map(([from, change, , to, name]) => [from, change, to, name?.replace(' ', '')]).sort()).toEqual(
      expected.map(([from, change, to, name]: string[]) => [from, change, to, name?.replace(' ', '')]).sort(),
    );
    expect(rows[0]?.slice(0, 4)).toEqual(['99705', '+53848', '+54.0 %', '153553']);
    await opened.close();
  });

  test('tells of an open group what is new in it, and shows it in the graph', async () => {
    const opened = await open(file);
    const { page } = opened;
    await page.locator('tr[data-row]', { hasText: 'hrtimer_start_range_ns' }).click();
    const said = page.locator('.said');
    expect(plain(await said.textContent())).toContain(
      'new caller start_dl_timer, 19853 calls: fair tasks have used up',
    );
    await page.getByRole('button', { name: 'Show in the graph' }).click();
    expect(stateOf(page)).toMatchObject({ zoom: 'hrtimer_start_range_ns' });
    await expect
      .poll(async () => plain(await page.locator('.difference-graph .told').textContent()))
      .toBe('hrtimer_start_range_ns: 4149 to 32510 calls, +28361 (+683.6 %)');
    await page.goBack();
    await page.goBack();
    expect(stateOf(page).changed).toBeUndefined();
    await opened.close();
  });

  test('is driven by keys: rows, the graph, copying', async () => {
    const opened = await open(file, '', { permissions: ['clipboard-read', 'clipboard-write'] });
    const { page } = opened;
    await page.locator('tr[data-row]').first().focus();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    expect(stateOf(page).changed).toBe('hrtimer_start_range_ns,hrtimer-queue');
    await page.locator('.difference-graph .graph').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(stateOf(page).zoom).toBe('__hrtimer_run_queues,hrtimer_interrupt');
    await page.keyboard.press('y');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/^133097 +\+115530 +\+86\.8 % +248627 +all calls shown$/m);
    expect(copied.split('\n').every((line) => line.length <= 75)).toBe(true);
    await opened.close();
  });

  test('follows filter, search, grouping and rate', async () => {
    const opened = await open(file, 'view=compare&where=comm%3Ddb_bench&by=entry');
    const { page } = opened;
    const all = plain(await page.locator('tr.all').textContent());
    expect(all).not.toContain('133097');
    await page.getByRole('button', { name: 'Per operation' }).click();
    expect(stateOf(page)).toMatchObject({ per: 'operation', by: 'entry', where: 'comm=db_bench' });
    await page.getByLabel('Search').fill('fdatasync');
    await expect.poll(() => page.locator('tr[data-row]').count()).toBe(1);
    await opened.close();
  });

  test.each(['light', 'dark'] as const)('has no serious finding of axe, %s', async (colorScheme) => {
    // axe comes as a text that is evaluated, which the policy forbids.
    const hash = 'view=compare&changed=hrtimer_start_range_ns,hrtimer-queue&zoom=hrtimer_start_range_ns';
    const { page, context } = await open(file, hash, { colorScheme, bypassCSP: true });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    await context.close();
  });

  test('fits a phone', async () => {
    const opened = await open(file, '', { viewport: { width: 390, height: 844 } });
    expect(await isTooWide(opened.page)).toBe(false);
    await opened.close();
  });
});

test('repeated runs show medians with least and most, and what is within the spread', IN_CHROMIUM, async () => {
  const opened = await open(repeated);
  const [row] = await rowsOf(opened);
  expect(row?.slice(0, 4)).toEqual(['99705', '+26924', '~ +27.0 %', '12662999705..153553']);
  expect(plain(await opened.page.locator('.sides').textContent())).toContain('2 runs, medians');
  await opened.close();
});
