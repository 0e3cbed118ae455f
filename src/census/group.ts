import { type Census, UNKNOWN } from './census.ts';
import type { Entry, EntryKind, KernelKnowledge, PathLabeller, PathLabels, PathView, TreeLabel } from './knowledge.ts';
import { type Path, PathFinder } from './paths.ts';
import { PhaseClock } from './phases.ts';
import type { Row } from './row-table.ts';
import type { StackId } from './stack-table.ts';
import type { Filter, WhereField } from './where.ts';

export const GROUPINGS = [
  'site',
  'tree',
  'subsystem',
  'entry',
  'syscall',
  'comm',
  'pid',
  'cpu',
  'target',
  'stack',
  'argument',
  'phase',
] as const;
/** What calls can be counted together by. */
export type Grouping = (typeof GROUPINGS)[number];

/** A name with the calls it stands for. */
export interface Tally {
  readonly name: string;
  readonly count: number;
}

/** An entry with the calls that started there. */
export interface EntryTally extends Tally {
  readonly kind: EntryKind;
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
  /** What the calls have in common, as text: a site, a process name, a path, depending on the grouping. */
  readonly key: string;
  readonly count: number;
  /** Of all calls of the census, losses included. */
  readonly share: number;
  /** Site, tree and subsystem of most of the calls. */
  readonly site: string;
  readonly tree: TreeLabel | null;
  readonly subsystem: string | null;
  /** The program or library of most sites that are user functions; null for kernel functions and where unknown. */
  readonly object: string | null;
  readonly entries: readonly EntryTally[];
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
  readonly by: Grouping;
  readonly groups: readonly Group[];
  /** Calls the filter let through; all attributed ones without a filter. */
  readonly matching: number;
  /** Of these, calls whose path had to be read from frames the unwinder doubted. */
  readonly doubted: number;
}

export interface GroupOptions {
  readonly by: Grouping;
  readonly knowledge: KernelKnowledge;
  /** Names trees and subsystems; without one they are unknown. */
  readonly labeller?: PathLabeller;
  readonly where?: Filter;
  /** Keep this many groups and put the rest in one called `(other)`. */
  readonly top?: number;
}

/** No name of a function has it. */
const PROGRAM_SEPARATOR = '\0';

/** The key of the group that holds what `--top` cut off. */
export const OTHER = '(other)';
const NO_SITE = '(no caller)';
const NO_TREE = '(no tree known)';
const NO_SUBSYSTEM = '(subsystem unknown)';
/** What paths of user functions are, to those who ask about the kernel. */
const USER_CODE = '(user space)';
const NO_SYSCALL = '(no system call)';
const NO_PHASE = '(outside the phases)';
const NOT_RECORDED = '(not recorded)';

