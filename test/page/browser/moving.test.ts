// The graph under wheel, mouse and fingers, and its colours.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endChromium, IN_CHROMIUM, open, type PageFile, pageOfRecording, plain, stateOf } from './chromium.ts';

afterAll(endChromium);

const ROW = 20;

/** The frame of the mini-map: shares of the whole, in percent; all of it where there is no frame. */
async function partInSight(page: Page): Promise<{ left: number; width: number }> {
  return page.locator('.mini-frame').evaluate((frame) => {
    const { left, width } = (frame as HTMLElement).style;
    return { left: Number.parseFloat(left), width: Number.parseFloat(width) };
  });
}

async function canvasOf(page: Page): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await page.locator('.graph-text').boundingBox();
  if (!box) throw new Error('there is no graph');
  return box;
}

/** The colour of the boxes at a place of the canvas. */
function pixelAt(page: Page, x: number, y: number): Promise<string> {
  return page.locator('.graph-boxes').evaluate(
    (canvas, at) => {
      // Read from a copy: the browser warns of what is drawn and read by turns.
      const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
      context?.drawImage(canvas as HTMLCanvasElement, -at.x, -at.y);
      const pixel = context?.getImageData(0, 0, 1, 1).data ?? [];
      return `#${[...pixel]
        .slice(0, 3)
        .map((value) => value.toString(16).padStart(2, '0'))
        .join('')}`;
    },
    { x, y },
  );
}

function colourOf(page: Page, name: string): Promise<string> {
  return page.evaluate((property) => getComputedStyle(document.documentElement).getPropertyValue(property), name);
}

describe('the graph of the founding case', IN_CHROMIUM, () => {
  let made: PageFile;
  beforeAll(async () => {
    made = await pageOfRecording('founding-case-6.12.pb.gz');
  }, 60_000);

  it('zooms by Ctrl and wheel around the pointer, pans by wheel and by dragging', async () => {
    const { page, close } = await open(made.file, 'view=paths&fold=no');
    const canvas = await canvasOf(page);
    expect(await partInSight(page)).toEqual({ left: 0, width: 100 });
    const x = canvas.x + canvas.width / 4;
    await page.mouse.move(x, canvas.y + ROW * 1.5);
    const name = () => page.locator('.card code').first().textContent();
    const before = plain(await name());
    await page.keyboard.down('Control');
    for (let turn = 0; turn < 5; turn++) await page.mouse.wheel(0, -100);
    await page.keyboard.up('Control');
    await expect.poll(async () => (await partInSight(page)).width).toBeLessThan(20);
    // What is below the pointer stays there: a quarter of what is in sight is left of it, as of the whole before.
    const { left, width } = await partInSight(page);
    expect(left + width / 4).toBeCloseTo(25, 0);
    expect(plain(await name())).toBe(before);
    await page.mouse.wheel(canvas.width, 0);
    await expect.poll(async () => (await partInSight(page)).left).toBeCloseTo(left + width, 0);
    await page.mouse.down();
    await page.mouse.move(x + canvas.width / 2, canvas.y + ROW * 1.5, { steps: 6 });
    await page.mouse.up();
    await expect.poll(async () => (await partInSight(page)).left).toBeCloseTo(left + width / 2, 0);
    // Dragging is no click.
    await expect.poll(() => stateOf(page).focus).toBeUndefined();
    const map = await page.locator('.mini-map').boundingBox();
    await page.mouse.click(map!.x + map!.width * 0.9, map!.y + 10);
    await expect.poll(async () => (await partInSight(page)).left).toBeCloseTo(90 - width / 2, 0);
    await page.getByRole('application').focus();
    await page.keyboard.press('0');
    await expect.poll(() => partInSight(page)).toEqual({ left: 0, width: 100 });
    await close();
  });

  it('zooms under two fingers and pans under one', async () => {
    const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
    const { page, context, close } = await open(made.file, 'view=paths&fold=no', phone);
    await page.locator('.graph-text').scrollIntoViewIfNeeded();
    const canvas = await canvasOf(page);
    const session = await context.newCDPSession(page);
    const y = canvas.y + 60;
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...xs: number[]) =>
      session.send('Input.dispatchTouchEvent', { type, touchPoints: xs.map((x, id) => ({ x: canvas.x + x, y, id })) });
    await touch('touchStart', 140, 200);
    for (const wider of [20, 40, 60]) await touch('touchMove', 140 - wider, 200 + wider);
    await touch('touchEnd');
    // Fingers three times as far apart as before: a third of the calls is in sight.
    await expect.poll(async () => (await partInSight(page)).width).toBeCloseTo(100 / 3, 0);
    const { left } = await partInSight(page);
    await touch('touchStart', 200);
    for (const x of [180, 150, 100]) await touch('touchMove', x);
    await touch('touchEnd');
    await expect.poll(async () => (await partInSight(page)).left).toBeGreaterThan(left + 5);
    await expect.poll(() => stateOf(page).focus).toBeUndefined();
    await close();
  });

  it.each(['light', 'dark'] as const)('is drawn in the colours of the legend, %s', async (colorScheme) => {
    const { page, close } = await open(made.file, 'view=paths&fold=no', { colorScheme });
    expect(await pixelAt(page, 200, ROW / 2)).toBe(await colourOf(page, '--core'));
    expect(await pixelAt(page, 200, ROW * 1.5)).toBe(await colourOf(page, '--time'));
    // Below the entry of the timer interrupt there is paper, and at its edge the border of the context.
    const paper = await colourOf(page, '--paper');
    expect(paper).toBe(colorScheme === 'dark' ? '#14171a' : '#ffffff');
    const levels = Array.from({ length: 12 }, (_, level) => level);
    const column: string[] = [];
    for (const level of levels) column.push(await pixelAt(page, 200, level * ROW + ROW / 2));
    const last = column.indexOf(paper);
    expect(column[last - 1]).toBe(await colourOf(page, '--interrupts'));
    expect(await pixelAt(page, 200, last * ROW - 3)).toBe(await colourOf(page, '--context'));
    await page.locator('.legend').getByText('scheduling').click();
    await expect.poll(() => stateOf(page).family).toBe('scheduling');
    await expect.poll(() => pixelAt(page, 200, ROW * 1.5)).not.toBe(await colourOf(page, '--time'));
    await page.keyboard.press('t');
    await page.locator('.legend').getByText('scheduling').click();
    await expect.poll(() => pixelAt(page, 200, last * ROW + ROW / 2)).not.toBe(paper);
    await close();
  });
});
