import { type Explanation, explainGroup } from '../atlas/explain.ts';
import { type Hint, hintsFor } from '../atlas/hints.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { atlasLabeller, placeOfFrame } from '../atlas/labeller.ts';
import type { Census } from '../census/census.ts';
import { GROUPINGS } from '../census/dimensions.ts';
import { type Group, groupCensus } from '../census/group.ts';
import type { Note } from '../census/message.ts';
import { dimensionsIn, parseWhere } from '../census/where.ts';
import type { Workload } from '../census/workload.ts';
import { UsageError } from '../errors.ts';
import type { ReadResult } from '../formats/read-file.ts';
import type { CallersReport } from './callers/build.ts';
import { commandLine } from './command-line.ts';

export const EXPLAIN_STYLES = ['off', 'short', 'full'] as const;
export type ExplainStyle = (typeof EXPLAIN_STYLES)[number];

/** What a report is to show. */
export interface ReportOptions {
  /** The dimension calls are counted together by; `site` unless told. */
  readonly by?: string;
  /** A filter expression ({@link parseWhere}). */
  readonly where?: string;
  /** Keep so many groups and put the rest into one; 0 or nothing: all. */
  readonly top?: number;
  /** `count`, or the name of a measure of the census. */
  readonly sort?: string;
  /** How much is said of each group; `short` unless told. */
  readonly explain?: ExplainStyle;
}

/** One file that a report was made of. */
export interface InputFile {
  readonly name: string;
  /** Name of its format. */
  readonly format: string;
  /** Calls it told of, the lost ones among them. */
  readonly calls: number;
  readonly lost: number;
  readonly skippedLines: number;
  readonly examples: readonly { readonly line: number; readonly text: string; readonly why: string }[];
  /** Why it ends too early; null where it does not. */
  readonly truncated: string | null;
  readonly notes: readonly Note[];
  /** Frames of recording tools that were peeled off, by name. */
  readonly peeled: ReadonlyMap<string, number>;
}

/** A file of which nothing could be used. */
export interface UnreadableFile {
  readonly name: string;
  /** One line, which names the file. */
  readonly why: string;
}

/** The files a report was made of. */
export interface ReportInput {
  /** By name. */
  readonly files: readonly InputFile[];
  readonly unreadable: readonly UnreadableFile[];
}

/** Calls counted together, and what is said of them. */
export interface ReportGroup extends Group {
  /** The source file of the site; null where unknown. */
  readonly siteFile: string | null;
  /** null for what `--top` cut off. */
  readonly explanation: Explanation | null;
}

/** Everything a report says, in whatever form. */
export interface Report {
  readonly census: Census;
  readonly by: string;
  /** The filter expression, '' where there is none. */
  readonly where: string;
  readonly groups: readonly ReportGroup[];
  /** Calls the filter let through; all attributed ones without a filter. */
  readonly matching: number;
  /** Where a filter let nothing through: the commonest values of the dimensions it asks for. */
  readonly otherValues: readonly { readonly dimension: string; readonly values: readonly string[] }[];
  /** Of these, calls whose path had to be read from unreliable frames, or lacks lines that could not be read. */
  readonly doubted: number;
  /** Of the doubted, calls that lack lines. */
  readonly partial: number;
  /** Commands that show more of this very case, at most three. */
  readonly hints: readonly Hint[];
  /** Which call sites of the kernel image the calls used, where that was asked for. */
  readonly coverage?: CallersReport;
  /** The files it was made of; null for a live recording. */
  readonly input: ReportInput | null;
}

/**
 * Groups and explains a census.
 *
 * @param input what was read, for reports of files
 * @throws {UsageError} a filter with a mistake, no such dimension or measure
 */
export function buildReport(census: Census, options: ReportOptions = {}, input: ReportInput | null = null): Report {
  const { by = 'site', where = '', top = 0, explain = 'short' } = options;
  if (!GROUPINGS.includes(by))
    throw new UsageError(`calls cannot be grouped by ${by} (known: ${GROUPINGS.join(', ')})`);
  const { groups, matching, doubted, partial } = groupCensus(census, {
    by,
    knowledge: kernelKnowledge(),
    labeller: atlasLabeller,
    ...(where !== '' && { where: parseWhere(where) }),
    ...(top > 0 && { top }),
    ...sortOption(census, options.sort),
  });
  return {
    census,
    by,
    where,
    groups: groups.map((group) => reported(group, explain)),
    matching,
    doubted,
    partial,
    otherValues: where !== '' && matching === 0 ? otherValues(census, where) : [],
    hints: hintsFor(
      groups.flatMap(({ paths }) => paths),
      census.facts.commands.length === 1 ? commandLine(census.facts.commands[0] ?? []) : '',
    ),
    input,
  };
}

/** What could have been asked for. */
function otherValues(census: Census, where: string): Report['otherValues'] {
  const asked = GROUPINGS.filter((name) => dimensionsIn(where).includes(name));
  return asked.flatMap((dimension) => {
    const { groups } = groupCensus(census, { by: dimension, knowledge: kernelKnowledge(), labeller: atlasLabeller });
    const values = groups.flatMap(({ key }) => key ?? []);
    return values.length === 0 ? [] : [{ dimension, values }];
  });
}

function sortOption(census: Census, sort = 'count'): { sortByMeasure?: number } {
  if (sort === 'count') return {};
  const sortByMeasure = census.measures.findIndex(({ name }) => name === sort);
  if (sortByMeasure >= 0) return { sortByMeasure };
  const known = ['count', ...census.measures.map(({ name }) => name)].join(', ');
  throw new UsageError(`--sort ${sort}: nothing of that name was added up (known: ${known})`);
}

function reported(group: Group, style: ExplainStyle): ReportGroup {
  const [commonest] = group.paths;
  if (group.rank === null || !commonest) return { ...group, siteFile: null, explanation: null };
  const { entries, comms, count, paths } = group;
  const explanation = explainGroup(
    { path: commonest.path, paths, entries, comms, count },
    style === 'full' ? 'full' : 'short',
  );
  return {
    ...group,
    siteFile: siteFileOf(group),
    explanation: style === 'off' ? { ...explanation, text: '' } : explanation,
  };
}

/** Looked up on the commonest path through the site, since a name may stand for functions of several files. */
function siteFileOf({ site, paths }: Group): string | null {
  if (site === null) return null;
  if (site.file !== undefined) return site.file;
  const through = paths.find(({ path }) => path.frames[path.site]?.name === site.name)?.path;
  if (!through || through.entry.kind === 'user') return null;
  return placeOfFrame(through, through.site)?.file ?? null;
}

/** What a report says of a file that was read. */
export function inputFile({ name, format, census, diagnostics }: ReadResult): InputFile {
  const { skippedLines, examples, truncated, notes, peeled } = diagnostics;
  const { total: calls, lost } = census;
  return { name, format, calls, lost, skippedLines, examples, truncated, notes, peeled };
}

/** The workload of a census, if it had exactly one. */
export function workloadOf(census: Census): Workload | null {
  const { workloads } = census.facts;
  return workloads.length === 1 ? (workloads[0] ?? null) : null;
}
