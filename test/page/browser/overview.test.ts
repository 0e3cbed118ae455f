import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { GROUPINGS } from '../../../src/census/dimensions.ts';
import { percent } from '../../../src/text/percent.ts';
import { endChromium, IN_CHROMIUM, open, type PageFile, pageOfRecording, plain, stateOf } from './chromium.ts';

afterAll(endChromium);

const FOUNDING_CASE = 'founding-case-6.12.pb.gz';
const RECORDINGS = [
  FOUNDING_CASE,
  'rbtree-inserts-under-db_bench.txt',
  'dmesg.txt.gz',
  'perf-script.txt.gz',
  '6.12-kmem.pb.gz',
];

/** What stands in the rows of the table, cell by cell. */
async function rowsOf(page: Awaited<ReturnType<typeof open>>['page'], part: 'tbody' | 'tfoot' = 'tbody') {
  for (let more = page.locator('.more button'); (await more.count()) > 0; ) await more.click();
  const rows = page.locator(`table.groups ${part} tr`);
  const cells = await rows.evaluateAll((all) =>
    all.map((row) => {
      const text = (name: string) => row.querySelector(name)?.textContent ?? '';
      const [, calls, share] = [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '');
      return {
        rank: text('.rank'),
        calls: calls ?? '',
        share: share ?? '',
        label: text('.what > :first-child') || text('.what'),
        doubted: text('.what small .doubt'),
        aside: text('.what small').slice(text('.what small .doubt').length),
        why: text('.why'),
        who: text('.who'),
      };
    }),
  );
  return cells.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, plain(cell)])));
}

describe.each(RECORDINGS)('the page of %s', IN_CHROMIUM, (name) => {
  let made: PageFile;
  beforeAll(async () => {
    made = await pageOfRecording(name);
  });

  it('tells the account and the groups of the JSON report, number by number', async () => {
    const report = await made.report();
    const { page, close } = await open(made.file);
    const { total, attributed, losses } = report.calls;
    const head = plain(await page.locator('.account').textContent());
    expect(head).toContain(`${total} calls`);
    expect(head).toContain(`attributed ${attributed} (${percent(attributed / total)}) · lost ${total - attributed}`);
    const rows = await rowsOf(page);
    expect(rows).toEqual(
      report.groups.map((group: (typeof report.groups)[number]) => ({
        rank: String(group.rank),
        calls: String(group.count),
        share: percent(group.count / total),
        label: group.key ?? '(no caller)',
        aside: group.subject?.name ?? group.subsystem ?? 'not known to the atlas',
        doubted: expect.stringMatching(/^(?:\d+ doubted)?$/),
        why: plain(group.explanation),
        who: expect.stringContaining(group.entries[0].name),
      })),
    );
    const doubted = rows.reduce((sum, row) => sum + Number.parseInt(row.doubted || '0', 10), 0);
    expect(doubted).toBe(report.calls.doubted);
    const foot = await rowsOf(page, 'tfoot');
    const lost = losses.map(({ text, count }: { text: string; count: number }) => [String(count), `(lost: ${text})`]);
    expect(foot.map(({ calls, label }) => [calls, label])).toEqual([...lost, [String(total), 'total']]);
    await close();
  });

  it('groups live as --by does', async () => {
    const { page, close } = await open(made.file);
    const menu = page.locator('#group-by');
    for (const by of GROUPINGS) {
      const report = await made.report({ by });
      const isPossible = await menu.evaluate(
        (select, value) =>
          [...(select as HTMLSelectElement).options].some((option) => option.value === value && !option.disabled),
        by,
      );
      if (!isPossible) {
        expect(report.groups.every(({ isUnknown }: { isUnknown: boolean }) => isUnknown)).toBe(true);
        continue;
      }
      await menu.selectOption(by);
      const rows = await rowsOf(page);
      expect(rows.map(({ calls }) => Number(calls))).toEqual(
        report.groups.map(({ count }: { count: number }) => count),
      );
      for (const [i, { key }] of report.groups.entries()) if (key !== null) expect(rows[i]?.label).toBe(plain(key));
    }
    await close();
  });
});

