// Debian's Firefox as it is, driven by WebDriver BiDi.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';
import { afterAll, expect, it } from 'vitest';
import { lackIf } from '../../support/needs.ts';
import { endChromium, options, pageOfRecording, plain } from './chromium.ts';

const executablePath = ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync);
const IN_FIREFOX = options(lackIf(executablePath === undefined, 'no Firefox', 'apt-get install firefox-esr'));

afterAll(endChromium);

it('the page works in Firefox', { ...IN_FIREFOX, timeout: 120_000 }, async () => {
  const made = await pageOfRecording('founding-case-6.12.pb.gz');
  const report = await made.report();
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: executablePath ?? '',
    headless: true,
    args: ['--width=1440', '--height=900'],
  });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(pathToFileURL(made.file).href);
    await page.waitForSelector('table.groups');
    const counts = await page.$$eval('table.groups tbody td.number:nth-child(2)', (cells) =>
      cells.map((cell) => cell.textContent ?? ''),
    );
    expect(counts.map((text) => Number(plain(text)))).toEqual(
      report.groups.map(({ count }: { count: number }) => count),
    );
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.detail');
    const frames = await page.$$eval('.detail ol.story:first-of-type .step code', (codes) =>
      codes.map((code) => code.textContent ?? ''),
    );
    expect(frames.slice(0, report.groups[0].frames.length)).toEqual(report.groups[0].frames);
    await page.keyboard.press('Escape');
    for (const key of ['2', '3', '4'] as const) {
      await page.keyboard.press(key);
      expect(await page.$eval('main', (main) => main.textContent?.length ?? 0)).toBeGreaterThan(40);
    }
    await page.goBack();
    expect(new URL(page.url()).hash).toBe('#view=functions');
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});
