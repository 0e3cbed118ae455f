import type { ComparedCaller } from '../census/compared-callers.ts';
import type { Change, Compared, ComparedSide, Figures } from '../census/comparison.ts';
import type { Difference, Spread } from '../census/spread.ts';
import { kindOfTarget } from '../census/target-kind.ts';
import type { Verdict } from '../census/verdict.ts';
import type { ComparedRun, ComparisonReport, ReportedChange } from './comparison.ts';
import { lossText, noteText, warningText } from './messages.ts';
import { verdictText } from './verdict-text.ts';

/** Name and version of the JSON form; `comparison-1.schema.json` in the package describes it. */
export const COMPARISON_SCHEMA = 'whocalls/comparison/1';

/**
 * The comparison as JSON, with stable keys; docs/diff.md lists them. Ends with a newline.
 *
 * @param version of whocalls
 */
export function comparisonJson(report: ComparisonReport, version: string): string {
  return `${JSON.stringify(comparisonDocument(report, version), null, 2)}\n`;
}

/** What {@link comparisonJson} writes, as an object. */
export function comparisonDocument(report: ComparisonReport, version: string): object {
  const { comparison, names, runs, where, per } = report;
  return {
    schema: COMPARISON_SCHEMA,
    whocalls: version,
    by: [comparison.by],
    where: where === '' ? null : where,
    per,
    sides: comparison.sides.map((side, i) => jsonSide(names[i] ?? '', side, runs[i] ?? [])),
    measures: comparison.measures,
    total: jsonCompared(comparison.total),
    matching: jsonCompared(comparison.matching),
    lost: jsonCompared(comparison.lost),
    tally: comparison.tally,
    groups: report.groups.map((group) => jsonGroup(group, report)),
    conditions: report.verdicts.map((verdict) => jsonVerdict(verdict, report)),
  };
}

function jsonSide(name: string, side: ComparedSide, runs: readonly ComparedRun[]): object {
  return {
    name,
    operations: side.operations && jsonSpread(side.operations),
    durationSeconds: side.seconds && jsonSpread(side.seconds),
    attributed: jsonSpread(side.attributed),
    doubted: jsonSpread(side.doubted),
    runs: runs.map(jsonRun),
  };
}

function jsonRun({ census, files = [], unreadable = [] }: ComparedRun): object {
  const { facts } = census;
  return {
    files: files.map(({ name, format, truncated, skippedLines }) => ({ name, format, truncated, skippedLines })),
    unreadable,
    targets: census.targets.map((name) => ({ name, kind: kindOfTarget(name) })),
    kernel: facts.kernels.length === 0 ? null : facts.kernels.join(', '),
    architecture: facts.architectures.length === 0 ? null : facts.architectures.join(', '),
    commands: facts.commands,
    startedAt: facts.startedAt,
    losses: census.losses.map((loss) => ({ ...loss, text: lossText(loss) })),
    warnings: facts.warnings.map((warning) => ({ ...warning, text: warningText(warning) })),
    notes: facts.notes.map((note) => ({ ...note, text: noteText(note) })),
  };
}

function jsonCompared({ sides, changes }: Compared): { sides: object[]; changes: object[] } {
  return { sides: sides.map(jsonFigures), changes: changes.map(jsonChange) };
}

function jsonFigures({ calls, perOperation, perSecond }: Figures): object {
  return {
    calls: jsonSpread(calls),
    perOperation: perOperation && jsonSpread(perOperation),
    perSecond: perSecond && jsonSpread(perSecond),
  };
}

function jsonSpread({ median, least, most, runs }: Spread): object {
  return { median, least, most, runs };
}

function jsonChange({ status, calls, perOperation, perSecond }: Change): object {
  return {
    status,
    calls: jsonDifference(calls),
    perOperation: perOperation && jsonDifference(perOperation),
    perSecond: perSecond && jsonDifference(perSecond),
  };
}

function jsonDifference({ absolute, relative, beyondSpread }: Difference): object {
  return { absolute, relative, beyondSpread };
}

function jsonGroup(group: ReportedChange, { comparison, names }: ComparisonReport): object {
  const { rank, key, isUnknown, site, subject, subsystem, sums, callers, changedCallers, inPlaceOf, explanation } =
    group;
  return {
    rank,
    key,
    isUnknown,
    site: site && { name: site.name, module: site.module },
    subject,
    subsystem,
    ...jsonCompared(group),
    measures: Object.fromEntries(
      comparison.measures.map(({ name }, i) => [name, sums.map((side) => side[i]?.median ?? 0)]),
    ),
    callers: callers.map(jsonCaller),
    changedCallers: changedCallers.map((one) => ({ ...one, side: names[one.side] })),
    inPlaceOf,
    explanation: explanation?.text ?? '',
  };
}

function jsonCaller({ name, sides, changes }: ComparedCaller): object {
  return { name, sides: sides.map(jsonSpread), changes };
}

function jsonVerdict(verdict: Verdict, report: ComparisonReport): object {
  const { condition, side, isStruck, amount, found } = verdict;
  return {
    condition: condition.text,
    side: report.names[side],
    struck: amount === null && condition.kind === 'amount' ? null : isStruck,
    amount: amount && {
      base: jsonSpread(amount.base),
      other: jsonSpread(amount.other),
      difference: jsonDifference(amount.difference),
    },
    found,
    text: verdictText(verdict, report),
  };
}
