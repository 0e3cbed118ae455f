import { Census } from '../../census/census.ts';
import { MOST_NAMED } from '../../text/lists.ts';
import { breakpointEngine } from '../engines/breakpoint.ts';
import { type Armed, CannotArm, type Engine, type EngineContext } from '../engines/engine.ts';
import { kprobeEngine } from '../engines/kprobe.ts';
import { tracepointEngine } from '../engines/tracepoint.ts';
import { uprobeEngine } from '../engines/uprobe.ts';
import type { EngineTried, Refusal } from '../refusals/reasons.ts';
import { Refused } from '../refusals/refused.ts';
import { whyNotCounted } from '../refusals/words.ts';
import type { FunctionFinder } from '../symbols/function-map.ts';
import type { UserSymbols } from '../symbols/user-symbols.ts';
import { arch } from '../sys/arch.ts';
import { Descriptors } from '../sys/descriptors.ts';
import { whyRefused } from '../sys/diagnosis.ts';
import { interruptCount, onlineCpus } from '../sys/kernel.ts';
import { SystemCallError } from '../sys/native.ts';
import { isInitialPidNamespace } from '../sys/pid-namespace.ts';
import { raiseMemoryLock } from '../sys/rlimit.ts';
import type { RecordedArgument } from '../targets/arguments.ts';
import type { Target } from '../targets/target.ts';
import { balance, type TargetTally } from './accounting.ts';
import { CpuWatch } from './hotplug.ts';
import type { CapturePlan } from './plan.ts';
import { ProgramSet, type StackWalks } from './program-set.ts';
import { MapReader } from './read-maps.ts';
import { Symboliser } from './symbolise.ts';

/** Engines in the order in which they are tried: the cheaper first. */
const ENGINES: readonly Engine[] = [kprobeEngine, breakpointEngine, tracepointEngine, uprobeEngine];

/** A run's counting, however it is done. */
export interface CountingSession {
  /** Known once drained, where stacks are walked. */
  readonly walks?: StackWalks;
  /** When counting began, in nanoseconds of the monotonic clock; time buckets are counted by it. */
  readonly startedAt: bigint;
  start(): void;
  stop(): void;
  /** Adds what was counted to a census: rows, losses, facts. To be called after {@link stop}. */
  drainInto(census: Census, symbols: FunctionFinder, userSymbols: UserSymbols): void;
  /** What was counted so far, where the engine can say. */
  snapshot?(symbols: FunctionFinder, userSymbols: UserSymbols): Census;
  /** Gives everything back to the kernel. */
  close(): void;
}

interface ArmedTarget {
  readonly target: Target;
  readonly argument: RecordedArgument | undefined;
  readonly engine: Engine;
  readonly armed: Armed;
}

/** A target that no engine can count, and why. */
interface RefusedTarget {
  readonly target: Target;
  readonly refusal: CannotCount;
}

type CannotCount = Extract<Refusal, { readonly code: 'cannot-count' }>;

/**
 * Counts calls of some targets between {@link start} and {@link stop}. Everything it holds in the kernel are file
 * descriptors: nothing stays armed behind, however the process ends.
 */
export class Capture implements CountingSession {
  walks: StackWalks = { walked: 0, checked: 0, differed: 0 };
  readonly #plan: CapturePlan;
  readonly #cpus = onlineCpus();
  readonly #cpuWatch = new CpuWatch(this.#cpus);
  /** Maps, and what is armed on them; the latter is to be closed first. */
  readonly #maps = new Descriptors();
  readonly #events = new Descriptors();
  readonly #armed: ArmedTarget[] = [];
  readonly #refused: RefusedTarget[] = [];
  readonly #programs: ProgramSet;
  startedAt = 0n;
  #stoppedAt = 0n;
  /** Interrupts of the machine between start and stop, where these matter: {@link #warnOfRepeats}. */
  #interrupts = 0;

