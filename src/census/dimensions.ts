import { type CallKey, UNKNOWN } from './call-key.ts';
import type { Census } from './census.ts';
import type { ClassifiedCall } from './classify.ts';
import type { PhaseClock } from './phases.ts';
import type { Row } from './row-table.ts';

/** Calls as dimensions see them: a row with everything that is known of it. */
export interface CallFacts {
  readonly census: Census;
  readonly row: Row;
  readonly key: CallKey;
  readonly call: ClassifiedCall;
  readonly clock: PhaseClock;
}

/** Something calls can be told apart, grouped (`--by`) and filtered (`--where`) by. */
export interface Dimension {
  readonly name: string;
  /** What its values are, for help and documents: `the process name`. */
  readonly summary: string;
  /** The value the calls of a row have; null where it is not known. */
  readonly valueOf: (facts: CallFacts) => string | null;
  /** What stands in a report in place of a value that is not known. It is no value: nothing equals it. */
  readonly unknown: string | ((facts: CallFacts) => string);
  /** What a filter compares with, where that is more than the one value. */
  readonly valuesOf?: (facts: CallFacts) => readonly string[];
  /** Whether a value is meant by what somebody wrote: `write` means `write(2)`. */
  readonly isMeant?: (value: string, wanted: string) => boolean;
  /** Calls have several values at once: good for filters only. */
  readonly isFilterOnly?: true;
}

const NOT_RECORDED = '(not recorded)';
/** Of calls of user functions, to those who ask about the kernel. */
const USER_CODE = '(user space)';

const isCall = (value: string, wanted: string) => value === wanted || value === `${wanted}(2)`;
const orUserCode =
  (label: string) =>
  ({ call }: CallFacts) =>
    call.path.entry.kind === 'user' ? USER_CODE : label;
const text = (value: string) => (value === '' ? null : value);
const number = (value: number) => (value === UNKNOWN ? null : String(value));
const nameOfTree = ({ call: { labels } }: CallFacts) =>
  labels.subject?.kind === 'rbtree' ? labels.subject.name : null;

/** Every dimension. `--by`, `--where`, help and docs/report.md follow this table. */
export const DIMENSIONS: readonly Dimension[] = [
  {
    name: 'site',
    summary: 'the function that decided to call',
    valueOf: ({ call }) => call.site?.name ?? null,
    unknown: '(no caller)',
  },
  {
    name: 'subject',
    summary: 'what the call is about: a red-black tree, a slab cache, a lock, a timer',
    valueOf: ({ call: { labels } }) => labels.subject?.name ?? null,
    unknown: orUserCode('(subject unknown)'),
    valuesOf: ({ call: { labels } }) => (labels.subject ? [labels.subject.id, labels.subject.name] : []),
  },
  {
    name: 'tree',
    summary: 'the red-black tree that is inserted into',
    valueOf: nameOfTree,
    unknown: orUserCode('(no tree known)'),
    valuesOf: (facts) =>
      nameOfTree(facts) === null ? [] : [facts.call.labels.subject?.id ?? '', nameOfTree(facts) ?? ''],
  },
  {
    name: 'subsystem',
    summary: 'the part of the kernel that decided to call',
    valueOf: ({ call }) => call.labels.subsystem,
    unknown: orUserCode('(subsystem unknown)'),
  },
  {
    name: 'entry',
    summary: 'where the path starts: a system call, an interrupt, a kernel thread',
    valueOf: ({ call: { path } }) => (path.entry.kind === 'unknown' ? null : path.entry.name),
    unknown: 'unknown entry',
    isMeant: isCall,
  },
  {
    name: 'syscall',
    summary: 'the system call in which the path starts',
    valueOf: ({ call: { path } }) => (path.entry.kind === 'syscall' ? path.entry.name : null),
    unknown: '(no system call)',
    isMeant: isCall,
  },
  {
    name: 'comm',
    summary: 'the process name',
    valueOf: ({ key }) => text(key.comm),
    unknown: NOT_RECORDED,
  },
  { name: 'pid', summary: 'the process', valueOf: ({ key }) => number(key.pid), unknown: NOT_RECORDED },
  { name: 'cpu', summary: 'the CPU', valueOf: ({ key }) => number(key.cpu), unknown: NOT_RECORDED },
  {
    name: 'target',
    summary: 'the function that is called',
    valueOf: ({ census, row }) => census.targets[row.target] ?? null,
    unknown: NOT_RECORDED,
  },
  {
    name: 'stack',
    summary: 'the whole path',
    valueOf: ({ call }) => text(call.path.frames.map((frame) => frame.name).join(' <- ')),
    unknown: '(no caller)',
  },
  {
    name: 'argument',
    summary: 'the recorded argument (record --keys argN)',
    valueOf: ({ key }) => text(key.argument),
    unknown: NOT_RECORDED,
  },
  {
    name: 'report',
    summary: 'what the kernel reported: hung task, KASAN slab-use-after-free (kernel logs)',
    valueOf: ({ key }) => text(key.report),
    unknown: '(no report)',
  },
  {
    name: 'phase',
    summary: 'the phase of the benchmark',
    valueOf: ({ key, clock }) => clock.phaseOf(key.bucket)?.name ?? null,
    unknown: ({ clock }) => (clock.phases.length === 0 ? NOT_RECORDED : '(outside the phases)'),
  },
  {
    name: 'frame',
    summary: 'any function of the path',
    valueOf: () => null,
    unknown: NOT_RECORDED,
    valuesOf: ({ call }) => call.path.frames.map((frame) => frame.name),
    isFilterOnly: true,
  },
  {
    name: 'module',
    summary: 'the module, or the file of a user function, of any function of the path',
    valueOf: () => null,
    unknown: NOT_RECORDED,
    // A user function's is a file: asked for by its path or its name.
    valuesOf: ({ call }) =>
      call.path.frames.flatMap(({ module }) => {
        const slash = module.lastIndexOf('/');
        return slash < 0 ? [module] : [module, module.slice(slash + 1)];
      }),
    isFilterOnly: true,
  },
];

/** Names of the dimensions calls can be grouped by. */
export const GROUPINGS: readonly string[] = DIMENSIONS.filter((one) => !one.isFilterOnly).map(({ name }) => name);

/** The dimension of a name; undefined where there is none. */
export function dimensionNamed(name: string): Dimension | undefined {
  return DIMENSIONS.find((dimension) => dimension.name === name);
}

/** What a report prints for calls whose value is not known. */
export function unknownLabel(dimension: Dimension, facts: CallFacts): string {
  return typeof dimension.unknown === 'string' ? dimension.unknown : dimension.unknown(facts);
}

/** What a filter compares with. */
export function valuesIn(dimension: Dimension, facts: CallFacts): readonly string[] {
  if (dimension.valuesOf) return dimension.valuesOf(facts);
  const value = dimension.valueOf(facts);
  return value === null ? [] : [value];
}
