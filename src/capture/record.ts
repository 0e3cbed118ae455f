import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { Census } from '../census/census.ts';
import type { Note } from '../census/message.ts';
import { runningBuildId } from '../image/find-image.ts';
import { DEFAULTS } from './defaults.ts';
import { Refused } from './refusals/refused.ts';
import { Run, type RunOptions } from './run/run.ts';
import { armSession } from './session/backend.ts';
import type { CountingSession, StackWalks } from './session/counting-session.ts';
import type { CountingOptions } from './session/plan.ts';
import { noteLostMappings, noteShortStacks, noteStripped } from './session/user-stack-notes.ts';
import { Kallsyms } from './symbols/kallsyms.ts';
import { RunSymbols } from './symbols/run-symbols.ts';
import { UserSymbols } from './symbols/user-symbols.ts';
import { whyHidden } from './sys/diagnosis.ts';
import { argumentsOf } from './targets/arguments.ts';
import { checkFilter } from './targets/filter.ts';
import { liveNames, resolveTargets } from './targets/resolve-targets.ts';
import type { Target } from './targets/target.ts';

/** What to record; everything but the targets has a default. */
export interface RecordPlan extends Partial<CountingOptions>, Partial<RunOptions> {
  /** Targets as words: `rb_insert_color`, `@rbtree-insert`, `tcp_*`. */
  readonly targets: readonly string[];
  /** Called every so many seconds with what was counted so far. */
  readonly interval?: { readonly seconds: number; readonly onInterval: (soFar: Census) => void } | undefined;
  /** Called every second with the calls so far, before any filter; null where that cannot be known without disturbing. */
  readonly onSecond?: ((calls: number | null) => void) | undefined;
  /** What may be done while there is nothing else to do, one by one; what there is no time for is left out. */
  readonly idle?: readonly (() => void)[];
  /** Called right before COMMAND is let go with when counting began, in nanoseconds of the monotonic clock. */
  readonly onStarted?: (startedAt: bigint) => void;
}

export interface Recording {
  readonly census: Census;
  readonly walks?: StackWalks;
  /** What the process should end with: COMMAND's status. */
  readonly status: number;
  /** What happened besides, a line each. */
  readonly remarks: readonly string[];
  /** Gives everything back to the kernel, which takes some time for each kprobe. */
  close(): void;
}

/**
 * Counts calls while COMMAND runs, for a time, or until interrupted; one run from arming to census.
 * @throws {Refused} nothing could be counted; COMMAND has not run then
 */
export async function record(options: RecordPlan): Promise<Recording> {
  const plan = { ...DEFAULTS, ...options };
  checkFilter(plan.filter);
  nameItself();
  // COMMAND is looked for before anything is armed: a typo should cost nothing. And while symbols are being read.
  const run = new Run(plan, plan.filter);
  try {
    const kallsyms = await meanwhile(Kallsyms.readAside(), plan.idle);
    const { targets, notes } = resolveTargets(plan.targets, liveNames(kallsyms));
    // Without addresses neither functions nor callers in the kernel are known; executables have symbols of their own.
    if (!kallsyms.hasAddresses && targets.some(({ kind }) => kind !== 'user')) throw new Refused(whyHidden());
    const userStacks = plan.userStacks || targets.some(({ kind }) => kind === 'user');
    const { session, note } = armSession({
      ...plan,
      targets,
      arguments: argumentsOf(targets, plan.keys.argument),
      userStacks,
      kallsyms,
      cgroups: run.cgroups(),
      needsSnapshots: plan.interval !== undefined,
    });
    run.beforeClose(() => session.close());
    const userSymbols = new UserSymbols();
    if (userStacks) run.watchMappings(userSymbols);
    if (plan.interval) {
      const { seconds, onInterval } = plan.interval;
      run.every(seconds * 1000, () => {
        const soFar = session.snapshot?.(kallsyms.map, userSymbols);
        if (soFar) onInterval(soFar);
      });
    }
    const { onSecond } = plan;
    if (onSecond) run.every(1000, () => onSecond(session.callsSoFar?.() ?? null));
    const { status, problem, signal, lostMappings } = await run.count(session, plan.onStarted);
    const census = startCensus(plan, session, note === undefined ? notes : [note, ...notes]);
    session.drainInto(census, new RunSymbols(kallsyms), userSymbols);
    if (signal !== undefined) census.note({ code: 'interrupted', signal });
    noteUserStacks(census, plan.userStacks, targets);
    noteStripped(census, userSymbols.stripped);
    noteLostMappings(census, lostMappings);
    const left = await run.settle();
    const remarks = left === null ? [] : [left];
    if (problem !== undefined) {
      census.warn({ code: 'stopped-early', why: problem });
      remarks.push(`counting stopped early: ${problem}`);
    }
    return { census, status, remarks, close: () => run.close(), ...(session.walks && { walks: session.walks }) };
  } catch (error) {
    run.close();
    throw error;
  }
}

/** Calls of whocalls are to be known by the name of the task; threads and what it starts have names of their own. */
function nameItself(): void {
  try {
    writeFileSync('/proc/self/comm', 'whocalls');
  } catch {
    // without /proc they are known as those of node
  }
}

/** A census with the facts of the run. */
function startCensus(
  { command }: Pick<RunOptions, 'command'>,
  { startedAt }: CountingSession,
  notes: readonly Note[],
): Census {
  const census = new Census();
  for (const note of notes) census.note(note);
  const sinceStart = Number(process.hrtime.bigint() - startedAt) / 1e6;
  census.facts.startedAt = new Date(Date.now() - sinceStart).toISOString().replace(/\.\d+Z$/, 'Z');
  census.facts.kernels.push(release());
  const buildId = runningBuildId();
  if (buildId !== '') census.facts.buildIds.push(buildId);
  if (command.length > 0) census.facts.commands.push([...command]);
  return census;
}

function noteUserStacks(census: Census, wereAskedFor: boolean, targets: readonly Target[]): void {
  if (wereAskedFor) census.note({ code: 'user-frame-pointers' });
  const names = targets.filter(({ kind }) => kind === 'user').map(({ name }) => name);
  noteShortStacks(census, names);
}

/** Waits for something, and does other things until it is there. */
async function meanwhile<T>(wanted: Promise<T>, steps: readonly (() => void)[] = []): Promise<T> {
  let isThere = false;
  const settled = () => {
    isThere = true;
  };
  wanted.then(settled, settled);
  for (const step of steps) {
    await new Promise(setImmediate);
    if (isThere) break;
    step();
  }
  return wanted;
}
