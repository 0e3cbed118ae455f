// The table of groups as data: what is counted together, what is said of it, and rows for what is not in it, so that it
// adds up to the total.
import { type PageData, SYMBOL } from '../data/columns.ts';
import type { PageCensus } from '../page.ts';
import type { EntryTally, ReportGroup, Tally } from '../report.ts';
import { decisionsText } from '../text/explain.ts';
import { type Confidences, commonest, confidencesOf, decisionsOf, doubtedOf, pathsOf, tally } from './describe.ts';
import { type CallGroup, groupRows, rowsIn } from './groups.ts';
import { siteSymbol } from './sites.ts';

/** One group as the table has it. */
export interface TableGroup {
  /** Labels of the group and, before it, of the one it is within. */
  readonly labels: readonly string[];
  /** Place among its like, by calls. */
  readonly rank: number;
  readonly isUnknown: boolean;
  readonly count: number;
  readonly sums: readonly number[];
  /** null where there is no data but the report. */
  readonly rows: Uint32Array | null;
  /** The group of the report that is the same, where there is one. */
  readonly told: ReportGroup | null;
  /** Its place in the report. */
  readonly index: number;
  /** The groups within it, by the second dimension. */
  readonly inner: readonly TableGroup[];
}

/** What is said of a group. */
export interface Described {
  readonly site: string | null;
  readonly file: string | null;
  readonly subject: string | null;
  readonly subsystem: string | null;
  /** The program or library of a site in user space. */
  readonly object: string | null;
  /** Name of the family of subsystems, `core` where unknown. */
  readonly family: string;
  readonly explanation: string;
  readonly confidence: Confidences;
  /** Calls whose path was read from doubted frames, or lacks lines. */
  readonly doubted: number;
  readonly entries: readonly (Tally | EntryTally)[];
  readonly comms: readonly Tally[];
}

/**
 * The groups of the calls that are shown.
 *
 * @param by one dimension, or two
 * @param included by row; null: all
 */
export function tableGroups(census: PageCensus, by: readonly string[], included: Uint8Array | null): TableGroup[] {
  const { data, report } = census;
  const [outer = 'site', inner] = by;
  if (data === null) return report.groups.filter(({ rank }) => rank !== null).map(fromReport);
  const isReport = included === null && outer === 'site';
  const groups = groupRows(data, outer, included === null ? null : rowsIn(data, included));
  return groups.map((group, i) => ({
    ...fromRows(group, [], i),
    told: isReport ? sameGroup(report.groups[i], group) : null,
    inner: inner === undefined ? [] : withinGroup(data, group, inner),
  }));
}

function withinGroup(data: PageData, { label, rows }: CallGroup, by: string): TableGroup[] {
  return groupRows(data, by, rows).map((group, i) => fromRows(group, [label], i));
}

function fromRows({ label, isUnknown, count, sums, rows }: CallGroup, outer: readonly string[], i: number): TableGroup {
  const labels = [...outer, label];
  return { labels, rank: i + 1, isUnknown, count, sums, rows, told: null, index: i, inner: [] };
}

function fromReport(group: ReportGroup, i: number): TableGroup {
  const { key, site, isUnknown, count, measures } = group;
  return {
    labels: [key ?? site?.name ?? '(no caller)'],
    rank: i + 1,
    isUnknown,
    count,
    sums: Object.values(measures),
    rows: null,
    told: group,
    index: i,
    inner: [],
  };
}

/** Groups of report and page are made by the same rules; one that differs after all is not taken for the same. */
function sameGroup(told: ReportGroup | undefined, { label, count, isUnknown }: CallGroup): ReportGroup | null {
  const isSame = told?.count === count && told.isUnknown === isUnknown && (isUnknown || told.key === label);
  return isSame && told ? told : null;
}

const described = new WeakMap<TableGroup, Described>();

/** What is said of a group; found out when it is first asked for. */
export function describe(census: PageCensus, group: TableGroup): Described {
  let found = described.get(group);
  if (!found) {
    found = census.data && group.rows ? describeRows(census.data, group.rows, group.told) : describeTold(group.told);
    described.set(group, found);
  }
  return found;
}

function describeRows(data: PageData, rows: Uint32Array, told: ReportGroup | null): Described {
  const [path] = pathsOf(data, rows);
  const site = path === undefined ? null : siteSymbol(data, rows, path.end);
  const confidence = confidencesOf(data, rows);
  const subsystem = commonest(data, 'subsystem', rows);
  return {
    site: commonest(data, 'site', rows),
    file: told?.site?.file ?? (site === null ? null : data.symbols.file(site) || null),
    subject: commonest(data, 'subject', rows),
    subsystem,
    object: site === null ? null : objectOf(data, site),
    family: (site === null ? undefined : data.families[data.symbols.family[site] as number]) ?? 'core',
    explanation: told?.explanation ?? explanationOf(data, rows),
    confidence: told?.confidence ?? confidence,
    doubted: doubtedOf(data, rows),
    entries: told?.entries ?? tally(data, 'entry', rows),
    comms: tally(data, 'comm', rows).filter(({ isUnknown }) => !isUnknown),
  };
}

function objectOf({ symbols }: PageData, symbol: number): string | null {
  if (((symbols.flags[symbol] as number) & SYMBOL.user) === 0) return null;
  const module = symbols.module(symbol);
  return module.slice(module.lastIndexOf('/') + 1) || null;
}

/** A decision that is likely only, because the subject is, is told as such where it comes first. */
function explanationOf(data: PageData, rows: Uint32Array): string {
  const decisions = decisionsOf(data, rows);
  const first = decisions[0]?.text;
  const ofFirst = rows.filter((row) => data.decisions[data.rows.decision[row] as number] === first);
  const { decision, subject } = confidencesOf(data, ofFirst);
  return decisionsText(decisions, decision === 'likely' && subject === 'likely');
}

const NOTHING: Described = {
  site: null,
  file: null,
  subject: null,
  subsystem: null,
  object: null,
  family: 'core',
  explanation: '',
  confidence: { decision: 'unknown', subject: 'unknown', entry: 'unknown' },
  doubted: 0,
  entries: [],
  comms: [],
};

function describeTold(told: ReportGroup | null): Described {
  if (!told) return NOTHING;
  const { site, subject, subsystem, explanation, confidence, entries, comms } = told;
  return {
    ...NOTHING,
    site: site?.name ?? null,
    file: site?.file ?? null,
    subject: subject?.name ?? null,
    subsystem,
    explanation,
    confidence,
    entries,
    comms,
  };
}