  private constructor(plan: CapturePlan) {
    this.#plan = plan;
    raiseMemoryLock();
    try {
      this.#programs = new ProgramSet(plan, this.#maps);
      this.#armAll();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Arms every target; nothing is counted yet. Those that were only matched by a pattern may be refused, but not all.
   * @throws {Refused} where no engine can count one of them; nothing is armed then
   */
  static arm(plan: CapturePlan): Capture {
    try {
      return new Capture(plan);
    } catch (error) {
      throw error instanceof SystemCallError ? new Refused(whyRefused(error), { cause: error }) : error;
    }
  }

  start(): void {
    const armed = this.#breakpointsLast();
    if (arch().breakpointRepeats) this.#interrupts = -interruptCount();
    for (const one of armed) one.opening();
    // Before the first call can be counted: time buckets count from here.
    this.startedAt = process.hrtime.bigint();
    this.#programs.gate.open();
  }

  stop(): void {
    const armed = this.#breakpointsLast().reverse();
    this.#programs.gate.shut();
    this.#stoppedAt = process.hrtime.bigint();
    for (const one of armed) one.closed();
    if (arch().breakpointRepeats) this.#interrupts += interruptCount();
  }

  /** What was counted so far, while counting goes on. Reading the maps costs calls, which the books will show. */
  snapshot(symbols: FunctionFinder, userSymbols: UserSymbols): Census {
    const census = new Census();
    this.#readMaps(census, symbols, userSymbols);
    return census;
  }

  #readMaps(census: Census, symbols: FunctionFinder, userSymbols: UserSymbols): MapReader {
    const { counts, stacks, layout } = this.#programs;
    const symboliser = new Symboliser(census, symbols, userSymbols);
    const counted = {
      ...this.#plan,
      targets: this.#armed.map(({ target }) => target),
      arguments: this.#armed.map(({ argument }) => argument),
    };
    const maps = new MapReader(census, counted, layout, symboliser, this.startedAt);
    maps.readStacks(stacks);
    maps.readCounts(counts);
    return maps;
  }

  drainInto(census: Census, symbols: FunctionFinder, userSymbols: UserSymbols): void {
    const maps = this.#readMaps(census, symbols, userSymbols);
    let filtered = 0;
    for (const [index, { target, armed, engine }] of this.#armed.entries()) {
      const tally: TargetTally = {
        name: target.name,
        attributed: maps.attributed[index] ?? 0,
        fates: this.#programs.readFates(index),
        truth: armed.truth(),
      };
      filtered += tally.fates.filtered;
      const { losses, notes } = balance(tally, {
        stacks: maps.stackCount,
        maxStacks: this.#plan.maxStacks,
        counts: maps.keyCount,
        maxCounts: this.#plan.maxKeys,
      });
      for (const { count, ...cause } of losses) census.lose(cause, count);
      for (const note of [...notes, ...engine.blindSpots]) census.note(note);
    }
    if (this.#plan.filter.excludePids?.length) census.note({ code: 'self-left-out' });
    if (maps.unnumbered > 0 && !isInitialPidNamespace()) {
      census.note({ code: 'pid-unknown', calls: maps.unnumbered });
    }
    this.#noteFiltered(census, filtered);
    this.#warnOfRepeats(census, maps.attributed);
    const watched = this.#armed.flatMap(({ armed }) => armed.watched?.() ?? []);
    const isPerCpu = this.#armed.some(({ armed }) => armed.watched);
    this.#cpuWatch.report(census, isPerCpu ? watched : undefined);
    this.#warnOfRefused(census);
    for (const note of this.#programs.notes) census.note(note);
    this.walks = this.#programs.readWalks();
    const { checked, differed } = this.walks;
    if (differed > 0) {
      census.note({ code: 'walks-differed', differed, checked });
    }
    census.facts.architectures.push(arch().name);
    census.facts.cpus = this.#cpus.length;
    census.facts.durationSeconds = Number(this.#stoppedAt - this.startedAt) / 1e9;
    census.facts.bucketMilliseconds = this.#plan.keys.bucketMilliseconds ?? null;
  }

  /** Where calls were left out by request, their number says whether the request was what was meant. */
  #noteFiltered(census: Census, filtered: number): void {
    const { pids, comms, cpus, cgroups } = this.#programs.filter;
    if (filtered === 0 || !(pids || comms || cpus || cgroups)) return;
    census.note({ code: 'filtered', calls: filtered });
  }

  /**
   * Where the kernel has to step over a breakpoint it does so with interrupts enabled, and an interrupt that comes first
   * makes it forget: the function then begins by hitting the breakpoint again.
   */
  #warnOfRepeats(census: Census, attributed: readonly number[]): void {
    if (!arch().breakpointRepeats) return;
    const hits = this.#armed.map(({ engine }, index) => (engine === breakpointEngine ? (attributed[index] ?? 0) : 0));
    const most = Math.min(
      this.#interrupts,
      hits.reduce((sum, count) => sum + count, 0),
    );
    if (most <= 0) return;
    census.warn({ code: 'counted-twice', most });
  }

  close(): void {
    this.#events.close();
    this.#maps.close();
  }

  /**
   * Breakpoints are enabled last and disabled first, because they count all that happens in between: other engines are
   * asked what they missed by system calls of BPF, which keep programs from running meanwhile.
   */
  #breakpointsLast(): Armed[] {
    const isBreakpoint = ({ engine }: ArmedTarget) => engine === breakpointEngine;
    const ordered = [...this.#armed.filter((one) => !isBreakpoint(one)), ...this.#armed.filter(isBreakpoint)];
    return ordered.map(({ armed }) => armed);
  }

  #armAll(): void {
    for (const [index, target] of this.#plan.targets.entries()) {
      this.#plan.onArming?.(target.name, index + 1, this.#plan.targets.length);
      const tried: EngineTried[] = [];
      const candidates = ENGINES.filter(
        (engine) => engine.fits(target) && (!this.#plan.engine || this.#plan.engine === engine.name),
      );
      const armed = this.#armWithFirst(candidates, target, this.#plan.arguments[index], tried);
      if (armed) this.#armed.push(armed);
      else this.#refuse(target, tried);
    }
    const [first] = this.#refused;
    if (this.#armed.length === 0 && first) throw new Refused(first.refusal);
  }

  #armWithFirst(
    engines: readonly Engine[],
    target: Target,
    argument: RecordedArgument | undefined,
    tried: EngineTried[],
  ): ArmedTarget | undefined {
    const index = this.#armed.length;
    const [first = 0, ...others] = this.#cpus;
    for (const engine of engines) {
      const held = new Descriptors();
      const context: EngineContext = {
        cpus: [first, ...others],
        held,
        outside: () => this.#programs.gate.outside(index),
        loadProgram: (request) => held.hold(this.#programs.load(index, argument, request)),
      };
      try {
        const armed = engine.arm(target, context);
        this.#events.take(held);
        return { target, argument, engine, armed };
      } catch (error) {
        held.close();
        if (!(error instanceof CannotArm)) throw error;
        tried.push({ engine: engine.name, refusal: error.refusal });
      }
    }
    return undefined;
  }

  /** @throws {Refused} unless the target was only matched by a pattern */
  #refuse(target: Target, tried: readonly EngineTried[]): void {
    const { engine = '' } = this.#plan;
    // What holds the slots that this one lacks would fit without it.
    const fitting = tried.some(({ refusal }) => refusal.code === 'no-slot')
      ? this.#armed.filter((one) => one.engine === breakpointEngine).map((one) => one.target.name)
      : [];
    const { name, kind, pattern } = target;
    const refusal: CannotCount = { code: 'cannot-count', target: name, kind, engine, tried, fitting };
    if (pattern === undefined) throw new Refused(refusal);
    this.#refused.push({ target, refusal });
  }

  #warnOfRefused(census: Census): void {
    const byReason = new Map<string, RefusedTarget[]>();
    for (const one of this.#refused) {
      const reason = `${one.target.pattern}\n${whyNotCounted(one.refusal)}`;
      byReason.set(reason, [...(byReason.get(reason) ?? []), one]);
    }
    for (const group of byReason.values()) {
      const [first] = group;
      const names = group.map(({ target }) => target.name);
      census.warn({
        code: 'pattern-refused',
        pattern: first?.target.pattern ?? '',
        count: names.length,
        names: names.slice(0, MOST_NAMED),
        why: first ? whyNotCounted(first.refusal) : '',
      });
    }
  }
}
