import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Census } from '../../../src/census/census.ts';
import {
  endChromium,
  IN_CHROMIUM,
  open,
  type PageFile,
  pageOfCensus,
  pageOfRecording,
  plain,
  stateOf,
} from './chromium.ts';

let phases: PageFile;
let timed: PageFile;
beforeAll(async () => {
  phases = await pageOfRecording('../../examples/founding-case-6.12.pb.gz');
  timed = await pageOfCensus('timed', censusWithTimes());
});
afterAll(endChromium);

/** Two sites, one early, one late. */
function censusWithTimes(): Census {
  const census = new Census();
  const stack = (site: string) =>
    census.stack(['vfs_write', site].map((name) => ({ symbol: census.symbols.intern(name), offset: -1 })));
  const target = census.target('vfs_write');
  census.facts.bucketMilliseconds = 100;
  census.facts.durationSeconds = 10;
  for (let bucket = 0; bucket < 50; bucket++) census.add({ stack: stack('ksys_write'), target, bucket }, 10);
  for (let bucket = 50; bucket < 100; bucket++) census.add({ stack: stack('kernel_write'), target, bucket }, 3);
  return census;
}

describe('time', IN_CHROMIUM, () => {
  test('by phase has the figures of the report, and adds up', async () => {
    const opened = await open(phases.file, 'view=time');
    const rows = await opened.page.locator('table.figures tr').allTextContents();
    const report = await phases.report();
    for (const { name, calls } of report.workload.phases) {
      expect(rows.map(plain).some((row) => row.startsWith(name) && row.includes(String(calls)))).toBe(true);
    }
    const text = rows.map(plain).join('\n');
    expect(text).toContain('30316');
    expect(text).toMatch(new RegExp(`^all744.4${report.calls.total}`, 'm'));
    await opened.close();
  });

  test('a phase narrows every view, and Back takes it back', async () => {
    const opened = await open(phases.file, 'view=time');
    const { page } = opened;
    await page.getByRole('button', { name: 'readseq' }).click();
    expect(stateOf(page).span).toMatch(/^\d+-\d+$/);
    expect(plain(await page.locator('.chips [role=status]').textContent())).toBe('matching 1639 calls of 248627 calls');
    await page.goBack();
    expect(stateOf(page).span).toBeUndefined();
    await opened.close();
  });

  test('a stretch is chosen by dragging and by keys', async () => {
    const opened = await open(timed.file, 'view=time');
    const { page } = opened;
    const box = (await page.locator('.plot').boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.7, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 20, { steps: 4 });
    await page.mouse.up();
    const [from = 0, to = 0] = stateOf(page).span?.split('-').map(Number) ?? [];
    expect([Math.round(from / 100), Math.round(to / 100)]).toEqual([70, 90]);
    expect(plain(await page.locator('.chips [role=status]').textContent())).toBe('matching 60 calls of 650 calls');
    await page.locator('.plot').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    expect(stateOf(page).span).toBe('100-300');
    await page.keyboard.press('1');
    await expect.poll(() => page.locator('table.groups tr[data-row]').count()).toBe(1);
    expect(await page.locator('.time-strip').count()).toBe(1);
    await opened.close();
  });

  test('of a recording without times it says so, and how to get them', async () => {
    const file = await pageOfRecording('perf-script.txt.gz');
    const opened = await open(file.file, 'view=time');
    expect(plain(await opened.page.locator('main').textContent())).toContain('--time-buckets 100');
    await opened.close();
  });
});
