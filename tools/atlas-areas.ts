// The rules of every file in atlas/, by its name without extension. `shape` checks one file, `whole` the area at once;
// `compiled` makes of it what the program reads, where looking things up asks for another form. The types are those with
// which the program reads the tables: a shape that differs from its type does not compile.
import type { DecisionRecord } from '../src/atlas/decisions.ts';
import type { HintRecord } from '../src/atlas/hints.ts';
import type { EntryRule, Instrumentation, Reporters, ThreadRule } from '../src/atlas/knowledge.ts';
import type { CompiledInsert } from '../src/atlas/subjects/compiled-inserts.ts';
import type { TreeCallers } from '../src/atlas/subjects/rbtree.ts';
import type {
  KindRecord,
  Operation,
  SubjectRecord,
  SubjectSites,
  Where,
} from '../src/atlas/subjects/subject-catalog.ts';
import type { Inserter, InsertSite, TreeRecord } from '../src/atlas/subjects/tree-catalog.ts';
import type { Subsystem } from '../src/atlas/subsystems.ts';
import type { Syscall } from '../src/atlas/syscalls.ts';
import type { TracepointSystem } from '../src/atlas/tracepoints.ts';
import type { Versioned } from '../src/atlas/versions.ts';
import type { TargetSet } from '../src/capture/targets/target-sets.ts';
import {
  always,
  flag,
  functionName,
  listOf,
  mapOf,
  matching,
  number,
  oneOf,
  optional,
  record,
  type Shape,
  text,
  textOr,
} from './atlas-shapes.ts';

/** The rules of one file or folder of the atlas. */
interface Area<T> {
  readonly shape: Shape<T>;
  readonly whole?: (value: T, report: (what: string) => void) => void;
  readonly compiled?: (value: T) => unknown;
}

/** Rules whose type is not known: they are given what their `shape` has checked, or nothing at all. */
type AnyArea = Area<unknown>;

function area<T>({ shape, whole, compiled }: Area<T>): AnyArea {
  return {
    shape,
    ...(whole && { whole: (value, report) => whole(value as T, report) }),
    ...(compiled && { compiled: (value) => compiled(value as T) }),
  };
}

/** A few words that finish the sentence "this function …". */
const gloss = matching(/^[a-z][^.\n]{3,90}$/, 'a gloss (a few words in lower case, no full stop)');

/** A function, a prefix of functions (`perf_trace_*`), or what a tool prints in a function's place. */
const framePattern = matching(/^(?:[A-Za-z_][A-Za-z0-9_]*\*?|\[[A-Z ]+\])$/, 'a function name or a prefix ending in *');

