import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import type { Census } from '../../census/census.ts';
import { messageOf } from '../../errors.ts';
import { HIST_FRAMES } from '../../formats/hist/text.ts';
import { filterOptions } from '../bpf/capture-filter.ts';
import { KEY_PART_NAMES } from '../bpf/key-parts.ts';
import type { EngineRefusal } from '../refusals/reasons.ts';
import { Refused } from '../refusals/refused.ts';
import { RunNames } from '../run/leftover-names.ts';
import { formatAddress } from '../symbols/address.ts';
import { arch } from '../sys/arch.ts';
import { has } from '../sys/features.ts';
import { onlineCpus } from '../sys/kernel.ts';
import { isInitialPidNamespace } from '../sys/pid-namespace.ts';
import { errorCode } from '../sys/read-error.ts';
import { tracefs, whyNoTraceEvents } from '../sys/tracefs.ts';
import type { FunctionTarget, Target } from '../targets/target.ts';
import type { CountingSession } from './counting-session.ts';
import { parseHist, parseMisses } from './hist-text.ts';
import type { CapturePlan } from './plan.ts';
import { syscallOf } from './symbolise.ts';

const NAMES = new RunNames('_');
/** What the kernel allows as a histogram's size (tracing_map.h). */
const LEAST_ENTRIES = 128;
const MOST_ENTRIES = 131_072;

interface Histogram {
  readonly target: Target;
  /** The event's directory in the instance of this run. */
  readonly directory: string;
  /** The name of its kprobe, null for a tracepoint. */
  readonly kprobe: string | null;
  text: string;
}

/**
 * Counts with the kernel's own histograms by stack trace, through files of tracefs and nothing else: for machines
 * that forbid BPF. Stacks hold 16 frames, and functions must be ones that kprobes accept.
 *
 * Unlike file descriptors, events of tracefs outlive the process that made them. A shell that waits for the end of
 * this process removes them when it is killed; the next run removes what is left even so.
 */
export class HistogramSession implements CountingSession {
  readonly #root: string;
  readonly #group = NAMES.own;
  readonly #instance: string;
  readonly #trigger: string;
  /** How many distinct stacks the kernel keeps. */
  readonly #size: number;
  readonly #plan: CapturePlan;
  readonly #histograms: Histogram[] = [];
  #guard: ChildProcess | undefined;
  /** Calls at which the kernel left a kprobe out, those before the start subtracted. */
  #missed = 0;
  startedAt = 0n;
  #stoppedAt = 0n;

  private constructor(plan: CapturePlan, root: string) {
    this.#plan = plan;
    this.#root = root;
    this.#instance = `${root}/instances/${this.#group}`;
    this.#size = Math.min(Math.max(2 ** Math.ceil(Math.log2(plan.maxStacks)), LEAST_ENTRIES), MOST_ENTRIES);
    const stack = has('common_stacktrace') ? 'common_stacktrace' : 'stacktrace';
    this.#trigger = `hist:keys=${stack},common_pid.execname:size=${this.#size}`;
  }

  /** @throws {Refused} where tracefs or one of the targets does not allow it */
  static arm(plan: CapturePlan): HistogramSession {
    refuseUnsupported(plan);
    const root = tracefs();
    const why = whyNoTraceEvents();
    if (why !== null || root === null) throw new Refused({ code: 'no-tracefs', why: why ?? 'not-mounted' });
    const capture = new HistogramSession(plan, root);
    try {
      sweep(root);
      capture.#armAll();
    } catch (error) {
      capture.close();
      throw error instanceof Refused ? error : failed('arm', error);
    }
    return capture;
  }

