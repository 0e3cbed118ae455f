import type { Census } from './census.ts';
import { type ClassifiedCall, Classifier } from './classify.ts';
import { type CallFacts, type Dimension, dimensionNamed, GROUPINGS, unknownLabel } from './dimensions.ts';
import type { EntryKind, KernelKnowledge, PathFrame, PathLabeller, PathView, Subject } from './knowledge.ts';
import { PhaseClock } from './phases.ts';
import { Votes } from './votes.ts';
import type { CallFilter } from './where.ts';

/** A name with the calls it stands for. */
export interface Tally {
  readonly name: string;
  readonly count: number;
}

/** An entry with the calls that started there. */
export interface EntryTally extends Tally {
  readonly kind: EntryKind;
  /** Of work on the way back to user space: how the kernel was entered before, commonest first; else empty. */
  readonly after: readonly Tally[];
}

/** A path with the calls that took it. */
export interface PathTally {
  readonly path: PathView;
  readonly count: number;
}

/** What a program was doing when it entered the kernel, with the calls that came of it. */
export interface ProgramTally {
  /** Functions of user space, innermost first. */
  readonly frames: readonly string[];
  readonly count: number;
}

/** Calls counted together. */
export interface Group {
  /** 1 for the largest; null for what `--top` cut off. */
  readonly rank: number | null;
  /** The value the calls have in common; null where it is not known, and for what `--top` cut off. */
  readonly key: string | null;
  /** The key as it is printed; where there is none, what stands for it: `(not recorded)`. */
  readonly label: string;
  /** The calls have in common that their value is not known. */
  readonly isUnknown: boolean;
  readonly count: number;
  /** Of all calls of the census, losses included. */
  readonly share: number;
  /** Sums of the measures of the census, in their order. */
  readonly sums: readonly number[];
  /** The site, subject and subsystem of most of the calls. */
  readonly site: PathFrame | null;
  readonly subject: Subject | null;
  readonly subsystem: string | null;
  /** The program or library of most sites that are user functions; null for kernel functions and where unknown. */
  readonly object: string | null;
  readonly entries: readonly EntryTally[];
  /** Process names; calls whose process was not recorded are in none. */
  readonly comms: readonly Tally[];
  /** How many distinct stacks there are, by symbol and offset over their whole length. */
  readonly stacks: number;
  /** The paths, commonest first. */
  readonly paths: readonly PathTally[];
  /** Where recorded: the user part of stacks whose program itself entered the kernel, commonest first. */
  readonly programs: readonly ProgramTally[];
}

/** A census, grouped. The counts of the groups add up to `matching`. */
export interface GroupedCensus {
  /** Name of the dimension. */
  readonly by: string;
  readonly groups: readonly Group[];
  /** Calls the filter let through; all attributed ones without a filter. */
  readonly matching: number;
  /** Of these, calls whose path had to be read from unreliable frames, or lacks lines that could not be read. */
  readonly doubted: number;
  /** Of the doubted, calls that lack lines. */
  readonly partial: number;
}

export interface GroupOptions {
  /** Name of a dimension ({@link GROUPINGS}), or one that is in no list. */
  readonly by: string | Dimension;
  readonly knowledge: KernelKnowledge;
  /** Names subjects and subsystems; without one they are unknown. */
  readonly labeller?: PathLabeller;
  readonly where?: CallFilter;
  /** Keep this many groups and put the rest in one of rank null. */
  readonly top?: number;
  /** Order by the sum of this measure, an index into {@link Census.measures}, in place of the count. */
  readonly sortByMeasure?: number;
}

/** Paths that are one to the reader. */
interface GroupedPath {
  /** Target, argument and functions: what they have in common. */
  readonly key: string;
  readonly calls: { readonly call: ClassifiedCall; readonly count: number }[];
  count: number;
}

/** What the group is called that holds what `--top` cut off. */
const OTHER = '(other)';

/**
 * Sorts the calls of a census into groups, largest first.
 *
 * @throws {RangeError} `by` is no dimension that calls are grouped by
 */
