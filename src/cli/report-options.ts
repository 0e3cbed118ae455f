import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Explanation, explainGroup } from '../atlas/explain.ts';
import { glossOf } from '../atlas/gloss.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { atlasLabeller } from '../atlas/labeller.ts';
import { placesOf } from '../atlas/places.ts';
import type { Census } from '../census/census.ts';
import { GROUPINGS, type Group, type Grouping, groupCensus } from '../census/group.ts';
import { parseWhere } from '../census/where.ts';
import { messageOf, UsageError, UserError } from '../errors.ts';
import { csvReport } from '../report/csv.ts';
import { foldedStacks } from '../report/folded.ts';
import { jsonReport } from '../report/json.ts';
import type { Report, ReportInput } from '../report/report.ts';
import { textReport } from '../report/text.ts';
import { hasColour, outputWidth } from './terminal.ts';

export const REPORT_FORMATS = ['text', 'json', 'csv', 'folded', 'pprof'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** The options of every command that ends in a report. */
export interface ReportOptions {
  readonly by: Grouping;
  /** undefined: by the ending of `output`, else text. */
  readonly format?: ReportFormat;
  readonly output?: string;
  readonly top?: number;
  readonly where?: string;
  readonly verbose?: boolean;
  readonly explain: ExplainStyle;
}

const EXPLAIN_STYLES = ['off', 'short', 'full'] as const;
type ExplainStyle = (typeof EXPLAIN_STYLES)[number];

/** Groups a text report shows unless `--top` says otherwise. */
const DEFAULT_TOP = 20;

/** Adds the options of {@link ReportOptions} to a command. */
export function addReportOptions(command: Command): Command {
  return command
    .addOption(new Option('--by <what>', 'count calls together by').choices(GROUPINGS).default('site'))
    .addOption(
      new Option('--format <format>', 'what to write (default: text, or by the ending of -o)').choices(REPORT_FORMATS),
    )
    .option('-o, --output <file>', 'write to this file instead of standard output')
    .option(
      '--top <n>',
      `show the n largest groups, 0 for all (default: ${DEFAULT_TOP} in text, else all)`,
      wholeNumber,
    )
    .option('--where <expression>', 'only calls like this: comm=db_bench && frame~ext4_ && !entry=write')
    .addOption(new Option('--explain <style>', 'say what each group is').choices(EXPLAIN_STYLES).default('short'))
    .option('--verbose', 'whole paths, what was peeled off, every process and entry');
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/**
 * Checks report options before anything long begins.
 *
 * @throws {UsageError} bad filter
 */
export function checkReportOptions(options: ReportOptions): void {
  if (options.where !== undefined) parseWhere(options.where);
}

/** Loads, step by step, what every report needs: for those who have time to spare before. */
export const PREPARATIONS: readonly (() => void)[] = [
  () => kernelKnowledge(),
  () => glossOf('schedule'),
  () => placesOf('schedule'),
];

/** Whether `-o` names a file for other programs, so that nothing goes to standard output. */
export function keepsCensus({ format, output }: ReportOptions): boolean {
  return output !== undefined && output !== '-' && (format ?? formatOfFile(output)) !== 'text';
}

/** Writes the report of a census to where the options say. */
export async function writeReport(census: Census, options: ReportOptions, input: ReportInput | null): Promise<void> {
  const format = options.format ?? formatOfFile(options.output);
  const content = await render(census, format, options, input);
  if (options.output === undefined || options.output === '-') await toStdout(content);
  else await toFile(options.output, content);
}

/** The report as bytes in one format. */
async function render(
  census: Census,
  format: ReportFormat,
  options: ReportOptions,
  input: ReportInput | null,
): Promise<string | Buffer> {
  if (format === 'pprof' || format === 'folded') {
    // These hold the census itself; only a filter could change it, and a silent omission would be a lie.
    if (options.where !== undefined) throw new UsageError(`--where cannot be combined with the format ${format}`);
    if (format === 'folded') return foldedStacks(census);
    const { writePprof } = await import('../formats/pprof-write.ts');
    return writePprof(census);
  }
  const report = makeReport(census, format, options, input);
  switch (format) {
    case 'json':
      return jsonReport(report);
    case 'csv':
      return csvReport(report);
    case 'text': {
      const isFile = options.output !== undefined && options.output !== '-';
      return textReport(report, {
        width: outputWidth(),
        colour: !isFile && hasColour(process.stdout),
        verbose: options.verbose ?? false,
      });
    }
  }
}

/** Groups and explains a census as the options say. */
export function makeReport(
  census: Census,
  format: ReportFormat,
  options: ReportOptions,
  input: ReportInput | null,
): Report {
  const top = options.top ?? (format === 'text' ? DEFAULT_TOP : 0);
  const grouped = groupCensus(census, {
    by: options.by,
    knowledge: kernelKnowledge(),
    labeller: atlasLabeller,
    ...(options.where !== undefined && { where: parseWhere(options.where) }),
    ...(top > 0 && { top }),
  });
  return {
    census,
    grouped,
    explain: (group) => explain(group, options.explain),
    where: options.where ?? '',
    input,
  };
}

function explain(group: Group, style: ExplainStyle): Pick<Explanation, 'text' | 'confidence'> {
  const [commonest] = group.paths;
  if (style === 'off' || !commonest) return { text: '', confidence: 'unknown' };
  const { entries, comms, count, paths } = group;
  return explainGroup({ path: commonest.path, paths, entries, comms, count }, style);
}

const ENDINGS: readonly [RegExp, ReportFormat][] = [
  [/\.(?:pb|pb\.gz|pprof)$/, 'pprof'],
  [/\.json$/, 'json'],
  [/\.csv$/, 'csv'],
  [/\.(?:folded|collapsed)$/, 'folded'],
];

function formatOfFile(file: string | undefined): ReportFormat {
  return ENDINGS.find(([ending]) => file !== undefined && ending.test(file))?.[1] ?? 'text';
}

async function toFile(file: string, content: string | Buffer): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (error) {
    throw new UserError(`cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Waits until everything is written: a pipe takes a long report piece by piece. */
function toStdout(content: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(content, (error) => {
      // The reader of a pipe has seen enough (`| head`).
      if (!error || (error as NodeJS.ErrnoException).code === 'EPIPE') resolve();
      else reject(error);
    });
  });
}
