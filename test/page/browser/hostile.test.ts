import { afterAll, describe, expect, it, test } from 'vitest';
import { Census } from '../../../src/census/census.ts';
import { VIEWS } from '../../../web/app/state.ts';
import {
  endChromium,
  IN_CHROMIUM,
  isTooWide,
  open,
  pageFile,
  pageOfCensus,
  pageOfRecording,
  plain,
} from './chromium.ts';

afterAll(endChromium);

const HOSTILE = [
  '</script><script>window.pwned=1</script>',
  '<!--<script>',
  '"><img src=x onerror=window.pwned=1>',
  `'onclick='window.pwned=1`,
  '\u202egnorw_lla\u202c',
  '__proto__',
  'constructor',
  `long_${'x'.repeat(10_000)}`,
  '{{7*7}}<%= 7*7 %>',
  ']]>&lt;&amp;',
];

/** Every hostile name as site, process, argument, module and target. */
function hostileCensus(): Census {
  const census = new Census();
  for (const [i, name] of HOSTILE.entries()) {
    const frames = ['victim', name, 'entry_SYSCALL_64_after_hwframe'].map((one) => ({
      symbol: census.symbols.intern(one, one === name ? name.slice(0, 40) : ''),
      offset: -1,
    }));
    const target = census.target('victim');
    census.add({ stack: census.stack(frames), target, comm: name, argument: name }, HOSTILE.length - i);
  }
  census.facts.commands.push(['sh', '-c', HOSTILE[0] ?? '']);
  census.facts.kernels.push(HOSTILE[2] ?? '');
  census.note({ code: 'stated', text: HOSTILE[0] ?? '' });
  census.warn({ code: 'stated', text: HOSTILE[2] ?? '' });
  census.lose({ code: 'stated', text: HOSTILE[3] ?? '' }, 1);
  return census;
}

describe('a page of hostile names', IN_CHROMIUM, () => {
  it('shows them as they are and runs none, in every view, at every width', async () => {
    const { file } = await pageOfCensus('hostile', hostileCensus());
    const { page, close } = await open(file, '', { viewport: { width: 390, height: 844 } });
    const labels = await page.locator('table.groups tbody .what code').allTextContents();
    expect(labels).toEqual(HOSTILE);
    expect(plain(await page.locator('.head').textContent())).toContain(HOSTILE[2]);
    for (const view of VIEWS) {
      await page.goto(`${page.url().split('#')[0]}#view=${view}`);
      expect(await isTooWide(page), view).toBe(false);
    }
    for (const name of HOSTILE) {
      await page.goto(
        `${page.url().split('#')[0]}#${new URLSearchParams({ by: 'comm', group: name.replace(/[\\,]/g, '\\$&') })}`,
      );
      expect(await page.locator('.detail h2 code').textContent()).toBe(name);
      expect(await isTooWide(page), name.slice(0, 20)).toBe(false);
    }
    expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
    expect(await page.evaluate(() => document.querySelectorAll('img').length)).toBe(0);
    await close();
  });

  it('narrows to them by a click', async () => {
    const { file } = await pageOfCensus('hostile', hostileCensus());
    const { page, close } = await open(file, 'group=__proto__');
    await page.locator('.detail .tallies button', { hasText: '__proto__' }).first().click();
    expect(plain(await page.locator('.chips').textContent())).toContain('matching 5 calls of 56 calls');
    await close();
  });

  test.each([
    '#view=nonsense',
    '#by=nonsense,site',
    '#group=nobody&path=99',
    '#census=7',
    '#span=5-x',
    '#where=%28',
    '#%%%',
  ])('survives the address %s', async (hash) => {
    const { file } = await pageOfRecording('rbtree-inserts-under-db_bench.txt');
    const { page, close } = await open(file, hash.slice(1));
    expect((await page.locator('main').innerText()).length).toBeGreaterThan(20);
    await close();
  });
});

describe('a page that is damaged or empty', IN_CHROMIUM, () => {
  test.each([
    ['cut off', (html: string) => html.replace(/(id="columns-0">.{2000})[^<]*/s, '$1')],
    ['changed', (html: string) => html.replace(/(id="columns-0">.{2000})..../s, '$1AAAA')],
    ['missing', (html: string) => html.replace(/<script[^>]*id="columns-0">[^<]*<\/script>/, '')],
  ])('still has its report where the calls are %s, and says so', async (name, damage) => {
    const made = await pageOfRecording('founding-case-6.12.pb.gz');
    const damaged = damage(made.html);
    expect(damaged).not.toBe(made.html);
    const { page, close } = await open(pageFile(`damaged-${name}`, damaged));
    expect(await page.locator('.trouble').textContent()).toMatch(/damaged|missing/);
    const { groups } = await made.report();
    const counts = await page.locator('table.groups tbody td.number:nth-child(2)').allTextContents();
    expect(counts.map((text) => Number(plain(text)))).toEqual(groups.map(({ count }: { count: number }) => count));
    for (const view of VIEWS) await page.goto(`${page.url().split('#')[0]}#view=${view}`);
    await page.goto(`${page.url().split('#')[0]}#group=enqueue_task_fair`);
    const told = groups.find(({ key }: { key: string }) => key === 'enqueue_task_fair').explanation;
    expect(plain(await page.locator('.detail').textContent())).toContain(plain(told));
    await close();
  });

  it('says what is wrong where the report is', async () => {
    const { html } = await pageOfRecording('rbtree-inserts-under-db_bench.txt');
    const { page, close } = await open(pageFile('broken', html.replace('{"schema"', '{"schema')));
    expect(await page.locator('main').textContent()).toContain('cannot be read: the file is damaged');
    await close();
  });

  it('says that nothing was called', async () => {
    const census = new Census();
    census.target('no_such_function');
    census.facts.durationSeconds = 5;
    const { file } = await pageOfCensus('empty', census);
    const { page, close } = await open(file);
    expect(plain(await page.locator('main').textContent())).toContain('no_such_function was not called in 5.0 s.');
    for (const view of VIEWS) {
      await page.goto(`${page.url().split('#')[0]}#view=${view}`);
      expect((await page.locator('main').innerText()).length).toBeGreaterThan(20);
    }
    await close();
  });

  it('says that all is lost', async () => {
    const census = new Census();
    census.target('vfs_read');
    census.lose({ code: 'no-stack' }, 12);
    const { file } = await pageOfCensus('lost', census);
    const { page, close } = await open(file);
    expect(plain(await page.locator('main').textContent())).toContain('All 12 calls are lost');
    expect(plain(await page.locator('.alarms').textContent())).toContain('12 of 12 calls (100 %) are not attributed');
    await close();
  });
});
