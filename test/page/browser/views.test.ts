import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { VIEWS } from '../../../web/app/state.ts';
import { endChromium, IN_CHROMIUM, isTooWide, open, type PageFile, pageOfRecording, stateOf } from './chromium.ts';

afterAll(endChromium);

const RECORDINGS = [
  'founding-case-6.12.pb.gz',
  'rbtree-inserts-under-db_bench.txt',
  'dmesg.txt.gz',
  '6.1-rb-net.pb.gz',
];

describe.each(RECORDINGS)('the page of %s', IN_CHROMIUM, (name) => {
  let made: PageFile;
  beforeAll(async () => {
    made = await pageOfRecording(name);
  });

  it('opens every view by its key, asks for nothing and complains of nothing; a reload and Back restore them', async () => {
    const { page, close } = await open(made.file);
    const names = await page.locator('.bar nav button').allTextContents();
    expect(names.length).toBeGreaterThan(3);
    for (const title of names) {
      const [, view = '', key = ''] = /^(\w+) (\d)$/.exec(title) ?? [];
      await page.keyboard.press(key);
      const current = page.locator('.bar nav button[aria-current]');
      expect(await current.textContent()).toBe(title);
      expect((await page.locator('main').innerText()).length).toBeGreaterThan(40);
      await page.reload();
      await page.locator('main').waitFor();
      expect(await current.textContent()).toBe(title);
      expect(stateOf(page)).toEqual(view === 'Overview' ? {} : { view: view.toLowerCase() });
    }
    for (const title of [...names].reverse().slice(1)) {
      await page.goBack();
      expect(await page.locator('.bar nav button[aria-current]').textContent()).toBe(title);
    }
    await close();
  });

  test.each(['light', 'dark'] as const)('is readable for all: no serious finding of axe, %s', async (colorScheme) => {
    // axe comes as a text that is evaluated, which the policy forbids.
    const { page, context } = await open(made.file, '', { colorScheme, bypassCSP: true });
    for (const view of VIEWS) {
      await page.goto(
        `${page.url().split('#')[0]}#view=${view}${view === 'overview' ? '&group=enqueue_task_fair' : ''}`,
      );
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(serious.map(({ id, nodes }) => [view, id, nodes.map(({ html }) => html)])).toEqual([]);
    }
    await context.close();
  });

  test.each([390, 1024])('no view scrolls sideways at %d pixels', async (width) => {
    const { page, close } = await open(made.file, '', { viewport: { width, height: 844 } });
    for (const view of VIEWS) {
      await page.goto(`${page.url().split('#')[0]}#view=${view}`);
      expect(await isTooWide(page), view).toBe(false);
    }
    await close();
  });
});
