import { basename, extname } from 'node:path';
import { UsageError } from '../errors.ts';
import { WRITERS } from '../formats/registry.ts';
import { version } from '../version.ts';
import { csvReport } from './csv.ts';
import { htmlReport } from './html.ts';
import { jsonReport } from './json.ts';
import type { Report } from './report.ts';
import { type TextLayout, textReport } from './text.ts';

/** Writes a report in one format. */
export interface ReportWriter {
  /** The name given to `--format`. */
  readonly name: string;
  /** What the format is, for people. */
  readonly summary: string;
  /** Endings of file names that mean this format. */
  readonly endings: readonly string[];
  /** It holds the census itself and no groups: no filter applies, and it can be read back. */
  readonly isCensus: boolean;
  write(report: Report, layout: TextLayout): Promise<string | Buffer>;
}

/** Every format a report can be written in, `text` first. */
export const REPORT_WRITERS: readonly ReportWriter[] = [
  {
    name: 'text',
    summary: 'the report for people',
    endings: ['.txt'],
    isCensus: false,
    write: async (report, layout) => textReport(report, layout),
  },
  {
    name: 'json',
    summary: 'the same facts with stable keys',
    endings: ['.json'],
    isCensus: false,
    write: async (report) => jsonReport(report, version()),
  },
  {
    name: 'csv',
    summary: 'the groups, one row each',
    endings: ['.csv'],
    isCensus: false,
    write: async (report, { csvSafe }) => csvReport(report, csvSafe),
  },
  {
    name: 'html',
    summary: 'a page to explore: one file, without a network',
    endings: ['.html', '.htm'],
    isCensus: false,
    write: async (report) => htmlReport(report, version()),
  },
  ...WRITERS.map(({ name, summary, endings, write }) => ({
    name,
    summary,
    endings,
    isCensus: true,
    write: (report: Report) => write(report.census),
  })),
];

/** Names of the formats a report can be written in. */
export const REPORT_FORMATS: readonly string[] = REPORT_WRITERS.map(({ name }) => name);

/** The writer of a format. @throws {UsageError} for an unknown one */
export function writerNamed(name: string): ReportWriter {
  const writer = REPORT_WRITERS.find((candidate) => candidate.name === name);
  if (!writer) throw new UsageError(`unknown format '${name}' (known: ${REPORT_FORMATS.join(', ')})`);
  return writer;
}

/**
 * The format that goes with the ending of a file's name; text where it has none (`report`, `run-6.12`).
 *
 * @throws {UsageError} an ending that says something else: `a.json.gz`
 */
export function formatOfFile(file: string): string {
  const name = basename(file).toLowerCase();
  const writer = REPORT_WRITERS.find(({ endings }) => endings.some((ending) => name.endsWith(ending)));
  if (writer) return writer.name;
  if (/^(?:\.\d*)?$/.test(extname(name))) return 'text';
  const endings = REPORT_WRITERS.flatMap((one) => one.endings).join(', ');
  throw new UsageError(`-o ${file}: no format goes with this ending (known: ${endings}; --format names one)`);
}

/**
 * A report as the bytes or text of one format.
 *
 * @param layout of text reports; 100 columns without colour unless told
 * @throws {UsageError} no such format
 */
export async function writeReport(
  report: Report,
  format = 'text',
  layout: Partial<TextLayout> = {},
): Promise<string | Buffer> {
  return writerNamed(format).write(report, { width: 100, colour: false, verbose: false, ...layout });
}