export function groupCensus(census: Census, options: GroupOptions): GroupedCensus {
  const { by } = options;
  const dimension = typeof by === 'string' ? dimensionNamed(by) : by;
  if (!dimension || dimension.isFilterOnly) {
    throw new RangeError(`calls cannot be grouped by ${dimension?.name ?? by} (known: ${GROUPINGS.join(', ')})`);
  }
  const classifier = new Classifier(census, options.knowledge, options.labeller);
  const clock = new PhaseClock(census);
  const building = new Map<string, GroupBuilder>();
  let matching = 0;
  let doubted = 0;
  let partial = 0;
  for (let number = 0; number < census.rows.size; number++) {
    const row = census.rows.row(number);
    const call = classifier.classify(row);
    const facts: CallFacts = { census, row, key: classifier.keyOf(row.key), call, clock };
    if (options.where && !options.where(facts)) continue;
    matching += row.count;
    if (call.path.isDoubted || call.path.isPartial) doubted += row.count;
    if (call.path.isPartial) partial += row.count;
    const group = groupOf(building, dimension, facts);
    group.add(facts, classifier.programOf(row, call));
    for (let measure = 0; measure < census.measures.length; measure++) {
      group.addSum(measure, census.rows.sum(number, measure));
    }
  }
  const sorted = [...building.values()].sort(order(options.sortByMeasure));
  const total = census.total;
  const top = Math.min(options.top ?? sorted.length, sorted.length);
  const groups = sorted.slice(0, top).map((group, i) => group.finish(i + 1, total));
  if (top < sorted.length) {
    const rest = new GroupBuilder(null, OTHER, false);
    for (const group of sorted.slice(top)) rest.absorb(group);
    groups.push({ ...rest.finish(null, total), site: null, subject: null, subsystem: null, object: null });
  }
  return { by: dimension.name, groups, matching, doubted, partial };
}

function groupOf(building: Map<string, GroupBuilder>, dimension: Dimension, facts: CallFacts): GroupBuilder {
  const key = dimension.valueOf(facts);
  const label = key ?? unknownLabel(dimension, facts);
  const id = `${key === null ? '?' : '='}${label}`;
  let group = building.get(id);
  if (!group) {
    group = new GroupBuilder(key, label, key === null);
    building.set(id, group);
  }
  return group;
}

function order(measure: number | undefined): (a: GroupBuilder, b: GroupBuilder) => number {
  const size = (group: GroupBuilder) => (measure === undefined ? group.count : (group.sums[measure] ?? 0));
  return (a, b) =>
    size(b) - size(a) || b.count - a.count || compare(a.label, b.label) || compare(String(a.key), String(b.key));
}

class GroupBuilder {
  readonly key: string | null;
  readonly label: string;
  readonly sums: number[] = [];
  count = 0;
  readonly #isUnknown: boolean;
  readonly #stacks = new Set<number>();
  readonly #calls = new Map<ClassifiedCall, number>();
  readonly #comms = new Map<string, number>();
  readonly #programs = new Map<readonly string[], number>();

  constructor(key: string | null, label: string, isUnknown: boolean) {
    this.key = key;
    this.label = label;
    this.#isUnknown = isUnknown;
  }