/** Sorts the calls of a census into groups, largest first. */
export function groupCensus(census: Census, options: GroupOptions): GroupedCensus {
  const classifier = new Classifier(census, options.knowledge, options.labeller);
  const clock = new PhaseClock(census);
  const building = new Map<string, GroupBuilder>();
  let matching = 0;
  let doubted = 0;
  for (const row of census.rows) {
    const call = classifier.classify(row);
    if (options.where && !options.where({ values: (field) => fieldValues(census, row, call, field, clock) })) continue;
    matching += row.count;
    if (call.path.isDoubted) doubted += row.count;
    const key = groupKey(census, row, call, options.by, clock);
    let group = building.get(key);
    if (!group) {
      group = new GroupBuilder(key);
      building.set(key, group);
    }
    group.add(row, call, census.string(row.comm) || NOT_RECORDED, classifier.programOf(row, call));
  }
  const sorted = [...building.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
  const total = census.total;
  const top = Math.min(options.top ?? sorted.length, sorted.length);
  const groups = sorted.slice(0, top).map((group, i) => group.finish(i + 1, total));
  if (top < sorted.length) {
    const rest = new GroupBuilder(OTHER);
    for (const group of sorted.slice(top)) rest.absorb(group);
    groups.push({ ...rest.finish(null, total), site: OTHER, tree: null, subsystem: null, object: null });
  }
  return { by: options.by, groups, matching, doubted };
}

/** A row's path with everything that is said of it; one object per distinct path, target and argument. */
interface ClassifiedCall {
  readonly path: Path;
  readonly view: PathView;
  readonly labels: PathLabels;
  readonly site: string;
}

const NO_LABELS: PathLabels = { tree: null, confidence: 'unknown', candidates: [], subsystem: null };

class Classifier {
  readonly #census: Census;
  readonly #finder: PathFinder;
  readonly #knowledge: KernelKnowledge;
  readonly #labeller: PathLabeller | undefined;
  /** By path and argument. */
  readonly #calls = new Map<Path, Map<number, ClassifiedCall>>();
  /** Paths whose entry only the name of their task tells, by path and that entry. */
  readonly #threadPaths = new Map<Path, Map<Entry, Path>>();
  /** User parts as text, by stack. */
  readonly #programs = new Map<StackId, string>();
  /** What the names of tasks tell, by id of the name. */
  readonly #threads = new Map<number, Entry | undefined>();

  constructor(census: Census, knowledge: KernelKnowledge, labeller: PathLabeller | undefined) {
    this.#census = census;
    this.#finder = new PathFinder(census, knowledge);
    this.#knowledge = knowledge;
    this.#labeller = labeller;
  }

  classify(row: Row): ClassifiedCall {
    const path = this.#pathOf(row);
    let byArgument = this.#calls.get(path);
    if (!byArgument) {
      byArgument = new Map();
      this.#calls.set(path, byArgument);
    }
    let call = byArgument.get(row.argument);
    if (!call) {
      call = this.#describe(path, row);
      byArgument.set(row.argument, call);
    }
    return call;
  }

  /**
   * The user part of a row's stack, as one text; null where there is none, or where an interrupt came: what it happened
   * to interrupt is no cause.
   */
  programOf({ stack }: Row, { path }: ClassifiedCall): string | null {
    const { stacks, symbols } = this.#census;
    const { kind } = path.entry;
    if (kind === 'user' || kind === 'interrupt' || kind === 'softirq' || kind === 'nmi') return null;
    if (stack === path.stack || symbols.space(stacks.symbol(stack)) !== 'user') return null;
    let text = this.#programs.get(stack);
    if (text === undefined) {
      const user = stacks.prefixes(stack).filter((at) => symbols.space(stacks.symbol(at)) === 'user');
      text = user.map((at) => symbols.name(stacks.symbol(at))).join(PROGRAM_SEPARATOR);
      this.#programs.set(stack, text);
    }
    return text;
  }

  /** Where the stack ends before it tells an entry, and in no inner context, the task may be one of the kernel's. */
  #pathOf(row: Row): Path {
    const path = this.#finder.pathOf(row.stack, row.target);
    if (path.entry.kind !== 'unknown' || path.stack !== row.stack) return path;
    if (!this.#threads.has(row.comm)) {
      this.#threads.set(row.comm, this.#knowledge.entryOfComm(this.#census.string(row.comm)));
    }
    const entry = this.#threads.get(row.comm);
    if (!entry) return path;
    let byThread = this.#threadPaths.get(path);
    if (!byThread) {
      byThread = new Map();
      this.#threadPaths.set(path, byThread);
    }
    let known = byThread.get(entry);
    if (!known) {
      known = { ...path, entry };
      byThread.set(entry, known);
    }
    return known;
  }

  #describe(path: Path, row: Row): ClassifiedCall {
    const view: PathView = {
      frames: path.frames,
      site: path.site,
      entry: path.entry,
      target: this.#census.targets[row.target] ?? onlyTarget(this.#census),
      argument: this.#census.string(row.argument),
      comm: this.#census.string(row.comm),
    };
    return {
      path,
      view,
      labels: this.#labeller?.label(view) ?? NO_LABELS,
      site: path.frames[path.site]?.name ?? NO_SITE,
    };
  }
}

/** The target of calls that name none: the only one there is, else unknown. */
function onlyTarget({ targets }: Census): string {
  return targets.length === 1 ? (targets[0] ?? '') : '';
}

function groupKey(census: Census, row: Row, call: ClassifiedCall, by: Grouping, clock: PhaseClock): string {
  switch (by) {
    case 'site':
      return call.site;
    case 'tree':
      return call.labels.tree?.name ?? (call.path.entry.kind === 'user' ? USER_CODE : NO_TREE);
    case 'subsystem':
      return call.labels.subsystem ?? (call.path.entry.kind === 'user' ? USER_CODE : NO_SUBSYSTEM);
    case 'entry':
      return call.path.entry.name;
    case 'syscall':
      return call.path.entry.kind === 'syscall' ? call.path.entry.name : NO_SYSCALL;
    case 'comm':
      return census.string(row.comm) || NOT_RECORDED;
    case 'pid':
      return row.pid === UNKNOWN ? NOT_RECORDED : String(row.pid);
    case 'cpu':
      return row.cpu === UNKNOWN ? NOT_RECORDED : String(row.cpu);
    case 'target':
      return census.targets[row.target] ?? NOT_RECORDED;
    case 'stack':
      return call.path.frames.map((frame) => frame.name).join(' <- ') || NO_SITE;
    case 'argument':
      return census.string(row.argument) || NOT_RECORDED;
    case 'phase':
      return clock.phaseOf(row.bucket)?.name ?? (clock.phases.length === 0 ? NOT_RECORDED : NO_PHASE);
  }
}

