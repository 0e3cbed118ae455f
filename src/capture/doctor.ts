import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { messageOf } from '../errors.ts';
import { elfProbes } from '../image/elf.ts';
import { tryBreakpoint } from './engines/breakpoint-trial.ts';
import type { EngineName } from './engines/engine.ts';
import type { Refusal } from './refusals/reasons.ts';
import { isRefused, Refused } from './refusals/refused.ts';
import { refusalText, TRACEFS } from './refusals/words.ts';
import { HistCapture } from './session/hist-session.ts';
import type { CapturePlan } from './session/plan.ts';
import { Capture } from './session/session.ts';
import { Kallsyms } from './symbols/kallsyms.ts';
import { whyHidden } from './sys/diagnosis.ts';
import { has } from './sys/features.ts';
import { lockdown, missingCapabilities } from './sys/privileges.ts';
import { listTraceEvents, whyNoTraceEvents } from './sys/tracefs.ts';
import type { Target } from './targets/target.ts';

/** One line of the table. */
export interface Finding {
  readonly what: string;
  readonly works: boolean;
  /** What it is good for where it works, why not where it does not. */
  readonly detail: string;
  /** Why not, as a code with facts. */
  readonly refusal?: Refusal;
}

/** What a probe of an engine is tried on: functions every kernel has and that may be armed for a moment. */
const TRACEABLE = 'vfs_read';
const NOT_TRACEABLE = 'rb_insert_color';

/** Finds out what this machine can do by doing it: every engine is armed for a moment. Nothing stays behind. */
export function examine(): Finding[] {
  const findings = [kernelFinding(), privilegeFinding()];
  let kallsyms: Kallsyms | null = null;
  let refusal: Refusal = whyHidden();
  try {
    kallsyms = Kallsyms.read();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refusal = error.refusal;
  }
  const hasAddresses = kallsyms?.hasAddresses ?? false;
  findings.push(
    hasAddresses
      ? { what: 'kernel symbols', works: true, detail: `${kallsyms?.size} functions` }
      : missing('kernel symbols', refusal),
  );
  const find = (name: string): Target | string => {
    if (!hasAddresses) return "the kernel's addresses are hidden";
    const functions = kallsyms?.named(name) ?? [];
    return functions.length > 0 ? { kind: 'function', name, functions } : `no function ${name} to try it on`;
  };
  findings.push(
    tryEngine('kprobe', find(TRACEABLE), 'kernel functions that may be traced; the cheapest'),
    tryBreakpoints(find(NOT_TRACEABLE)),
    tryEngine(
      'tracepoint',
      { kind: 'tracepoint', name: 'sched:sched_switch', category: 'sched', event: 'sched_switch' },
      'static tracepoints',
    ),
    tryEngine('uprobe', userTarget(), 'functions of programs and libraries'),
    tryEngine('hist', find(TRACEABLE), 'without BPF; 16 frames of a stack'),
    { what: 'breakpoint slots', ...breakpointSlots(find) },
    { what: 'tracefs', works: listTraceEvents().length > 0, detail: tracefsDetail() },
    {
      what: 'exact misses',
      works: has('miss counters'),
      detail: has('miss counters')
        ? 'the kernel counts what it keeps from programs'
        : 'before Linux 6.7: kprobes are checked by a second probe per CPU, tracepoints of syscalls cannot be checked, nor uprobes before 6.0',
    },
  );
  return findings;
}

function kernelFinding(): Finding {
  const works = process.platform === 'linux' && has('loops');
  return {
    what: 'kernel',
    works,
    detail: `${release()} on ${process.arch}, ${cpus().length} CPUs${works ? '' : '; Linux 5.4 or newer is needed'}`,
  };
}

function privilegeFinding(): Finding {
  const lacking = missingCapabilities();
  const mode = lockdown();
  if (lacking.length > 0)
    return { what: 'privilege', works: false, detail: `missing ${lacking.join(', ')}: run as root` };
  const locked = mode === 'confidentiality' ? ', which forbids kprobes and tracefs' : '';
  return { what: 'privilege', works: true, detail: `complete${mode ? `, lockdown: ${mode}${locked}` : ''}` };
}

/** Arms one target in one way, without starting it. */
function tryEngine(engine: EngineName, target: Target | string, detail: string): Finding {
  if (typeof target === 'string') return { what: engine, works: false, detail: target };
  try {
    arm(engine, [target]);
    return { what: engine, works: true, detail };
  } catch (error) {
    if (!(error instanceof Refused)) return { what: engine, works: false, detail: messageOf(error) };
    const { refusal } = error;
    // Of the one engine that was tried only its reason.
    return missing(engine, refusal.code === 'cannot-count' ? (refusal.tried[0]?.refusal ?? refusal) : refusal);
  }
}

/** A virtual machine may take breakpoints and never stop at them: one is tried out on a function of this process. */
function tryBreakpoints(target: Target | string): Finding {
  const finding = tryEngine('breakpoint', target, 'any kernel function but entry code; a few at once');
  if (!finding.works || tryBreakpoint() === 'once') return finding;
  return { ...finding, works: false, detail: 'a breakpoint that was tried out did not stop the processor' };
}

function arm(engine: EngineName, targets: readonly Target[]): void {
  const plan: CapturePlan = {
    targets,
    engine,
    keys: {},
    arguments: [],
    filter: {},
    cgroups: [],
    userStacks: targets.some(({ kind }) => kind === 'user'),
    maxStacks: 128,
    maxKeys: 128,
  };
  const session = engine === 'hist' ? HistCapture.arm(plan) : Capture.arm(plan);
  session.close();
}

function missing(what: string, refusal: Refusal): Finding {
  return { what, works: false, detail: refusalText(refusal), refusal };
}

function lacksSlot(error: unknown): boolean {
  return isRefused(error, 'cannot-count') && error.refusal.tried.some(({ refusal }) => refusal.code === 'no-slot');
}

/** How many breakpoints are free, found by taking them. */
function breakpointSlots(find: (name: string) => Target | string): { works: boolean; detail: string } {
  const names = ['rb_insert_color', 'rb_erase', 'rb_next', 'rb_first', 'rb_prev', 'rb_last'];
  const targets = names.map(find).filter((target): target is Target => typeof target !== 'string');
  let free = 0;
  while (free < targets.length) {
    try {
      arm('breakpoint', targets.slice(0, free + 1));
      free++;
    } catch (error) {
      if (free === 0 && !lacksSlot(error)) return { works: false, detail: 'cannot be tried' };
      break;
    }
  }
  if (targets.length === 0) return { works: false, detail: 'cannot be tried' };
  if (free === 0) return { works: false, detail: 'none free' };
  return { works: true, detail: free === targets.length ? `at least ${free} free` : `${free} free` };
}

function userTarget(): Target | string {
  // The C library this process runs on is there for sure.
  const path = /\s(\/\S*\/libc[.-]\S*)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1];
  if (!path) return 'no C library to try it on';
  try {
    const found = elfProbes(path).functions.find(({ name }) => name === 'getpid');
    if (!found) return `${path} has no function to try it on`;
    return { kind: 'user', name: `${path}:getpid`, path, file: path, symbol: 'getpid', offsets: found.offsets };
  } catch (error) {
    return messageOf(error);
  }
}

function tracefsDetail(): string {
  const categories = listTraceEvents().length;
  if (categories > 0) return `${categories} categories of tracepoints`;
  const why = whyNoTraceEvents();
  return why === null ? '' : TRACEFS[why];
}