  add({ row, call, key }: CallFacts, program: readonly string[] | null): void {
    if (program !== null) increase(this.#programs, program, row.count);
    this.count += row.count;
    this.#stacks.add(row.stack);
    increase(this.#calls, call, row.count);
    if (key.comm !== '') increase(this.#comms, key.comm, row.count);
  }

  addSum(measure: number, value: number): void {
    this.sums[measure] = (this.sums[measure] ?? 0) + value;
  }

  absorb(other: GroupBuilder): void {
    this.count += other.count;
    for (const [measure, sum] of other.sums.entries()) this.addSum(measure, sum);
    for (const stack of other.#stacks) this.#stacks.add(stack);
    for (const [call, count] of other.#calls) increase(this.#calls, call, count);
    for (const [comm, count] of other.#comms) increase(this.#comms, comm, count);
    for (const [program, count] of other.#programs) increase(this.#programs, program, count);
  }

  finish(rank: number | null, total: number): Group {
    // Paths that differ only in offsets are one to the reader.
    const paths = new Map<string, GroupedPath>();
    const entries = new Map<string, { name: string; kind: EntryKind; count: number; after: Map<string, number> }>();
    const sites = new Votes<PathFrame | null>();
    const subjects = new Votes<Subject | null>();
    const subsystems = new Votes<string | null>();
    const objects = new Votes<string | null>();
    for (const [call, count] of this.#calls) {
      const { view, labels, site } = call;
      const key = JSON.stringify([view.target, view.argument, ...view.frames.map((frame) => frame.name)]);
      let path = paths.get(key);
      if (!path) {
        path = { key, calls: [], count: 0 };
        paths.set(key, path);
      }
      path.count += count;
      path.calls.push({ call, count });
      const { kind, name, after } = view.entry;
      let entry = entries.get(`${kind}\0${name}`);
      if (!entry) {
        entry = { kind, name, count: 0, after: new Map() };
        entries.set(`${kind}\0${name}`, entry);
      }
      entry.count += count;
      if (after !== undefined) increase(entry.after, after, count);
      const siteDetail = site && JSON.stringify([site.module, site.file, site.line, site.inlined]);
      sites.add(site?.name ?? '', siteDetail ?? '', site, count);
      subjects.add(labels.subject?.id ?? '', '', labels.subject, count);
      subsystems.add(labels.subsystem ?? '', '', labels.subsystem, count);
      const object = (view.entry.kind === 'user' && site?.module) || null;
      objects.add(object ?? '', '', object, count);
    }
    const sorted = [...paths.values()]
      .sort(byCountOfPath)
      .map(({ calls, count }) => ({ call: commonest(calls), count }));
    // Of two equals the one is named that the path has which reports show.
    const shown = sorted[0]?.call;
    return {
      rank,
      key: this.key,
      label: this.label,
      isUnknown: this.#isUnknown,
      count: this.count,
      share: total === 0 ? 0 : this.count / total,
      sums: this.sums,
      site: sites.winner(shown?.site?.name) ?? null,
      subject: subjects.winner(shown?.labels.subject?.id) ?? null,
      subsystem: subsystems.winner(shown?.labels.subsystem ?? '') ?? null,
      object: objects.winner(shown?.site?.module) ?? null,
      entries: [...entries.values()].map((entry) => ({ ...entry, after: tallied(entry.after) })).sort(byCountAndKind),
      comms: tallied(this.#comms),
      stacks: this.#stacks.size,
      programs: this.#programTallies(),
      paths: sorted.map(({ call, count }) => ({ path: call.view, count })),
    };
  }

  /** Stacks that differ only in offsets are one program part to the reader. */
  #programTallies(): ProgramTally[] {
    const byFrames = new Map<string, { frames: readonly string[]; count: number }>();
    for (const [frames, count] of this.#programs) {
      const text = frames.join('\0');
      const known = byFrames.get(text);
      if (known) known.count += count;
      else byFrames.set(text, { frames, count });
    }
    return [...byFrames.values()].sort(
      (a, b) => b.count - a.count || compare(a.frames.join('\0'), b.frames.join('\0')),
    );
  }
}

function increase<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** What most of these have in common that look the same to the reader. */
function commonest(calls: GroupedPath['calls']): ClassifiedCall {
  const [first] = calls;
  if (!first) throw new RangeError('a path without calls');
  if (calls.length === 1) return first.call;
  const votes = new Votes<ClassifiedCall>();
  for (const { call, count } of calls) votes.add(JSON.stringify(call.view), '', call, count);
  return votes.winner() ?? first.call;
}

function tallied(counts: ReadonlyMap<string, number>): Tally[] {
  return [...counts].map(([name, count]) => ({ name, count })).sort(byCount);
}

function byCount(a: Tally, b: Tally): number {
  return b.count - a.count || compare(a.name, b.name);
}

function byCountAndKind(a: EntryTally, b: EntryTally): number {
  return byCount(a, b) || compare(a.kind, b.kind);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byCountOfPath(a: GroupedPath, b: GroupedPath): number {
  return b.count - a.count || comparePaths(a, b) || compare(a.key, b.key);
}

function comparePaths({ calls: [one] }: GroupedPath, { calls: [other] }: GroupedPath): number {
  const left = one?.call.view.frames ?? [];
  const right = other?.call.view.frames ?? [];
  const shorter = Math.min(left.length, right.length);
  for (let i = 0; i < shorter; i++) {
    const difference = compare(left[i]?.name ?? '', right[i]?.name ?? '');
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
