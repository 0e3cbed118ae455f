import type { Census } from '../census/census.ts';
import type { Group } from '../census/group.ts';
import { callsPerPhase } from '../census/phases.ts';
import { type Report, workloadOf } from './report.ts';

/** Ways through programs that are listed of a group. */
const MOST_PROGRAMS = 20;

/** Name and version of the JSON form. */
export const REPORT_SCHEMA = 'whocalls/report/1';

/** The report as JSON, with stable keys; docs/report.md lists them. Ends with a newline. */
export function jsonReport(report: Report): string {
  const { census, grouped, where, input } = report;
  const { facts } = census;
  const document = {
    schema: REPORT_SCHEMA,
    targets: census.targets,
    kernel: facts.kernels.length === 0 ? null : facts.kernels.join(', '),
    command:
      facts.commands.length === 1 ? facts.commands[0] : facts.commands.length === 0 ? null : facts.commands.flat(),
    workload: jsonWorkload(census),
    durationSeconds: facts.durationSeconds,
    calls: {
      total: census.total,
      attributed: census.attributed,
      losses: census.losses,
      ...(where !== '' && { matching: grouped.matching }),
      ...(grouped.doubted > 0 && { doubted: grouped.doubted }),
    },
    by: grouped.by,
    ...(where !== '' && { where }),
    groups: grouped.groups.map((group) => jsonGroup(group, report)),
    ...(facts.warnings.length > 0 && { warnings: facts.warnings }),
    notes: facts.notes,
    input: input && {
      format: input.format,
      skippedLines: input.skippedLines,
      examples: input.examples,
      ...(input.truncated.length > 0 && { truncated: input.truncated }),
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The workload, its phases with the calls each saw. */
function jsonWorkload(census: Census): object | null {
  const workload = workloadOf(census);
  if (!workload?.phases) return workload;
  const counted = new Map(callsPerPhase(census).map(({ phase, calls }) => [phase, calls]));
  return { ...workload, phases: workload.phases.map((phase) => ({ ...phase, calls: counted.get(phase) })) };
}

function jsonGroup(group: Group, report: Report): object {
  const { text, confidence } = group.rank === null ? { text: '', confidence: 'unknown' } : report.explain(group);
  const path = group.paths[0]?.path;
  return {
    rank: group.rank,
    key: group.key,
    count: group.count,
    share: Number(group.share.toFixed(6)),
    site: group.site,
    tree: group.tree && { id: group.tree.id, name: group.tree.name },
    subsystem: group.subsystem,
    ...(group.object !== null && { object: group.object }),
    entries: group.entries.map(({ kind, name, count }) => ({ kind, name, count })),
    comms: group.comms,
    stacks: group.stacks,
    ...(group.programs.length > 0 && { programs: group.programs.slice(0, MOST_PROGRAMS) }),
    frames: path && group.rank !== null ? path.frames.map((frame) => frame.name) : [],
    explanation: text,
    confidence,
  };
}
