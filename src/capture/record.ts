import { closeSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { Census } from '../census/census.ts';
import type { Note } from '../census/message.ts';
import { messageOf } from '../errors.ts';
import type { Filter } from './bpf/count-program.ts';
import { CannotArm, type EngineName } from './engines/engine.ts';
import { Refused } from './refusals/refused.ts';
import { CommandCgroup } from './run/cgroup.ts';
import { LOOK_MILLISECONDS, MappingWatch } from './run/mapping-watch.ts';
import { type Stop, Stopper } from './run/run-end.ts';
import { WorkloadCommand } from './run/workload-command.ts';
import { HistCapture } from './session/hist-session.ts';
import type { CapturePlan } from './session/plan.ts';
import type { StackWalks } from './session/program-set.ts';
import { Capture, type CountingSession } from './session/session.ts';
import { noteLostMappings, noteShortStacks } from './session/user-stack-notes.ts';
import { Kallsyms } from './symbols/kallsyms.ts';
import { RunSymbols } from './symbols/run-symbols.ts';
import { UserSymbols } from './symbols/user-symbols.ts';
import { whyHidden, whyRefused } from './sys/diagnosis.ts';
import { SystemCallError } from './sys/native.ts';
import { isRunning } from './sys/processes.ts';
import { tracefs } from './sys/tracefs.ts';
import { argumentsOf, askedKeys, keyOptions, type RequestedKeys } from './targets/arguments.ts';
import { checkFilter, openCgroup } from './targets/filter.ts';
import { liveNames, resolveTargets } from './targets/resolve-targets.ts';
import type { Target } from './targets/target.ts';

/** What to record; everything about the command line that is not about the report. */
export interface RecordPlan {
  /** Targets as words: `rb_insert_color`, `@rbtree-insert`, `tcp_*`. */
  readonly targets: readonly string[];
  /** COMMAND and its arguments; empty to watch the system as it is. */
  readonly command: readonly string[];
  /** Stop after so many seconds. */
  readonly durationSeconds?: number;
  readonly engine?: EngineName;
  readonly keys: RequestedKeys;
  readonly bucketMilliseconds?: number;
  /** Times were asked for, and not only taken because COMMAND is known to have phases. */
  readonly needsTimes?: boolean;
  /** Only calls made on behalf of COMMAND and what it started. */
  readonly onlyCommand: boolean;
  /** Only calls made on behalf of tasks in this cgroup: a directory of cgroup2. */
  readonly cgroup?: string;
  readonly filter: Filter;
  readonly excludeSelf: boolean;
  /** Let programs recognise stacks by walking them; else the kernel's unwinder takes every one. */
  readonly walk: boolean;
  readonly user?: string;
  readonly userStacks: boolean;
  readonly maxStacks: number;
  readonly maxKeys: number;
  /** Gets COMMAND's standard output besides it being passed through. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Called every so many seconds with what was counted so far. */
  readonly interval?: { readonly seconds: number; readonly onInterval: (soFar: Census) => void };
  /** What may be done while there is nothing else to do, one by one; what there is no time for is left out. */
  readonly idle?: readonly (() => void)[];
  /** Called before each target is armed: its name, 1 for the first, and how many there are. */
  readonly onArming?: (name: string, number: number, targets: number) => void;
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
export async function record(plan: RecordPlan): Promise<Recording> {
  checkFilter(plan.filter);
  nameItself();
  // The command is looked for before anything is armed: a typo should cost nothing. And while symbols are being read.
  const workload = plan.command.length > 0 ? new WorkloadCommand(plan.command, plan) : null;
  const cleanups: (() => void)[] = [() => workload?.cancel(), () => workload?.leave()];
  const close = () => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  };
  try {
    const kallsyms = await meanwhile(Kallsyms.readAside(), plan.idle);
    const { targets, notes } = resolveTargets(plan.targets, liveNames(kallsyms));
    const toCount = whatToCount(plan, targets, kallsyms);
    const { session, note } = arm(plan, { ...toCount, cgroups: cgroupsOf(plan, workload, cleanups) });
    cleanups.unshift(() => session.close());
    const run: Run = { plan, workload, session, kallsyms, userSymbols: new UserSymbols(), cleanups };
    const stopper = new Stopper(plan.durationSeconds, workload);
    const { stop, lostMappings } = await count(run, stopper, toCount.userStacks);
    const census = censusOf(run, targets, note === undefined ? notes : [note, ...notes]);
    noteLostMappings(census, lostMappings);
    const left = await stopper.settle();
    const remarks = left === null ? [] : [left];
    if (stop.problem !== undefined) {
      census.warn({ code: 'stopped-early', why: stop.problem });
      remarks.push(`counting stopped early: ${stop.problem}`);
    }
    return { census, status: stop.status, remarks, close, ...(session.walks && { walks: session.walks }) };
  } catch (error) {
    close();
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

/** Descriptors of the cgroups that a call has to come from, COMMAND's own among them; COMMAND is in it then. */
function cgroupsOf(plan: RecordPlan, workload: WorkloadCommand | null, cleanups: (() => void)[]): number[] {
  const cgroups: number[] = [];
  if (plan.cgroup !== undefined) {
    const descriptor = openCgroup(plan.cgroup);
    cleanups.push(() => closeSync(descriptor));
    cgroups.push(descriptor);
  }
  if (plan.onlyCommand && workload) {
    const own = new CommandCgroup();
    cleanups.push(() => own.close());
    own.add(workload.pid);
    cgroups.push(own.descriptor);
  }
  return cgroups;
}

/**
 * What is to be counted of targets, and how, but for cgroups.
 * @throws {Refused} where it cannot be said of them
 */
function whatToCount(plan: RecordPlan, targets: readonly Target[], kallsyms: Kallsyms): Omit<CapturePlan, 'cgroups'> {
  // Without addresses neither functions nor callers in the kernel are known; programs have symbols of their own.
  if (!kallsyms.hasAddresses && targets.some(({ kind }) => kind !== 'user')) {
    throw new Refused(whyHidden());
  }
  const userStacks = plan.userStacks || targets.some(({ kind }) => kind === 'user');
  const recorded = argumentsOf(targets, plan.keys.argument);
  return {
    targets,
    ...(plan.walk && { kallsyms }),
    // addresses of programs mean something only together with the process
    keys: keyOptions({ ...plan.keys, pid: plan.keys.pid || userStacks }, recorded, plan.bucketMilliseconds),
    arguments: recorded,
    filter: { ...plan.filter, excludePids: plan.excludeSelf ? [process.pid] : [] },
    userStacks,
    maxStacks: plan.maxStacks,
    maxKeys: plan.maxKeys,
    ...(plan.engine !== undefined && { engine: plan.engine }),
    ...(plan.onArming && { onArming: plan.onArming }),
  };
}

/** A run whose targets are armed. */
interface Run {
  readonly plan: RecordPlan;
  readonly workload: WorkloadCommand | null;
  readonly session: CountingSession;
  readonly kallsyms: Kallsyms;
  readonly userSymbols: UserSymbols;
  readonly cleanups: (() => void)[];
}

/** Lets COMMAND go and counts until it is time to stop. */
async function count(run: Run, stopper: Stopper, userStacks: boolean): Promise<{ stop: Stop; lostMappings: number }> {
  const { plan, workload, session, kallsyms, userSymbols } = run;
  const watch = userStacks ? new MappingWatch(userSymbols, workload?.pid) : undefined;
  run.cleanups.unshift(() => watch?.close());
  start(session);
  plan.onStarted?.(session.startedAt);
  workload?.release();
  if (watch) stopper.every(LOOK_MILLISECONDS, () => watch.look());
  const { pids } = plan.filter;
  if (pids && !workload) {
    stopper.every(LOOK_MILLISECONDS, () => {
      if (pids.every((pid) => !isRunning(pid))) stopper.end({ status: 0 });
    });
  }
  if (plan.interval) {
    const { seconds, onInterval } = plan.interval;
    stopper.every(seconds * 1000, () => {
      const soFar = session.snapshot?.(kallsyms.map, userSymbols);
      if (soFar) onInterval(soFar);
    });
  }
  let stop = await stopper.wait();
  session.stop();
  try {
    watch?.close();
  } catch (error) {
    stop = { status: 1, problem: stop.problem ?? messageOf(error) };
  }
  return { stop, lostMappings: watch?.lost ?? 0 };
}

/** What was counted, with what there is to say about it. */
function censusOf({ plan, session, kallsyms, userSymbols }: Run, targets: readonly Target[], notes: readonly Note[]) {
  const census = new Census();
  for (const note of notes) census.note(note);
  const sinceStart = Number(process.hrtime.bigint() - session.startedAt) / 1e6;
  census.facts.startedAt = new Date(Date.now() - sinceStart).toISOString().replace(/\.\d+Z$/, 'Z');
  census.facts.kernels.push(release());
  if (plan.command.length > 0) census.facts.commands.push([...plan.command]);
  session.drainInto(census, new RunSymbols(kallsyms), userSymbols);
  if (plan.userStacks) {
    census.note({ code: 'user-frame-pointers' });
  }
  noteShortStacks(
    census,
    targets.filter(({ kind }) => kind === 'user').map(({ name }) => name),
  );
  return census;
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

function start(capture: CountingSession): void {
  try {
    capture.start();
  } catch (error) {
    if (error instanceof SystemCallError) throw new Refused(whyRefused(error), { cause: error });
    throw error instanceof CannotArm ? new Refused(error.refusal, { cause: error }) : error;
  }
}

/** Histograms of the kernel stand in where BPF is forbidden; `note` says so. */
function arm(asked: RecordPlan, plan: CapturePlan): { session: CountingSession; note?: Note } {
  if (plan.engine === 'hist') return { session: armHistograms(asked, plan) };
  try {
    return { session: Capture.arm(plan) };
  } catch (error) {
    const refused = error instanceof Refused && error.cause instanceof SystemCallError ? error.cause : null;
    const isForbidden = refused && refused.call === 'bpf' && ['EPERM', 'EACCES', 'ENOSYS'].includes(refused.errno);
    if (!isForbidden || plan.engine !== undefined || tracefs() === null) throw error;
    try {
      const note: Note = { code: 'hist-stood-in', refusal: refused.message };
      return { session: armHistograms(asked, plan), note };
    } catch {
      throw error; // what was refused first is what matters
    }
  }
}

/** Histograms know fewer keys: what nobody asked for is left out, what they lack is refused. */
function armHistograms({ keys, needsTimes, bucketMilliseconds, interval }: RecordPlan, plan: CapturePlan): HistCapture {
  if (interval) throw new Refused({ code: 'options-unsupported', engine: 'hist', options: ['--interval'] });
  return HistCapture.arm({ ...plan, keys: askedKeys(keys, needsTimes ? bucketMilliseconds : undefined) });
}
