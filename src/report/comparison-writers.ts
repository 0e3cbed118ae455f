import { basename } from 'node:path';
import { UsageError } from '../errors.ts';
import { version } from '../version.ts';
import type { ComparisonReport } from './comparison.ts';
import { comparisonCsv } from './comparison-csv.ts';
import { comparisonJson } from './comparison-json.ts';
import { comparisonText } from './comparison-text.ts';
import { htmlComparison } from './html.ts';
import type { TextLayout } from './text.ts';

interface ComparisonWriter {
  readonly endings: readonly string[];
  write(report: ComparisonReport, layout: TextLayout): string;
}

const WRITERS: Readonly<Record<string, ComparisonWriter>> = {
  text: { endings: ['.txt'], write: comparisonText },
  json: { endings: ['.json'], write: (report) => comparisonJson(report, version()) },
  html: { endings: ['.html', '.htm'], write: (report) => htmlComparison(report, version()) },
  csv: { endings: ['.csv'], write: comparisonCsv },
};

/** Names of the formats a comparison can be written in. */
export const COMPARISON_FORMATS: readonly string[] = Object.keys(WRITERS);

/**
 * The format that goes with the ending of a file's name; text where it has none.
 *
 * @throws {UsageError} an ending that says something else
 */
export function comparisonFormatOfFile(file: string): string {
  const name = basename(file).toLowerCase();
  for (const [format, { endings }] of Object.entries(WRITERS)) {
    if (endings.some((ending) => name.endsWith(ending))) return format;
  }
  if (!/\.[a-z]/.test(name)) return 'text';
  const known = Object.values(WRITERS).flatMap(({ endings }) => endings);
  throw new UsageError(`-o ${file}: no format goes with this ending (known: ${known.join(', ')}; --format names one)`);
}

/**
 * A comparison as the text of one format.
 *
 * @param layout of text; 100 columns without colour unless told
 * @throws {UsageError} no such format
 */
export function writeComparison(report: ComparisonReport, format = 'text', layout: Partial<TextLayout> = {}): string {
  const writer = Object.hasOwn(WRITERS, format) ? WRITERS[format] : undefined;
  if (!writer) throw new UsageError(`unknown format '${format}' (known: ${COMPARISON_FORMATS.join(', ')})`);
  return writer.write(report, { width: 100, colour: false, verbose: false, ...layout });
}
