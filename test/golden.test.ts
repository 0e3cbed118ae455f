import { basename, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Inputs, readInputs } from '../src/report/read-inputs.ts';
import { buildReport, type ReportOptions } from '../src/report/report.ts';
import type { TextLayout } from '../src/report/text.ts';
import { writeReport } from '../src/report/writers.ts';
import { ALL_RECORDINGS } from './support/recordings.ts';

// Whole reports of every recording. A change of wording shows as a difference to read; `npm run golden` takes it over.
const root = fileURLToPath(new URL('../', import.meta.url));

interface Variant {
  readonly ending: string;
  readonly format: string;
  readonly options: ReportOptions;
  readonly layout?: Partial<TextLayout>;
}

const VARIANTS: readonly Variant[] = [
  { ending: 'txt', format: 'text', options: { top: 20 } },
  { ending: 'full-80.txt', format: 'text', options: { top: 8, explain: 'full' }, layout: { width: 80 } },
  { ending: 'verbose-200.txt', format: 'text', options: { top: 8 }, layout: { width: 200, verbose: true } },
  { ending: 'json', format: 'json', options: {} },
  { ending: 'csv', format: 'csv', options: {} },
];

describe.each(ALL_RECORDINGS.map((file) => relative(root, file)))('the report of %s', (file) => {
  let inputs: Promise<Inputs> | undefined;
  test.each(VARIANTS)('as $ending', async ({ ending, format, options, layout }) => {
    inputs ??= readInputs([`${root}${file}`]);
    const { census, files } = await inputs;
    const named = { files: files.map((one) => ({ ...one, name: file })), unreadable: [] };
    const text = await writeReport(buildReport(census, options, named), format, layout);
    const name = basename(file)
      .replace(/\.(?:txt|pb)?(?:\.gz)?$/, '')
      .replace(/\.txt$/, '');
    await expect(String(text)).toMatchFileSnapshot(`golden/${name}.${ending}`);
  });
});