  start(): void {
    try {
      this.#missed = -this.#readMisses();
      for (const { directory } of this.#histograms) writeFileSync(`${directory}/trigger`, this.#trigger);
    } catch (error) {
      throw failed('start', error);
    }
    this.startedAt = process.hrtime.bigint();
  }

  stop(): void {
    try {
      // Appended: opening the file to overwrite it removes every trigger, and with it what was counted.
      for (const { directory } of this.#histograms) {
        writeFileSync(`${directory}/trigger`, `${this.#trigger}:pause`, { flag: 'a' });
      }
      this.#missed += this.#readMisses();
      this.#stoppedAt = process.hrtime.bigint();
      for (const histogram of this.#histograms) {
        histogram.text = readFileSync(`${histogram.directory}/hist`, 'latin1');
      }
    } catch (error) {
      throw failed('read', error);
    }
  }

  drainInto(census: Census): void {
    // Histograms number processes as the kernel itself does.
    const leavesSelfOut = isInitialPidNamespace();
    const includesSelf = this.#plan.filter.includeSelf === true;
    if (!includesSelf) {
      census.note({ code: leavesSelfOut ? 'self-left-out' : 'self-counted' });
    }
    for (const { target, text } of this.#histograms) {
      const index = census.target(target.name);
      const syscall = syscallOf(target);
      const { entries, dropped, hits } = parseHist(text);
      let sum = 0;
      for (const { frames, comm, pid, count } of entries) {
        sum += count;
        if (leavesSelfOut && !includesSelf && pid === process.pid) continue;
        const own = frames.findIndex(({ name }) => target.kind === 'function' && isOf(target, name));
        const stack = census.stack([
          ...(syscall === undefined ? [] : [{ symbol: census.symbols.intern(syscall), offset: 0 }]),
          ...frames.slice(Math.max(own, 0)).map(({ name, offset, module }) => ({
            symbol: census.symbols.intern(name, module),
            offset,
          })),
        ]);
        census.add({ stack, target: index, ...(this.#plan.keys.comm && { comm }) }, count);
      }
      census.lose({ code: 'map-full', map: 'stacks', limit: this.#size }, dropped);
      census.lose({ code: 'hist-without-stack' }, Math.max(0, hits - sum));
    }
    if (this.#missed > 0 && !includesSelf) {
      census.note({ code: 'kprobe-skips-may-be-own' });
    }
    census.lose({ code: 'kprobe-skipped' }, this.#missed);
    census.note({ code: 'hist-depth', frames: HIST_FRAMES });
    if (!arch().returnAddress.onStack && this.#plan.targets.some(({ kind }) => kind === 'function')) {
      census.note({ code: 'hist-no-caller' });
    }
    census.facts.architectures.push(arch().name);
    census.facts.cpus = onlineCpus().length;
    census.facts.durationSeconds = Number(this.#stoppedAt - this.startedAt) / 1e9;
  }

  close(): void {
    remove(this.#root, this.#group);
    this.#guard?.stdin?.end('done\n');
    this.#guard = undefined;
  }

  #armAll(): void {
    this.#guard = guard(this.#root, this.#group);
    for (const [index, target] of this.#plan.targets.entries()) {
      if (target.kind === 'tracepoint') {
        this.#add(target, `${target.category}/${target.event}`, null);
      } else if (target.kind === 'function') {
        for (const [copy, { address }] of target.functions.entries()) {
          // Lists of probes name them without their group.
          const event = `${this.#group}_${index}_${copy}`;
          try {
            writeFileSync(`${this.#root}/kprobe_events`, `p:${this.#group}/${event} ${formatAddress(address)}\n`, {
              flag: 'a',
            });
          } catch (error) {
            throw cannotCount(target, error);
          }
          this.#add(target, `${this.#group}/${event}`, event);
        }
      }
    }
    mkdirSync(this.#instance);
    if (!this.#histograms.every(({ directory }) => existsSync(`${directory}/hist`))) {
      throw new Refused({ code: 'no-histograms' });
    }
  }

  #add(target: Target, event: string, kprobe: string | null): void {
    this.#histograms.push({ target, directory: `${this.#instance}/events/${event}`, kprobe, text: '' });
  }

  #readMisses(): number {
    const kprobes = this.#histograms.flatMap(({ kprobe }) => kprobe ?? []);
    if (kprobes.length === 0) return 0;
    const misses = parseMisses(readFileSync(`${this.#root}/kprobe_profile`, 'latin1'));
    return kprobes.reduce((sum, kprobe) => sum + (misses.get(kprobe) ?? 0), 0);
  }
}

/** A file of tracefs was refused. */
function failed(step: 'arm' | 'start' | 'read', error: unknown): Refused {
  return new Refused({ code: 'histogram-failed', step, why: messageOf(error) }, { cause: error });
}

function cannotCount({ name, kind }: Target, error: unknown): Refused {
  const refusal: EngineRefusal =
    errorCode(error) === 'EINVAL' ? { code: 'not-traceable' } : { code: 'engine-refused', why: messageOf(error) };
  const tried = [{ engine: 'hist', refusal }];
  return new Refused({ code: 'cannot-count', target: name, kind, engine: '', tried, fitting: [] }, { cause: error });
}

function isOf(target: FunctionTarget, name: string): boolean {
  return target.functions.some((f) => f.name === name);
}

/** Asked for more than histograms can do: better refused than ignored. What was not asked for is left out. */
function refuseUnsupported(plan: CapturePlan): void {
  const { keys, bucketMilliseconds, needsTimes } = plan;
  const others = KEY_PART_NAMES.filter((name) => name !== 'comm');
  const options = [
    ...(plan.targets.some(({ kind }) => kind === 'user') ? ['functions of executables'] : []),
    ...(plan.userStacks ? ['--user-stacks'] : []),
    ...filterOptions(plan.filter),
    ...(keys.argument || others.some((name) => keys[name])
      ? [`keys besides comm (--keys ${others.join(', ')}, argN)`]
      : []),
    ...(needsTimes && bucketMilliseconds !== undefined ? ['times (--time-buckets, --phases, --phase-regex)'] : []),
    ...(plan.needsSnapshots ? ['--interval'] : []),
  ];
  if (options.length > 0) throw new Refused({ code: 'options-unsupported', engine: 'hist', options });
}

/** A shell that removes everything when this process is gone. */
function guard(root: string, group: string): ChildProcess {
  const script = `trap '' INT TERM
read -r done && exit 0
for t in "$0"/instances/"$1"/events/"$1"/*/trigger; do [ -e "$t" ] && sed -n 's/^hist:/!hist:/p' "$t" | while read -r l; do echo "\${l% \\[*}" > "$t"; done; done
rmdir "$0/instances/$1"
for e in "$0"/events/"$1"/*/; do e=\${e%/}; echo "-:$1/\${e##*/}" >> "$0/kprobe_events"; done`;
  const child = spawn('/bin/sh', ['-c', script, root, group], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.on('error', () => {});
  child.unref();
  return child;
}

/** Removes an instance, which ends its triggers, then the kprobes. */
function remove(root: string, group: string): void {
  try {
    rmdirSync(`${root}/instances/${group}`);
  } catch {
    // never made
  }
  let events: string[] = [];
  try {
    events = readdirSync(`${root}/events/${group}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    // none were made
  }
  for (const event of events) {
    try {
      writeFileSync(`${root}/kprobe_events`, `-:${group}/${event}\n`, { flag: 'a' });
    } catch {
      // in use by another reader meanwhile
    }
  }
}

/** Removes what runs left that were killed together with their guard. */
function sweep(root: string): void {
  for (const name of NAMES.ofTheDead(readdirSync(`${root}/events`))) remove(root, name);
}
