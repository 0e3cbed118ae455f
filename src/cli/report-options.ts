import { type Command, Option } from 'commander';
import { glossOf } from '../atlas/gloss.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { placesOf } from '../atlas/places.ts';
import type { Census } from '../census/census.ts';
import { DIMENSIONS, GROUPINGS } from '../census/dimensions.ts';
import { parseWhere } from '../census/where.ts';
import { UsageError } from '../errors.ts';
import { checkWritable, toFile } from '../host/output-file.ts';
import { buildReport, EXPLAIN_STYLES, type Report, type ReportInput, type ReportOptions } from '../report/report.ts';
import { formatOfFile, REPORT_FORMATS, writeReport, writerNamed } from '../report/writers.ts';
import { toStdout } from './stdout.ts';
import { hasColour, outputWidth } from './terminal.ts';
import { count } from './values.ts';

/** The options of every command that ends in a report. */
export interface OutputOptions extends ReportOptions {
  /** undefined: by the ending of `output`, else text. */
  readonly format?: string;
  readonly output?: string;
  readonly verbose?: boolean;
  /** Mark names that spreadsheets would take for formulas. */
  readonly csvSafe?: boolean;
  /** Show which call sites the calls used; a text names the kernel. */
  readonly coverage?: boolean | string;
}

/** Groups a text report shows unless `--top` says otherwise. */
const DEFAULT_TOP = 20;

/** Adds the options of {@link OutputOptions} to a command. */
export function addReportOptions(command: Command): Command {
  return command
    .addOption(new Option('--by <what>', 'count calls together by').choices(GROUPINGS).default('site'))
    .addOption(
      new Option('--format <format>', 'what to write (default: text, or by the ending of -o)').choices(REPORT_FORMATS),
    )
    .option('-o, --output <file>', 'write to this file; its ending tells the format')
    .option('--top <n>', `show the n largest groups, 0 for all (default: ${DEFAULT_TOP} in text, else all)`, count())
    .option('--sort <what>', 'order groups by count, or by a measure the recording has', 'count')
    .option('--where <expression>', 'only calls like this: comm=db_bench && frame~ext4_ && !entry=write')
    .addOption(new Option('--explain <style>', 'explain each group').choices(EXPLAIN_STYLES).default('short'))
    .option('--csv-safe', "in csv, mark names that a spreadsheet would take for formulas with a '")
    .option('--verbose', 'whole paths, peeled frames, every process and entry')
    .option(
      '--coverage [kernel]',
      'show which call sites in the kernel image were used, which not, and functions that jumped',
    )
    .addHelpText('after', () => `\nWhat --by and --where tell apart:\n${dimensionsHelp()}`);
}

function dimensionsHelp(): string {
  return DIMENSIONS.map(({ name, summary, isFilterOnly }) => {
    return `  ${name.padEnd(12)}${summary}${isFilterOnly ? ' (--where only)' : ''}`;
  }).join('\n');
}

/**
 * Checks report options before anything long begins.
 *
 * @throws {UsageError} bad filter, a format that cannot be
 * @throws {UserError} the file cannot be written
 */
export function checkReportOptions(options: Pick<OutputOptions, 'format' | 'output' | 'where'>): void {
  const { output, where } = options;
  const { name, isCensus } = writerNamed(formatOf(options));
  if (where !== undefined) {
    parseWhere(where);
    // These hold the census itself; only a filter could change it, and a silent omission would be a lie.
    if (isCensus) throw new UsageError(`--where cannot be combined with the format ${name}`);
  }
  if (isFile(output)) checkWritable(output);
}

/** The format asked for, else that of the file's ending, else text. */
function formatOf({ format, output }: Pick<OutputOptions, 'format' | 'output'>): string {
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
export function keepsCensus(options: OutputOptions): boolean {
  return isFile(options.output) && formatOf(options) !== 'text';
}

/** Whether a report as text goes to standard output, maybe after a file was written. */
export function printsText(options: OutputOptions): boolean {
  return isFile(options.output) ? keepsCensus(options) : formatOf(options) === 'text';
}

/**
 * Writes the report of a census to where the options say.
 *
 * @throws {UserError} the file cannot be written; the report is on standard output then, as text
 */
export async function printReport(census: Census, options: OutputOptions, input: ReportInput | null): Promise<void> {
  const { output } = options;
  const format = formatOf(options);
  const top = options.top ?? (format === 'text' ? DEFAULT_TOP : 0);
  const report = await builtReport(census, { ...options, top }, input, format);
  const content = await writeReport(report, format, {
    width: outputWidth(),
    colour: !isFile(output) && hasColour(),
    verbose: options.verbose ?? false,
    csvSafe: options.csvSafe ?? false,
  });
  if (!isFile(output)) return toStdout(content);
  try {
    await toFile(output, content);
  } catch (error) {
    await printReport(census, { ...options, output: '-', format: 'text' }, input);
    throw error;
  }
}

/** The report; with coverage, of stacks in which the functions that jumped have their frames. */
async function builtReport(
  census: Census,
  options: OutputOptions,
  input: ReportInput | null,
  format: string,
): Promise<Report> {
  const { coverage } = options;
  if (coverage === undefined || coverage === false || writerNamed(format).isCensus) {
    return buildReport(census, options, input);
  }
  const [{ callersReport }, { withJumpedFrames }] = await Promise.all([
    import('./callers-report.ts'),
    import('../report/jumped-frames.ts'),
  ]);
  const kernel = coverage === true ? {} : { kernel: coverage };
  const { report, lookup } = await callersReport({ functions: [], census, modules: 'loaded', depth: 1, ...kernel });
  const filled = lookup ? withJumpedFrames(census, lookup) : census;
  return { ...buildReport(filled, options, input), coverage: report };
}
