import type { CensusFacts, Measure } from '../../census/census.ts';
import { isMessage, type Note, type Warning } from '../../census/message.ts';
import type { SymbolSpace } from '../../census/symbol-table.ts';
import type { Workload } from '../../census/workload.ts';
import { messageFromText } from './old-messages.ts';

/** How a census is put into a pprof profile; `docs/formats.md` describes it for other programs. */

/** First words of the profile comment that carries what pprof has no place for; JSON follows. */
export const CENSUS_COMMENT = 'whocalls/census/2 ';

/** What whocalls 0.1 began it with: losses and notes are sentences there. */
export const OLD_CENSUS_COMMENT = 'whocalls/census/1 ';

/** What the comment holds. */
export interface CensusComment {
  readonly targets: readonly string[];
  readonly facts: CensusFacts;
  /** What the values behind the count are sums of, in their order; missing in files of 0.1. */
  readonly measures: readonly Measure[];
}

/** Keys of sample labels besides those of {@link KEY_COLUMNS}. */
export const LABEL = {
  target: 'target',
  /** The sample is a loss; its value is the reason. Its stack is one made-up frame, so that viewers show it. */
  lost: 'lost',
} as const;

/** Files of mappings that stand for no file. */
const KERNEL_MAPPING = '[kernel.kallsyms]';
const MARKER_MAPPING = '[context]';
const USER_MAPPING = '[user]';
export const LOST_MAPPING = '[lost]';
/** Before the file of a user symbol that would otherwise look like one of the above or a kernel module: `user:[vdso]`. */
const USER_FILE = 'user:';

/** Before the name of a kernel module that would otherwise look like one of the above: `[module:context]`. */
const MODULE = 'module:';

/** The first mapping of a profile is the program in pprof's eyes. */
export const FIRST_MAPPING = KERNEL_MAPPING;

/** The file of the mapping in which symbols of this place are put; {@link placeOfFile} takes it back. */
export function fileOfPlace(space: SymbolSpace, module: string): string {
  switch (space) {
    case 'marker':
      return MARKER_MAPPING;
    case 'user':
      if (module === '') return USER_MAPPING;
      return module.startsWith('[') || module.startsWith(USER_FILE) ? USER_FILE + module : module;
    case 'kernel':
      return module === '' ? KERNEL_MAPPING : isReserved(module) ? `[${MODULE}${module}]` : `[${module}]`;
  }
}

/** Space and module of symbols in a mapping that {@link fileOfPlace} named. */
export function placeOfFile(file: string): readonly [SymbolSpace, string] {
  if (file === KERNEL_MAPPING) return ['kernel', ''];
  if (file === MARKER_MAPPING) return ['marker', ''];
  if (file === USER_MAPPING) return ['user', ''];
  if (file.startsWith(USER_FILE)) return ['user', file.slice(USER_FILE.length)];
  if (!file.startsWith('[') || !file.endsWith(']')) return ['user', file];
  const module = file.slice(1, -1);
  return ['kernel', module.startsWith(MODULE) ? module.slice(MODULE.length) : module];
}

function isReserved(module: string): boolean {
  return (
    [KERNEL_MAPPING, MARKER_MAPPING, USER_MAPPING, LOST_MAPPING].includes(`[${module}]`) || module.startsWith(MODULE)
  );
}

/** Before the name of a function whose frame the unwinder doubted. */
const UNRELIABLE = '? ';
/** After the name of a function that the compiler put into its caller, as perf has it. */
const INLINED = ' (inlined)';

/** A function's `name` in a profile; its `system_name` is the raw one, so that {@link flagsOf} can tell flags from names. */
export function functionName(name: string, isUnreliable: boolean, isInlined: boolean): string {
  return `${isUnreliable ? UNRELIABLE : ''}${name}${isInlined ? INLINED : ''}`;
}

/** What {@link functionName} put around a name. */
export function flagsOf(text: string, name: string): { unreliable: boolean; inlined: boolean } {
  const unreliable = text === functionName(name, true, false) || text === functionName(name, true, true);
  return { unreliable, inlined: text === functionName(name, unreliable, true) };
}

/** What both names of a doubted function begin with in files of whocalls 0.1, where its line number is 1. */
export const OLD_UNRELIABLE = UNRELIABLE;

/** Reads what follows {@link CENSUS_COMMENT}; null if it is none. Facts of a wrong type are left out. */
export function parseCensusComment(json: string): CensusComment | null {
  let comment: { targets?: unknown; facts?: Record<string, unknown>; measures?: unknown } | null;
  try {
    comment = JSON.parse(json);
  } catch {
    return null;
  }
  const { targets, facts, measures } = comment ?? {};
  if (!isTexts(targets) || typeof facts !== 'object' || facts === null) return null;
  const number = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null);
  const width = (value: unknown) => (Number.isInteger(number(value)) && value !== 0 ? number(value) : null);
  const list = <T>(value: unknown, isItem: (item: unknown) => item is T) =>
    Array.isArray(value) ? value.filter(isItem) : [];
  return {
    targets,
    measures: list(measures, isMeasure),
    facts: {
      kernels: list(facts.kernels, isText),
      buildIds: list(facts.buildIds, isText),
      commands: list(facts.commands, isTexts),
      workloads: workloads(facts.workloads),
      cpus: number(facts.cpus),
      durationSeconds: number(facts.durationSeconds),
      bucketMilliseconds: width(facts.bucketMilliseconds),
      architectures: list(facts.architectures, isText),
      startedAt: isText(facts.startedAt) && /^\d{4}-\d\d-\d\dT/.test(facts.startedAt) ? facts.startedAt : null,
      warnings: messages<Warning>(facts.warnings),
      notes: messages<Note>(facts.notes),
    },
  };
}

/** Codes of later versions are kept; sentences are what 0.1 wrote. */
function messages<M extends Note | Warning>(value: unknown): M[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => (isText(item) ? messageFromText(item) : isMessage(item) ? item : [])) as M[];
}

function isMeasure(value: unknown): value is Measure {
  if (typeof value !== 'object' || value === null) return false;
  return ['name', 'unit', 'of'].every((key) => isText((value as Record<string, unknown>)[key]));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

/** A workload, its phases and jobs as far as they are such. */
function workloads(value: unknown): Workload[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isNamed).map((workload) => {
    const facts = Object.entries(workload).filter(([key, fact]) => key !== 'phases' && key !== 'jobs' && isFact(fact));
    const parts = (list: unknown) =>
      Array.isArray(list)
        ? list
            .filter(isNamed)
            .map((part) => Object.fromEntries(Object.entries(part).filter(([, fact]) => isFact(fact))))
        : [];
    const { phases, jobs } = workload;
    return {
      ...Object.fromEntries(facts),
      ...(Array.isArray(phases) && { phases: parts(phases).map(soundPhase) }),
      ...(Array.isArray(jobs) && { jobs: parts(jobs) }),
    } as Workload;
  });
}

/** Times and numbers of operations that are none are left out. */
function soundPhase(phase: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const numbers = ['startMs', 'endMs', 'operations'];
  return Object.fromEntries(
    Object.entries(phase).filter(([key, value]) => !numbers.includes(key) || (typeof value === 'number' && value >= 0)),
  );
}

function isNamed(value: unknown): value is Readonly<Record<string, unknown>> & { readonly name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && isText(value.name);
}

function isFact(value: unknown): boolean {
  return isText(value) || Number.isFinite(value);
}