function fieldValues(
  census: Census,
  row: Row,
  call: ClassifiedCall,
  field: WhereField,
  clock: PhaseClock,
): readonly string[] {
  switch (field) {
    case 'frame':
      return call.path.frames.map((frame) => frame.name);
    case 'module':
      // A user function's is a file: asked for by its path or its name.
      return call.path.frames.flatMap(({ module }) => {
        const slash = module.lastIndexOf('/');
        return slash < 0 ? [module] : [module, module.slice(slash + 1)];
      });
    case 'tree':
      return call.labels.tree ? [call.labels.tree.id, call.labels.tree.name] : [];
    default:
      return [groupKey(census, row, call, field, clock)];
  }
}

class GroupBuilder {
  readonly key: string;
  count = 0;
  readonly #stacks = new Set<number>();
  readonly #calls = new Map<ClassifiedCall, number>();
  readonly #comms = new Map<string, number>();
  readonly #programs = new Map<string, number>();

  constructor(key: string) {
    this.key = key;
  }

  add(row: Row, call: ClassifiedCall, comm: string, program: string | null): void {
    if (program !== null) increase(this.#programs, program, row.count);
    this.count += row.count;
    this.#stacks.add(row.stack);
    increase(this.#calls, call, row.count);
    increase(this.#comms, comm, row.count);
  }

  absorb(other: GroupBuilder): void {
    this.count += other.count;
    for (const stack of other.#stacks) this.#stacks.add(stack);
    for (const [call, count] of other.#calls) increase(this.#calls, call, count);
    for (const [comm, count] of other.#comms) increase(this.#comms, comm, count);
    for (const [program, count] of other.#programs) increase(this.#programs, program, count);
  }

  finish(rank: number | null, total: number): Group {
    // Paths that differ only in offsets are one to the reader.
    const paths = new Map<string, { path: PathView; count: number }>();
    const entries = new Map<string, { name: string; kind: EntryKind; count: number }>();
    const sites = new Map<string, number>();
    const trees = new Map<TreeLabel | null, number>();
    const subsystems = new Map<string | null, number>();
    const objects = new Map<string | null, number>();
    for (const [call, count] of this.#calls) {
      const { view, labels } = call;
      const pathKey = `${view.target}\0${view.argument}\0${view.frames.map((frame) => frame.name).join('\0')}`;
      const known = paths.get(pathKey);
      if (known) known.count += count;
      else paths.set(pathKey, { path: view, count });
      const entry = entries.get(`${view.entry.kind}\0${view.entry.name}`);
      if (entry) entry.count += count;
      else entries.set(`${view.entry.kind}\0${view.entry.name}`, { ...view.entry, count });
      increase(sites, call.site, count);
      increase(trees, labels.tree, count);
      increase(subsystems, labels.subsystem, count);
      increase(objects, (view.entry.kind === 'user' && view.frames[view.site]?.module) || null, count);
    }
    return {
      rank,
      key: this.key,
      count: this.count,
      share: total === 0 ? 0 : this.count / total,
      site: commonest(sites) ?? NO_SITE,
      tree: commonest(trees) ?? null,
      subsystem: commonest(subsystems) ?? null,
      object: commonest(objects) ?? null,
      entries: [...entries.values()].sort(byCount),
      comms: [...this.#comms].map(([name, count]) => ({ name, count })).sort(byCount),
      stacks: this.#stacks.size,
      programs: [...this.#programs]
        .map(([text, count]) => ({ frames: text.split(PROGRAM_SEPARATOR), count }))
        .sort((a, b) => b.count - a.count || (a.frames.join() < b.frames.join() ? -1 : 1)),
      paths: [...paths.values()].sort((a, b) => b.count - a.count || comparePaths(a.path, b.path)),
    };
  }
}

function increase<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function commonest<K>(counts: ReadonlyMap<K, number>): K | undefined {
  let best: K | undefined;
  let most = -1;
  for (const [key, count] of counts) {
    if (count > most) {
      best = key;
      most = count;
    }
  }
  return best;
}

function byCount(a: Tally, b: Tally): number {
  return b.count - a.count || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

function comparePaths(a: PathView, b: PathView): number {
  const left = a.frames.map((frame) => frame.name).join(' ');
  const right = b.frames.map((frame) => frame.name).join(' ');
  return left < right ? -1 : left > right ? 1 : 0;
}
