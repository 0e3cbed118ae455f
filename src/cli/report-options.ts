import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Explanation, explainGroup } from '../atlas/explain.ts';
import { glossOf } from '../atlas/gloss.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { atlasLabeller } from '../atlas/labeller.ts';
import { placesOf } from '../atlas/places.ts';
import type { Census } from '../census/census.ts';
import { GROUPINGS, type Group, type Grouping, groupCensus } from '../census/group.ts';
import { parseWhere } from '../census/where.ts';
import { UsageError } from '../errors.ts';
import { foldedStacks } from '../formats/folded/write.ts';
import { csvReport } from '../report/csv.ts';
import { jsonReport } from '../report/json.ts';
import type { Report, ReportInput } from '../report/report.ts';
import { textReport } from '../report/text.ts';
import { checkWritable, formatOfFile, REPORT_FORMATS, type ReportFormat, toFile, toStdout } from './report-file.ts';
import { hasColour, outputWidth } from './terminal.ts';

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
    .option('-o, --output <file>', 'write to this file instead of standard output; its ending tells the format')
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
 * @throws {UsageError} bad filter, a format that cannot be
 * @throws {UserError} the file cannot be written
 */
export function checkReportOptions(options: Pick<ReportOptions, 'format' | 'output' | 'where'>): void {
  const { output, where } = options;
  const format = formatOf(options);
  if (where !== undefined) {
    parseWhere(where);
    // These hold the census itself; only a filter could change it, and a silent omission would be a lie.
    if (format === 'pprof' || format === 'folded')
      throw new UsageError(`--where cannot be combined with the format ${format}`);
  }
  if (isFile(output)) checkWritable(output);
}

/** The format asked for, else that of the file's ending, else text. */
function formatOf({ format, output }: Pick<ReportOptions, 'format' | 'output'>): ReportFormat {
  return format ?? (isFile(output) ? formatOfFile(output) : 'text');
}

function isFile(output: string | undefined): output is string {
  return output !== undefined && output !== '-';
}

/** Loads, step by step, what every report needs: for those who have time to spare before. */
export const PREPARATIONS: readonly (() => void)[] = [
  () => kernelKnowledge(),
  () => glossOf('schedule'),
  () => placesOf('schedule'),
];

/** Whether `-o` names a file for other programs, so that nothing goes to standard output. */
export function keepsCensus(options: ReportOptions): boolean {
  return isFile(options.output) && formatOf(options) !== 'text';
}

/**
 * Writes the report of a census to where the options say.
 *
 * @throws {UserError} the file cannot be written; the report is on standard output then, as text
 */
export async function writeReport(census: Census, options: ReportOptions, input: ReportInput | null): Promise<void> {
  const { output } = options;
  const content = await render(census, formatOf(options), options, input);
  if (!isFile(output)) return toStdout(content);
  try {
    await toFile(output, content);
  } catch (error) {
    await writeReport(census, { ...options, output: '-', format: 'text' }, input);
    throw error;
  }
}

/** The report as bytes in one format. */
async function render(
  census: Census,
  format: ReportFormat,
  options: ReportOptions,
  input: ReportInput | null,
): Promise<string | Buffer> {
  if (format === 'pprof' || format === 'folded') {
    if (format === 'folded') return foldedStacks(census);
    const { writePprof } = await import('../formats/pprof/write.ts');
    return writePprof(census);
  }
  const report = makeReport(census, format, options, input);
  switch (format) {
    case 'json':
      return jsonReport(report);
    case 'csv':
      return csvReport(report);
    case 'text': {
      return textReport(report, {
        width: outputWidth(),
        colour: !isFile(options.output) && hasColour(process.stdout),
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
