import { type Command, Option } from 'commander';
import { parseCondition } from '../census/condition.ts';
import { GROUPINGS } from '../census/dimensions.ts';
import { ExpressionError, parseWhere } from '../census/where.ts';
import { UsageError, UserError } from '../errors.ts';
import { checkWritable, refuseInput, toFile } from '../host/output-file.ts';
import {
  buildComparison,
  type ComparedRun,
  type ComparisonOptions,
  type ComparisonReport,
} from '../report/comparison.ts';
import { COMPARISON_FORMATS, comparisonFormatOfFile, writeComparison } from '../report/comparison-writers.ts';
import type { Inputs } from '../report/read-inputs.ts';
import { EXPLAIN_STYLES } from '../report/report.ts';
import { unjudged, verdictText } from '../report/verdict-text.ts';
import { printable } from '../text/columns.ts';
import { newCommand } from './command.ts';
import { SET_SEPARATOR } from './own-arguments.ts';
import { addInputOptions, type InputOptions, readFiles, tellUnreadable } from './read.ts';
import { toStdout } from './stdout.ts';
import { hasColour, outputWidth } from './terminal.ts';
import { count, repeated } from './values.ts';

/** Groups that text shows unless `--top` says otherwise. */
const DEFAULT_TOP = 20;
/** Status of a comparison that a condition does not let pass. */
const STRUCK = 3;

const EXAMPLES = `
Examples:
  whocalls diff 6.1.pb.gz 6.12.pb.gz                     what changed from the first to the second
  whocalls diff a1.pb.gz a2.pb.gz a3.pb.gz -- b1.pb.gz b2.pb.gz b3.pb.gz     medians of repeated runs
  whocalls diff base.pb.gz new.pb.gz --per operation     calls for each operation of the workload
  whocalls diff base.pb.gz new.pb.gz --fail-if 'new site > 10' --fail-if 'total/op > +5%'

--fail-if takes: 'total > 1000', 'total > +5%', 'lost > 0', 'total/op > +3%' (each operation), 'total/s > +100' (each
second), any --where expression in place of total ('tree=ext4-extent-status > +100'), 'new site', 'gone site' and the
like of every --by, 'new site > 10' (with more than 10 calls). A sign makes it a change from the base.
Each condition that strikes is told on stderr; the exit status is 3 then.`;

interface DiffOptions extends ComparisonOptions, InputOptions {
  readonly format?: string;
  readonly output?: string;
  readonly verbose?: boolean;
}

/** `whocalls diff A B`, `whocalls diff A1 A2 -- B1 B2` */
export function command(): Command {
  const diff = newCommand('diff')
    .description(
      'Compare recordings: what changed from the first to every other one. Sites are matched together with what they\n' +
        "call about, across kernel versions. '--' stands between sets of repeated runs, whose medians are compared;\n" +
        "'-' is standard input. The files of a directory are counted together, as one run.",
    )
    .usage('[options] BASE OTHER…\n       whocalls diff [options] BASE1 BASE2… -- OTHER1 OTHER2…')
    .argument('<file...>', 'recordings')
    .addOption(new Option('--by <what>', 'count calls together by').choices(GROUPINGS).default('site'))
    .addOption(
      new Option('--format <format>', 'what to write (default: text, or by the ending of -o)').choices(
        COMPARISON_FORMATS,
      ),
    )
    .option('-o, --output <file>', 'write to this file; its ending tells the format')
    .option('--top <n>', `show the n largest changes, 0 for all (default: ${DEFAULT_TOP} in text, else all)`, count())
    .option('--sort <what>', 'order groups by change, relative (change), count, or a measure', 'change')
    .addOption(
      new Option('--per <what>', 'show and order calls as they are, for each operation or second')
        .choices(['call', 'operation', 'second'])
        .default('call'),
    )
    .option('--where <expression>', 'only calls like this: comm=db_bench && frame~ext4_ && !entry=write')
    .option('--fail-if <condition>', "end with status 3 where this holds: 'total > +5%', 'new site'", repeated(String))
    .addOption(new Option('--explain <style>', 'explain what is new or gone').choices(EXPLAIN_STYLES).default('short'))
    .option('--verbose', 'every caller that has come or gone');
  return addInputOptions(diff)
    .addHelpText('after', EXAMPLES)
    .action(async (words: string[], options: DiffOptions) => {
      const sides = sidesOf(words);
      check(options, sides.flat());
      const runs: Inputs[][] = [];
      for (const side of sides) {
        const read: Inputs[] = [];
        for (const file of side) read.push(await readFiles([file], options));
        runs.push(read);
      }
      await print(runs, options);
      for (const run of runs.flat()) tellUnreadable(run);
    });
}

/** Files between `--` are runs of one side; without any, each file is a side of its own. */
function sidesOf(words: readonly string[]): string[][] {
  if (!words.includes(SET_SEPARATOR)) {
    if (words.length < 2) throw new UsageError('diff takes two recordings or more: whocalls diff BASE OTHER');
    return words.map((word) => [word]);
  }
  const sides: string[][] = [[]];
  for (const word of words) {
    if (word === SET_SEPARATOR) sides.push([]);
    else sides.at(-1)?.push(word);
  }
  if (sides.some((side) => side.length === 0)) throw new UsageError("diff takes recordings on both sides of '--'");
  return sides;
}

/** What is mistyped is found before anything is read. */
function check({ output, format, where, failIf = [] }: DiffOptions, files: readonly string[]): void {
  if (files.filter((file) => file === '-').length > 1) throw new UsageError("'-' (standard input) can be read once");
  if (where !== undefined) parseWhere(where);
  for (const condition of failIf) checkCondition(condition);
  if (!isFile(output)) return;
  if (format === undefined) comparisonFormatOfFile(output);
  checkWritable(output);
  refuseInput(output, files);
}

function checkCondition(condition: string): void {
  try {
    parseCondition(condition);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const text = printable(condition);
    throw new UsageError(`--fail-if: ${error.problem}\n  ${text}\n  ${' '.repeat(error.at)}^`);
  }
}

function isFile(output: string | undefined): output is string {
  return output !== undefined && output !== '-';
}

async function print(runs: readonly (readonly ComparedRun[])[], options: DiffOptions): Promise<void> {
  const { output } = options;
  const format = options.format ?? (isFile(output) ? comparisonFormatOfFile(output) : 'text');
  const report = buildComparison(runs, { ...options, top: options.top ?? (format === 'text' ? DEFAULT_TOP : 0) });
  const content = writeComparison(report, format, {
    width: outputWidth(),
    colour: !isFile(output) && hasColour(),
    verbose: options.verbose ?? false,
  });
  if (isFile(output)) await toFile(output, content);
  else await toStdout(content);
  tellVerdicts(report);
}

/** A line for each condition that struck. One that cannot be judged must not pass for one that holds. */
function tellVerdicts(report: ComparisonReport): void {
  const struck = report.verdicts.filter(({ isStruck }) => isStruck);
  for (const verdict of struck) process.stderr.write(`whocalls: ${printable(verdictText(verdict, report))}\n`);
  const unknown = report.verdicts.find((verdict) => unjudged(verdict) !== null);
  if (unknown) throw new UserError(`${printable(verdictText(unknown, report))}`);
  if (struck.length > 0) process.exitCode = STRUCK;
}
