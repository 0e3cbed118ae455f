import { type Explanation, explainGroup } from '../atlas/explain.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { atlasLabeller } from '../atlas/labeller.ts';
import type { Census } from '../census/census.ts';
import { compareCensuses, comparedMeasures } from '../census/compare.ts';
import { callerOf } from '../census/compared-callers.ts';
import type { ChangeRate, ComparedGroup, Comparison } from '../census/comparison.ts';
import { parseCondition } from '../census/condition.ts';
import { GROUPINGS } from '../census/dimensions.ts';
import type { Group } from '../census/group.ts';
import { judge, type Verdict } from '../census/verdict.ts';
import { parseWhere } from '../census/where.ts';
import { UsageError } from '../errors.ts';
import type { ExplainStyle, InputFile, UnreadableFile } from './report.ts';

/** One run of a side, as `readFiles` and `readFile` give it. */
export interface ComparedRun {
  readonly census: Census;
  /** What it was read from. */
  readonly files?: readonly InputFile[];
  readonly unreadable?: readonly UnreadableFile[];
}

/** What a comparison is to show. */
export interface ComparisonOptions {
  /** The dimension calls are counted together by; `site` unless told, which also tells subjects apart. */
  readonly by?: string;
  /** A filter expression ({@link parseWhere}). */
  readonly where?: string;
  /** Keep so many groups and put the rest into one; 0 or nothing: all. */
  readonly top?: number;
  /** `change` (default), `relative`, `count`, or the name of a measure. */
  readonly sort?: string;
  /** By what changes are measured and put in order: `call` unless told. */
  readonly per?: ChangeRate;
  /** How much is said of groups that are new or gone; `short` unless told. */
  readonly explain?: ExplainStyle;
  /** Conditions that are judged, such as `total > +5%` or `new site`. */
  readonly failIf?: readonly string[];
}

/** A function that called a group's site on one side only. */
export interface ChangedCaller {
  readonly name: string;
  readonly status: 'new' | 'gone';
  /** Index of the side that it came to, or is gone from. */
  readonly side: number;
  /** Its calls, on the side that has it. */
  readonly calls: number;
  /** What it does there; '' where that is not known. */
  readonly decision: string;
}

/** A group of the comparison, and what is said of it. */
export interface ReportedChange extends ComparedGroup {
  /** Where it is new or gone on some side; else null. */
  readonly explanation: Explanation | null;
  readonly changedCallers: readonly ChangedCaller[];
}

/** Everything a comparison says, in whatever form. */
export interface ComparisonReport {
  readonly comparison: Comparison;
  /** `A`, `B`, … */
  readonly names: readonly string[];
  /** The runs of each side. */
  readonly runs: readonly (readonly ComparedRun[])[];
  /** The filter expression, '' where there is none. */
  readonly where: string;
  readonly per: ChangeRate;
  readonly groups: readonly ReportedChange[];
  readonly verdicts: readonly Verdict[];
}

/** Orders of `--sort` besides the measures. */
export const COMPARISON_ORDERS = ['change', 'relative', 'count'] as const;

/**
 * Compares sets of runs: the first is the base, every other one is compared with it.
 *
 * @throws {UsageError} fewer than two sides, a mistake in a filter or condition, no such dimension or measure
 */
export function buildComparison(
  sides: readonly (readonly ComparedRun[])[],
  options: ComparisonOptions = {},
): ComparisonReport {
  const { by = 'site', where = '', top = 0, per = 'call', explain = 'short', failIf = [] } = options;
  if (sides.length < 2 || sides.some((runs) => runs.length === 0)) {
    throw new UsageError('a comparison needs two sides: diff A B, or diff A1 A2 -- B1 B2');
  }
  if (!GROUPINGS.includes(by)) {
    throw new UsageError(`calls cannot be compared by ${by} (known: ${GROUPINGS.join(', ')})`);
  }
  const censuses = sides.map((runs) => runs.map(({ census }) => census));
  const judging = {
    knowledge: kernelKnowledge(),
    labeller: atlasLabeller,
    ...(where !== '' && { where: parseWhere(where) }),
  };
  const comparison = compareCensuses(censuses, {
    ...judging,
    by,
    per,
    ...(top > 0 && { top }),
    sort: orderOf(censuses.flat(), options.sort),
  });
  return {
    comparison,
    names: sides.map((_, side) => sideName(side)),
    runs: sides,
    where,
    per,
    groups: comparison.groups.map((group) => reported(group, explain)),
    verdicts: judge(censuses, failIf.map(parseCondition), judging),
  };
}

/** `A` to `Z`, then `S27`. */
function sideName(side: number): string {
  return side < 26 ? String.fromCharCode(65 + side) : `S${side + 1}`;
}

function orderOf(censuses: readonly Census[], sort = 'change') {
  const order = COMPARISON_ORDERS.find((name) => name === sort);
  if (order) return order;
  const names = comparedMeasures(censuses).map(({ name }) => name);
  const measure = names.indexOf(sort);
  if (measure >= 0) return { measure };
  throw new UsageError(
    `--sort ${sort}: nothing of that name was added up (known: ${[...COMPARISON_ORDERS, ...names].join(', ')})`,
  );
}

function reported(group: ComparedGroup, style: ExplainStyle): ReportedChange {
  const hasComeOrGone = group.changes.some(({ status }) => status === 'new' || status === 'gone');
  const example = group.examples.findLast((one) => one !== null);
  const isTold = style !== 'off' && group.rank !== null && hasComeOrGone && example;
  return {
    ...group,
    explanation: isTold ? explained(example, style) : null,
    changedCallers: changedCallers(group),
  };
}

function explained({ paths, entries, comms, count }: Group, style: ExplainStyle): Explanation | null {
  const [commonest] = paths;
  if (!commonest) return null;
  return explainGroup({ path: commonest.path, paths, entries, comms, count }, style === 'full' ? 'full' : 'short');
}

/** Callers that have come or gone in groups that are on both sides: of others all have. */
function changedCallers({ callers, changes, examples }: ComparedGroup): ChangedCaller[] {
  const found: ChangedCaller[] = [];
  for (const { name, sides, changes: ofCaller } of callers) {
    for (const [i, { status }] of ofCaller.entries()) {
      if ((status !== 'new' && status !== 'gone') || changes[i]?.status !== 'both') continue;
      const own = status === 'new' ? i + 1 : 0;
      found.push({
        name,
        status,
        side: i + 1,
        calls: sides[own]?.median ?? 0,
        decision: decisionOf(examples[own] ?? null, name),
      });
    }
  }
  return found.sort((a, b) => b.calls - a.calls);
}

/** What the site does for this caller, in most of its calls. */
function decisionOf(group: Group | null, caller: string): string {
  if (group === null) return '';
  const paths = group.paths.filter(({ path }) => callerOf(path) === caller);
  const [commonest] = paths;
  if (!commonest) return '';
  const count = paths.reduce((sum, one) => sum + one.count, 0);
  const { decisions } = explainGroup({ path: commonest.path, paths, entries: [], comms: [], count }, 'short');
  return decisions[0]?.text ?? '';
}
