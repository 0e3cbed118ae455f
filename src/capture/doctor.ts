import { cpus, release } from 'node:os';
import { messageOf } from '../errors.ts';
import type { Engine } from './engines/engine.ts';
import { ENGINES, type EngineName } from './engines/engines.ts';
import type { Refusal } from './refusals/reasons.ts';
import { isRefused, Refused } from './refusals/refused.ts';
import { refusalText, TRACEFS } from './refusals/words.ts';
import { armSession } from './session/backend.ts';
import { Kallsyms } from './symbols/kallsyms.ts';
import { whyHidden } from './sys/diagnosis.ts';
import { FEATURES, type FeatureName, has } from './sys/features.ts';
import { lockdown, missingCapabilities } from './sys/privileges.ts';
import { listTraceEvents, whyNoTraceEvents } from './sys/tracefs.ts';
import { parseKeys } from './targets/arguments.ts';
import type { Target } from './targets/target.ts';
import { SLOT_TRIALS, TrialTargets } from './targets/trial-targets.ts';

/** Something that this machine can do, or cannot. */
export interface Finding {
  /**
   * What it is about: the machine and its rights, one engine, how many slots an engine has free, a feature of the
   * kernel.
   */
  readonly kind: 'machine' | 'engine' | 'slots' | 'feature' | 'lab';
  readonly what: string;
  readonly works: boolean;
  /** What it is good for where it works, why not where it does not. */
  readonly detail: string;
  /** Why not, as a code with facts. */
  readonly refusal?: Refusal;
}

/** Finds out what this machine can do by doing it: every engine is armed for a moment. Nothing stays behind. */
export function examine(): Finding[] {
  const { symbols, finding } = readSymbols();
  const targets = new TrialTargets(symbols);
  return [
    kernelFinding(),
    privilegeFinding(),
    finding,
    ...ENGINES.map((engine) => tryEngine(engine, targets)),
    ...ENGINES.filter(({ hasSlots }) => hasSlots).map((engine) => countSlots(engine, targets)),
    tracefsFinding(),
    ...Object.keys(FEATURES).map((name) => featureFinding(name as FeatureName)),
  ];
}

function kernelFinding(): Finding {
  const works = process.platform === 'linux' && has('loops');
  const detail = `${release()} on ${process.arch}, ${cpus().length} CPUs${works ? '' : '; Linux 5.4 or newer is needed'}`;
  return { kind: 'machine', what: 'kernel', works, detail };
}

function privilegeFinding(): Finding {
  const lacking = missingCapabilities();
  const mode = lockdown();
  if (lacking.length > 0)
    return {
      kind: 'machine',
      what: 'privilege',
      works: false,
      detail: `missing ${lacking.join(', ')}: run as root`,
    };
  const locked = mode === 'confidentiality' ? ', which forbids kprobes and tracefs' : '';
  const detail = `complete${mode ? `, lockdown: ${mode}${locked}` : ''}`;
  return { kind: 'machine', what: 'privilege', works: true, detail };
}

/** The kernel's symbols, if it shows their addresses. */
function readSymbols(): { symbols: Kallsyms | null; finding: Finding } {
  const what = 'kernel symbols';
  try {
    const symbols = Kallsyms.read();
    if (!symbols.hasAddresses) return { symbols: null, finding: refused('machine', what, whyHidden()) };
    return { symbols, finding: { kind: 'machine', what, works: true, detail: `${symbols.size} functions` } };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { symbols: null, finding: refused('machine', what, error.refusal) };
  }
}

/** Arms one target, without starting it. */
function tryEngine({ name, trial, check }: Engine & { readonly name: EngineName }, targets: TrialTargets): Finding {
  const target = targets.find(trial.on);
  if (typeof target === 'string') return { kind: 'engine', what: name, works: false, detail: target };
  try {
    arm(name, [target]);
    // A virtual machine may take breakpoints and never stop at them.
    const why = check?.();
    if (why) return refused('engine', name, why);
    return { kind: 'engine', what: name, works: true, detail: trial.brings };
  } catch (error) {
    if (!(error instanceof Refused)) return { kind: 'engine', what: name, works: false, detail: messageOf(error) };
    const { refusal } = error;
    // Of the one engine that was tried only its reason.
    const why = refusal.code === 'cannot-count' ? refusal.tried[0]?.refusal : undefined;
    return refused('engine', name, why ?? refusal);
  }
}

/** How many slots an engine has free, found by taking them. */
function countSlots({ name }: Engine & { readonly name: EngineName }, targets: TrialTargets): Finding {
  const candidates = SLOT_TRIALS.map((one) => targets.function(one)).filter((one) => typeof one !== 'string');
  const found = (works: boolean, detail: string): Finding => ({ kind: 'slots', what: `${name} slots`, works, detail });
  let free = 0;
  while (free < candidates.length) {
    try {
      arm(name, candidates.slice(0, free + 1));
      free++;
    } catch (error) {
      if (free === 0 && !lacksSlot(error)) return found(false, 'cannot be tried');
      break;
    }
  }
  if (candidates.length === 0) return found(false, 'cannot be tried');
  if (free === 0) return found(false, 'none free');
  return found(true, free === candidates.length ? `at least ${free} free` : `${free} free`);
}

function lacksSlot(error: unknown): boolean {
  return isRefused(error, 'cannot-count') && error.refusal.tried.some(({ refusal }) => refusal.code === 'no-slot');
}

function arm(engine: EngineName, targets: readonly Target[]): void {
  const { session } = armSession({
    targets,
    engine,
    keys: parseKeys('none'),
    arguments: [],
    filter: {},
    cgroups: [],
    kallsyms: null,
    walk: false,
    userStacks: targets.some(({ kind }) => kind === 'user'),
    maxStacks: 128,
    maxKeys: 128,
    needsSnapshots: false,
  });
  session.close();
}

function tracefsFinding(): Finding {
  const categories = listTraceEvents().length;
  const why = whyNoTraceEvents();
  const detail = why === null ? `${categories} categories of tracepoints` : TRACEFS[why];
  return { kind: 'machine', what: 'tracefs', works: why === null, detail };
}

function featureFinding(name: FeatureName): Finding {
  const { brings, since } = FEATURES[name];
  const works = has(name);
  return { kind: 'feature', what: name, works, detail: works ? brings : `${brings} (Linux ${since})` };
}

function refused(kind: Finding['kind'], what: string, refusal: Refusal): Finding {
  return { kind, what, works: false, detail: refusalText(refusal), refusal };
}