/** The name of a task, at most 15 bytes of it: `#` stands for a number, `*` for anything, but not for all of it. */
const commPattern = matching(/^[a-z][a-z0-9][A-Za-z0-9_.:/#*-]{1,14}$/, 'the name of a task (# a number, * anything)');

/** Kernel versions from the first to the last: `4.14-6.12`, or one: `6.12`. */
const kernelRange = matching(/^\d+\.\d+(?:-\d+\.\d+)?$/, 'a kernel version or a range of them');

const anyText = matching(/^/, 'a text');

const RANGE = /^(?:\d+\.\d+(?:-(?:\d+\.\d+)?)?|-\d+\.\d+)$/;

/** A text for every kernel, or one per range of kernels: `{ '-6.11': …, '6.12-': … }`. */
const versioned: Shape<Versioned> = textOr(mapOf(matching(RANGE, 'a range of kernels'), text));

/** A clause, or one per function. */
const decided: Shape<Versioned | Readonly<Record<string, Versioned>>> = (value, ...rest) => {
  const isForAll = typeof value === 'string' || Object.keys(value ?? {}).every((key) => RANGE.test(key));
  return (isForAll ? versioned : mapOf(functionName, versioned))(value, ...rest);
};

/** A row of tree-callers.tsv: a function that inserts, and its callers, theirs behind ` | `. */
interface CallersRow {
  readonly function: string;
  readonly file: string;
  readonly kernels: string;
  readonly callers: string;
}

/** A row of subject-sites.tsv: `-` where there is nothing. */
interface SubjectSiteRow {
  readonly function: string;
  readonly file: string;
  readonly kernels: string;
  readonly operation: string;
  readonly own: string;
  readonly inlined: string;
}

interface GlossRow {
  readonly function: string;
  readonly gloss: string;
}

/** See {@link TreeRecord.reached_from}. */
type ReachedFrom = NonNullable<TreeRecord['reached_from']>;

export const AREAS: Readonly<Record<string, AnyArea>> = {
  entries: area({
    shape: listOf(
      record<EntryRule>({
        kind: oneOf(
          'syscall',
          'interrupt',
          'softirq',
          'exception',
          'nmi',
          'kthread',
          'work',
          'idle',
          'fork',
          'boot',
          'user-return',
        ),
        name: text,
        boundary: optional(oneOf('task', 'softirq', 'hardirq', 'exception', 'nmi')),
        rank: number,
        inner: optional(mapOf(functionName, text)),
        inner_kind: optional(oneOf('kthread')),
        functions: listOf(functionName),
      }),
    ),
    whole: eachInOneRule<EntryRule>((rule) => rule.functions),
  }),
  threads: area({
    shape: listOf(record<ThreadRule>({ kind: oneOf('kthread', 'idle'), name: text, comms: listOf(commPattern) })),
    whole: eachInOneRule<ThreadRule>((rule) => rule.comms),
  }),
  'target-sets': area({
    shape: listOf(
      record<TargetSet>({
        name: matching(/^[a-z][a-z0-9-]*$/, 'the name of a set'),
        summary: text,
        targets: listOf(text),
      }),
    ),
    whole: noDuplicates<TargetSet>((set) => set.name),
  }),
  helpers: area({ shape: mapOf(text, listOf(functionName)) }),
  instrumentation: area({
    shape: record<Instrumentation>({
      always: listOf(framePattern),
      handlers: listOf(framePattern),
      generated: listOf(text),
      written: listOf(functionName),
      probe: listOf(framePattern),
      reports: listOf(
        record<Reporters>({
          report: text,
          alone: optional(flag),
          interrupt: optional(flag),
          functions: listOf(framePattern),
        }),
      ),
    }),
  }),
  subsystems: area({
    shape: listOf(record<Subsystem>({ prefix: text, label: text, group: text })),
    whole: noDuplicates<Subsystem>((row) => row.prefix),
  }),
  trees: area({
    shape: listOf(
      record<TreeRecord>({
        id: matching(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'an id (lower-case words with hyphens)'),
        name: text,
        root: versioned,
        node: versioned,
        key: versioned,
        purpose: versioned,
        lock: optional(versioned),
        nodes: optional(text),
        searched_by: optional(listOf(functionName)),
        why: optional(text),
        history: optional(text),
        through: optional(listOf(functionName)),
        never_under: optional(listOf(functionName)),
        general: optional(flag),
        rotate: optional(listOf(functionName)),
        augmented: optional(kernelRange),
        likelier_than: optional(listOf(text)),
        because: optional(text),
        decided: optional(decided),
        reached_from: optional(record<ReachedFrom>({ folders: listOf(text), says: text })),
        inserted_by: listOf(
          record<Inserter>({
            function: functionName,
            file: text,
            kernels: kernelRange,
            through: optional(functionName),
          }),
        ),
      }),
    ),
    whole: treesAreSound,
  }),
  decisions: area({
    shape: listOf(
      record<DecisionRecord>({
        targets: listOf(functionName),
        chains: optional(listOf(text)),
        through: optional(listOf(functionName)),
        kernels: optional(kernelRange),
        says: matching(/^[a-zA-Z][^.;\n]+$/, 'a clause (no full stop)'),
      }),
    ),
  }),
  'subject-kinds': area({
    shape: listOf(
      record<KindRecord>({
        kind: oneOf('slab', 'pages', 'lock', 'timer', 'work'),
        noun: text,
        operations: listOf(
          record<Operation>({
            id: matching(/^[a-z-]+$/, 'an id'),
            says: matching(/^[a-z]+s .*\{name\}/, 'what the caller does, with {name}'),
            targets: listOf(text),
            calls: listOf(matching(/^\w+(?:\/[2-9])?$/, 'a function, and the number of its argument')),
          }),
        ),
      }),
    ),
    whole: noDuplicates<KindRecord>((one) => one.kind),
  }),
  subjects: area({
    shape: listOf(
      record<SubjectRecord>({
        kind: oneOf('slab', 'pages', 'lock', 'timer', 'work'),
        id: matching(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'an id (lower-case words with hyphens)'),
        name: text,
        what: optional(versioned),
        expressions: optional(listOf(text)),
        in: optional(listOf(text)),
        arguments: optional(listOf(text)),
        where: optional(
          listOf(
            textOr(
              record<Where>({
                chain: text,
                operations: optional(listOf(text)),
                kernels: optional(kernelRange),
                does: optional(versioned),
                likely: optional(always),
              }),
            ),
          ),
        ),
      }),
    ),
    whole: (records: readonly SubjectRecord[], report) => {
      noDuplicates<SubjectRecord>((one) => `${one.kind} ${one.id}`)(records, report);
      noDuplicates<SubjectRecord>((one) => `${one.kind} ${one.name}`)(records, report);
    },
  }),
  'subject-sites': area({
    shape: listOf(
      record<SubjectSiteRow>({
        function: functionName,
        file: text,
        kernels: kernelRange,
        operation: matching(/^[a-z]+:[a-z-]+$/, 'an operation'),
        own: text,
        inlined: text,
      }),
    ),
    compiled: byFunction,
  }),
  hints: area({
    shape: listOf(
      record<HintRecord>({
        targets: optional(listOf(functionName)),
        sites: optional(listOf(functionName)),
        frames: optional(listOf(functionName)),
        missing: optional(oneOf('argument')),
        says: text,
        command: text,
      }),
    ),
  }),
  'insert-sites': area({
    shape: listOf(record<InsertSite>({ kernel: text, file: text, line: text, function: functionName, insert: text })),
  }),
  'tree-callers': area({
    shape: listOf(record<CallersRow>({ function: functionName, file: text, kernels: text, callers: text })),
    compiled: byCaller,
  }),
  'compiled-inserts': area({
    shape: listOf(
      record<CompiledInsert>({
        kernel: oneOf('6.1', '6.12'),
        module: anyText,
        symbol: text,
        function: functionName,
        file: text,
        primitive: functionName,
        insn: oneOf('call', 'jump'),
      }),
    ),
  }),
  glosses: area({
    shape: listOf(record<GlossRow>({ function: functionName, gloss })),
    whole: noDuplicates<GlossRow>((row) => row.function),
    compiled: (rows: readonly GlossRow[]) => Object.fromEntries(rows.map((row) => [row.function, row.gloss])),
  }),
  tracepoints: area({
    shape: listOf(record<TracepointSystem>({ system: text, events: text })),
    whole: noDuplicates<TracepointSystem>((row) => row.system),
  }),
  syscalls: area({
    shape: listOf(record<Syscall>({ name: functionName, call: functionName, summary: gloss })),
    whole: noDuplicates<Syscall>((row) => row.name),
  }),
};

/** A function's rows, because functions are what is looked up. */
function byFunction(rows: readonly SubjectSiteRow[]): SubjectSites {
  const sites: Record<string, string[]> = Object.create(null);
  for (const { function: name, file, kernels, operation, own, inlined } of rows) {
    sites[name] ??= [];
    sites[name].push([file, kernels, operation, own, inlined].join('\t'));
  }
  return sites;
}

/** Turns "this function inserts, and these are its callers, and theirs" around, because callers are what is looked up. */
function byCaller(rows: readonly CallersRow[]): TreeCallers {
  const callers: Record<string, number[]> = Object.create(null);
  for (const [index, row] of rows.entries()) {
    for (const [step, names] of row.callers.split(' | ').entries()) {
      for (const name of names.split(' ')) {
        callers[name] ??= [];
        callers[name].push(index, step);
      }
    }
  }
  return { inserters: rows.map((row) => `${row.function} ${row.file}`), callers };
}

function noDuplicates<T>(keyOf: (item: T) => string) {
  return (items: readonly T[], report: (what: string) => void): void => {
    const seen = new Set<string>();
    for (const key of items.map(keyOf)) {
      if (seen.has(key)) report(`"${key}" stands twice`);
      seen.add(key);
    }
  };
}

function eachInOneRule<T>(namesOf: (rule: T) => readonly string[]) {
  return (rules: readonly T[], report: (what: string) => void): void => {
    const seen = new Set<string>();
    for (const name of rules.flatMap(namesOf)) {
      if (seen.has(name)) report(`"${name}" stands in two rules`);
      seen.add(name);
    }
  };
}

function treesAreSound(trees: readonly TreeRecord[], report: (what: string) => void): void {
  noDuplicates<TreeRecord>((tree) => tree.id)(trees, report);
  noDuplicates<TreeRecord>((tree) => tree.name)(trees, report);
  const ids = new Set(trees.map((tree) => tree.id));
  for (const { id, likelier_than = [] } of trees) {
    for (const other of likelier_than) {
      if (!ids.has(other)) report(`"${id}" is likelier than "${other}", which does not exist`);
    }
  }
}