describe('the page of the founding case', IN_CHROMIUM, () => {
  let made: PageFile;
  beforeAll(async () => {
    made = await pageOfRecording(FOUNDING_CASE);
  });

  it('is small enough to be sent around', () => {
    expect(Buffer.byteLength(made.html)).toBeLessThan(400_000);
    const size = (pattern: RegExp) => Buffer.byteLength(pattern.exec(made.html)?.[1] ?? '');
    const code = size(/<script type="module">(.*?)<\/script>/s) + size(/<style>(.*?)<\/style>/s);
    expect(code).toBeGreaterThan(10_000);
    expect(code).toBeLessThan(150 * 1024);
  });

  it('filters as --where does, and tells what is left', async () => {
    const where = 'comm=db_bench && !frame~^ext4_';
    const report = await made.report({ where });
    const { page, close } = await open(made.file);
    await page.keyboard.press('f');
    await page.keyboard.type(where);
    await page.keyboard.press('Enter');
    const { total, attributed, matching } = report.calls;
    expect(plain(await page.locator('.chips').textContent())).toContain(`matching ${matching} calls of ${total} calls`);
    const rows = await rowsOf(page);
    expect(rows.map(({ calls, label }) => [Number(calls), label])).toEqual(
      report.groups.map(({ count, key }: { count: number; key: string }) => [count, key]),
    );
    const foot = await rowsOf(page, 'tfoot');
    expect(foot[0]).toMatchObject({ calls: String(attributed - matching), label: '(left out by what is narrowed)' });
    await page.getByRole('button', { name: /^Take back: only/ }).click();
    expect(stateOf(page)).toEqual({});
    await close();
  });

  it('shows a mistake in a filter at its place', async () => {
    const { page, close } = await open(made.file);
    const field = page.getByLabel('Filter, in the language of --where');
    await field.fill('comm=db_bench && colour=red');
    await field.press('Enter');
    const problem = page.getByRole('alert');
    const [shown, caret] = ((await problem.locator('pre').textContent()) ?? '').split('\n');
    expect(shown?.slice((caret ?? '').indexOf('^'))).toBe('colour=red');
    expect(await problem.textContent()).toContain("unknown field 'colour'");
    expect(stateOf(page)).toEqual({});
    await field.fill('comm=db_bench');
    await expect.poll(() => problem.count()).toBe(0);
    await close();
  });

  it('two keys deep: the groups within a group are those of a filter for it', async () => {
    const { page, close } = await open(made.file, 'by=comm,entry');
    const report = await made.report({ by: 'entry', where: 'comm=db_bench' });
    await page.locator('.inner-rest button').first().click();
    const inner = await page.locator('tr[aria-level="1"]:has-text("db_bench") ~ tr').evaluateAll((rows) => {
      const end = rows.findIndex((row) => row.getAttribute('aria-level') === '1');
      return rows.slice(0, end).map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? ''));
    });
    expect(inner.map((cells) => Number(plain(cells[1] ?? '')))).toEqual(
      report.groups.map(({ count }: { count: number }) => count),
    );
    await close();
  });

  it('searches by text and /regex/, also for functions within paths', async () => {
    const { page, close } = await open(made.file);
    await page.keyboard.press('/');
    await page.keyboard.type('/^try_to_wake/');
    const rows = await rowsOf(page);
    expect(rows.map(({ label }) => label)).toContain('enqueue_task_fair');
    expect(rows.length).toBeLessThan((await made.report()).groups.length);
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('/(/');
    expect(await page.getByRole('alert').textContent()).toContain('is not a regular expression');
    await close();
  });

  it('opens a group by mouse and by keyboard; Back closes it, a reload keeps it', async () => {
    const report = await made.report();
    const { page, close } = await open(made.file);
    await page.locator('table.groups tr', { hasText: 'enqueue_task_fair' }).first().click();
    const detail = page.locator('.detail');
    const group = report.groups.find(({ key }: { key: string }) => key === 'enqueue_task_fair');
    const told = plain(await detail.textContent());
    expect(told).toContain(`${group.count} calls, ${percent(group.share)} of all · ${group.stacks} stacks`);
    expect(told).toContain(plain(group.explanation));
    expect(await detail.locator('ol.story').first().locator('.step code').allTextContents()).toEqual(group.frames);
    for (const { name, count } of group.comms.slice(0, 6)) expect(told).toContain(`${count}${name}`);
    expect(told).toContain('the interrupt came here; what follows was interrupted');

    await page.reload();
    expect(plain(await detail.locator('h2').textContent())).toBe('enqueue_task_fair');
    await page.goBack();
    await expect.poll(() => detail.count()).toBe(0);
    await page.goForward();
    await expect.poll(() => detail.count()).toBe(1);

    await page.keyboard.press('Escape');
    await expect.poll(() => detail.count()).toBe(0);
    await page.keyboard.press('Home');
    for (const key of ['j', 'j', 'k', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
    expect(plain(await detail.locator('h2').textContent())).toBe(report.groups[1].key);
    await close();
  });

  it('copies a group as text of 75 columns', async () => {
    const { page, context, close } = await open(made.file, 'group=enqueue_task_fair');
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.keyboard.press('y');
    await expect.poll(() => page.locator('.announcement').textContent()).toMatch(/opied/);
    const text = await page.evaluate(() => navigator.clipboard.readText());
    const lines = text.split('\n');
    expect(lines[0]).toMatch(/^enqueue_task_fair \(fair run queue\): 31490 of 248627 calls/);
    expect(text).toContain('\n> enqueue_task_fair');
    expect(text).toContain('entries: timer interrupt 28 %');
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(75);
      expect(line).toBe(line.trimEnd());
    }
    await page.getByRole('button', { name: 'Folded' }).click();
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toMatch(/^\S+;enqueue_task_fair;\S+ \d+$/m);
    const folded = await page.evaluate(() => navigator.clipboard.readText());
    const counted = folded
      .trim()
      .split('\n')
      .map((line) => Number(line.slice(line.lastIndexOf(' '))));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(31_490);
    await close();
  });

  it('says why nothing is left, and offers a way on', async () => {
    const { page, close } = await open(made.file, `where=${encodeURIComponent('comm=nobody && entry=write')}`);
    expect(plain(await page.locator('main').textContent())).toContain(
      'No call has comm=nobody (comm is one of db_bench',
    );
    await page.getByRole('button', { name: 'Drop it' }).click();
    expect(stateOf(page)).toEqual({ where: 'entry=write' });
    expect(await page.locator('table.groups').count()).toBe(1);
    await close();
  });

  it('turns dark and back, shows its keys, and takes back what was narrowed last', async () => {
    const { page, close } = await open(made.file, '', { colorScheme: 'light' });
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.keyboard.press('t');
    expect(await paper()).not.toBe(light);
    expect(stateOf(page)).toEqual({ theme: 'dark' });
    await page.keyboard.press('t');
    expect(await paper()).toBe(light);
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').textContent()).toContain('next row');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.goto(`${page.url().split('#')[0]}#where=entry%3Dwrite&search=ext4`);
    await page.keyboard.press('Escape');
    await expect.poll(() => stateOf(page)).toEqual({ where: 'entry=write' });
    await page.keyboard.press('Escape');
    await expect.poll(() => stateOf(page)).toEqual({});
    await close();
  });

  test.each([
    ['label', 'descending'],
    ['calls', 'ascending'],
  ])('sorts by %s', async (column) => {
    const { page, close } = await open(made.file);
    const heading = page.getByRole('button', { name: column === 'label' ? /^Site/ : /^Calls/ });
    await heading.click();
    const labels = (await rowsOf(page)).map(({ label, calls }) => (column === 'label' ? label : Number(calls)));
    const sorted = [...labels].sort((a, b) =>
      typeof a === 'number' ? a - Number(b) : String(a).localeCompare(String(b), 'en', { numeric: true }),
    );
    expect(labels).toEqual(sorted);
    await close();
  });
});
