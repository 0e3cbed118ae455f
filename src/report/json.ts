import type { Census } from '../census/census.ts';
import type { Message } from '../census/message.ts';
import { callsPerPhase } from '../census/phases.ts';
import { kindOfTarget } from '../census/target-kind.ts';
import { coverageDocument } from './callers/data.ts';
import { lossText, noteText, warningText } from './messages.ts';
import { type InputFile, type Report, type ReportGroup, workloadOf } from './report.ts';

/** Program parts that are listed of a group. */
const MOST_PROGRAMS = 20;

/** Name and version of the JSON form; `report-2.schema.json` in the package describes it. */
export const REPORT_SCHEMA = 'whocalls/report/2';

/**
 * The report as JSON, with stable keys; docs/report.md lists them. Ends with a newline.
 *
 * @param version of whocalls
 */
export function jsonReport(report: Report, version: string): string {
  return `${JSON.stringify(reportDocument(report, version), null, 2)}\n`;
}

/** What {@link jsonReport} writes, as a value. */
export function reportDocument(report: Report, version: string): object {
  const { census, where, input } = report;
  const { facts } = census;
  return {
    schema: REPORT_SCHEMA,
    whocalls: version,
    targets: census.targets.map((name) => ({ name, kind: kindOfTarget(name) })),
    kernel: joined(facts.kernels),
    architecture: joined(facts.architectures),
    command: facts.commands.length === 1 ? facts.commands[0] : null,
    ...(facts.commands.length > 1 && { commands: facts.commands }),
    startedAt: facts.startedAt,
    durationSeconds: facts.durationSeconds,
    workload: jsonWorkload(census),
    calls: {
      total: census.total,
      attributed: census.attributed,
      ...(where !== '' && { matching: report.matching }),
      doubted: report.doubted,
      losses: census.losses.map((loss) => ({ ...loss, text: lossText(loss) })),
    },
    measures: census.measures.map(({ name, unit, of }, measure) => ({ name, unit, of, total: total(census, measure) })),
    by: [report.by],
    where: where === '' ? null : where,
    groups: report.groups.map((group) => jsonGroup(group, report)),
    notes: facts.notes.map(withText(noteText)),
    warnings: facts.warnings.map(withText(warningText)),
    hints: report.hints.map(({ says, command }) => ({ text: says, command })),
    ...(report.coverage && { coverage: coverageDocument(report.coverage) }),
    input: input && { files: input.files.map(jsonFile), unreadable: input.unreadable },
  };
}

function withText<M extends Message>(word: (message: M) => string): (message: M) => object {
  return (message) => ({ ...message, text: word(message) });
}

function joined(list: readonly string[]): string | null {
  return list.length === 0 ? null : list.join(', ');
}

function total({ rows }: Census, measure: number): number {
  let sum = 0;
  for (let row = 0; row < rows.size; row++) sum += rows.sum(row, measure);
  return sum;
}

/** The workload, its phases with the calls each saw. */
function jsonWorkload(census: Census): object | null {
  const workload = workloadOf(census);
  if (!workload) return null;
  const { name, phases, jobs, ...facts } = workload;
  const counted = new Map(callsPerPhase(census).map(({ phase, calls }) => [phase, calls]));
  return {
    name,
    facts,
    ...(jobs && { jobs }),
    phases: (phases ?? []).map((phase) => ({ ...phase, calls: counted.get(phase) })),
  };
}

function jsonGroup(group: ReportGroup, { census }: Report): object {
  const { explanation, site } = group;
  const path = group.rank === null ? undefined : group.paths[0]?.path;
  return {
    rank: group.rank,
    key: group.key,
    isUnknown: group.isUnknown,
    count: group.count,
    share: share(group.share),
    measures: Object.fromEntries(census.measures.map(({ name }, measure) => [name, group.sums[measure] ?? 0])),
    site: site && { name: site.name, module: site.module, file: group.siteFile, line: site.line ?? null },
    subject: jsonSubject(group),
    subsystem: group.subsystem,
    ...(group.object !== null && { object: group.object }),
    decisions: explanation?.decisions.map(({ text, count }) => ({ text, share: share(count / group.count) })) ?? [],
    entries: group.entries.map(({ kind, name, count, after }) => ({
      kind,
      name,
      count,
      ...(after.length > 0 && { after }),
    })),
    comms: group.comms,
    stacks: group.stacks,
    ...(group.programs.length > 0 && { programs: group.programs.slice(0, MOST_PROGRAMS) }),
    frames: path ? path.frames.map((frame) => frame.name) : [],
    explanation: explanation?.text ?? '',
    confidence: explanation?.confidence ?? { decision: 'unknown', subject: 'unknown', entry: 'unknown' },
  };
}

function jsonSubject({ subject, explanation }: ReportGroup): object | null {
  if (!subject) return null;
  const isSame = explanation?.subject?.id === subject.id;
  return {
    ...subject,
    confidence: isSame ? explanation.confidence.subject : 'certain',
    candidates: (isSame ? explanation.candidates : []).map(({ id, name }) => ({ id, name })),
  };
}

function share(value: number): number {
  return Number(value.toFixed(6));
}

function jsonFile({ name, format, calls, lost, skippedLines, examples, truncated, notes, peeled }: InputFile): object {
  return {
    name,
    format,
    calls,
    lost,
    skippedLines,
    examples,
    ...(truncated !== null && { truncated }),
    ...(notes.length > 0 && { notes: notes.map(withText(noteText)) }),
    ...(peeled.size > 0 && { peeled: Object.fromEntries(peeled) }),
  };
}
