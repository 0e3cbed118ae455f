import { Census } from '../../census/census.ts';
import { MOST_NAMED } from '../../text/lists.ts';
import { filterOptions } from '../bpf/capture-filter.ts';
import { type Armed, type BpfEngine, CannotArm, type EngineContext } from '../engines/engine.ts';
import { BPF_ENGINES } from '../engines/engines.ts';
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
import { account, type TargetTally } from './accounting.ts';
import { type BucketTimes, coarseTimes, evenTimes } from './bucket-times.ts';
import type { CountingSession, StackWalks } from './counting-session.ts';
import { CpuWatch } from './hotplug.ts';
import type { CapturePlan } from './plan.ts';
import { ProgramSet } from './program-set.ts';
import { MapReader } from './read-maps.ts';
import { Symboliser } from './symbolise.ts';

interface ArmedTarget {
  readonly target: Target;
  readonly argument: RecordedArgument | undefined;
  readonly engine: BpfEngine;
  readonly armed: Armed;
}

type CannotCount = Extract<Refusal, { readonly code: 'cannot-count' }>;

/** A target that no engine can count, and why. */
interface RefusedTarget {
  readonly target: Target;
  readonly refusal: CannotCount;
}

/**
 * Counts by BPF programs that engines arm. Everything it holds in the kernel are file descriptors: nothing stays armed,
 * however the process ends.
 */
export class BpfSession implements CountingSession {
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
  static arm(plan: CapturePlan): BpfSession {
    return refusing(() => new BpfSession(plan));
  }

  /** @throws {Refused} the kernel refuses to begin */
  start(): void {
    const armed = this.#ordered();
    if (this.#mayRepeat()) this.#interrupts = -interruptCount();
    refusing(() => {
      for (const one of armed) one.beforeStart();
      // Before the first call can be counted: time buckets count from here.
      this.startedAt = process.hrtime.bigint();
      this.#programs.flag.set();
    });
  }

  stop(): void {
    const armed = this.#ordered().reverse();
    this.#programs.flag.clear();
    this.#stoppedAt = process.hrtime.bigint();
    for (const one of armed) one.afterStop();
    if (this.#mayRepeat()) this.#interrupts += interruptCount();
  }

  /** What was counted so far, while counting goes on. Reading the maps costs calls, which show as losses. */
  snapshot(symbols: FunctionFinder, userSymbols: UserSymbols): Census {
    const census = new Census();
    this.#readMaps(census, symbols, userSymbols);
    return census;
  }

  callsSoFar(): number | null {
    const calls = this.#armed.reduce((sum, { armed }) => sum + (armed.soFar?.() ?? Number.NaN), 0);
    return Number.isNaN(calls) ? null : calls;
  }

  #readMaps(census: Census, symbols: FunctionFinder, userSymbols: UserSymbols): MapReader {
    const { counts, stacks, layout } = this.#programs;
    const symboliser = new Symboliser(census, symbols, userSymbols);
    const counted = {
      ...this.#plan,
      targets: this.#armed.map(({ target }) => target),
      arguments: this.#armed.map(({ argument }) => argument),
    };
    const times = this.#times();
    const maps = new MapReader(census, counted, layout, symboliser, times?.of ?? ((bucket) => bucket));
    census.facts.bucketMilliseconds = times?.milliseconds ?? null;
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
        drops: this.#programs.readDrops(index),
        kernel: armed.kernelCount(),
      };
      filtered += tally.drops.filtered;
      const { losses, notes } = account(tally, {
        stacks: maps.stackCount,
        maxStacks: this.#plan.maxStacks,
        counts: maps.keyCount,
        maxCounts: this.#plan.maxKeys,
        countsRoom: this.#programs.keyRoom,
      });
      for (const { count, ...cause } of losses) census.lose(cause, count);
      for (const note of [...notes, ...engine.blindSpots]) census.note(note);
    }
    if (!this.#plan.filter.includeSelf) census.note({ code: 'self-left-out' });
    if (maps.unnumbered > 0 && !isInitialPidNamespace()) {
      census.note({ code: 'pid-unknown', calls: maps.unnumbered });
    }
    // Where calls were left out by request, their number says whether the request was what was meant.
    if (filtered > 0 && filterOptions(this.#plan.filter).length > 0) census.note({ code: 'filtered', calls: filtered });
    this.#warnOfRepeats(census, maps.attributed);
    const watched = this.#armed.flatMap(({ armed }) => armed.watched?.() ?? []);
    const isPerCpu = this.#armed.some(({ armed }) => armed.watched);
    this.#cpuWatch.report(census, isPerCpu ? watched : undefined);
    this.#warnOfRefused(census);
    for (const note of this.#programs.notes) census.note(note);
    this.walks = this.#programs.readWalks();
    const { checked, differed } = this.walks;
    if (differed > 0) census.note({ code: 'walks-differed', differed, checked });
    census.facts.architectures.push(arch().name);
    census.facts.cpus = this.#cpus.length;
    census.facts.durationSeconds = Number(this.#stoppedAt - this.startedAt) / 1e9;
    const { inserted } = this.#programs.flag;
    const { coarseTime } = this.#programs;
    if (coarseTime && inserted >= coarseTime.mostKeys) census.note({ code: 'times-end', keys: coarseTime.mostKeys });
  }

  /** What buckets in the keys mean; null where calls are not told apart by time. */
  #times(): BucketTimes | null {
    const { coarseTime } = this.#programs;
    const { bucketMilliseconds } = this.#plan;
    if (bucketMilliseconds !== undefined) return evenTimes(bucketMilliseconds, this.startedAt);
    if (!coarseTime) return null;
    return coarseTimes(coarseTime, this.startedAt, this.#stoppedAt || process.hrtime.bigint());
  }

  /**
   * Where the kernel has to step over a breakpoint it does so with interrupts enabled, and an interrupt that comes
   * first makes it forget: the function then begins by hitting the breakpoint again.
   */
  #warnOfRepeats(census: Census, attributed: readonly number[]): void {
    const hits = this.#armed.map(({ engine }, index) => (engine.mayRepeat() ? (attributed[index] ?? 0) : 0));
    const most = Math.min(
      this.#interrupts,
      hits.reduce((sum, count) => sum + count, 0),
    );
    if (most > 0) census.warn({ code: 'counted-twice', most });
  }

  #mayRepeat(): boolean {
    return this.#armed.some(({ engine }) => engine.mayRepeat());
  }

  close(): void {
    this.#events.close();
    this.#maps.close();
  }

  /** What is armed, in the order in which counting is to begin. */
  #ordered(): Armed[] {
    return this.#armed.toSorted((a, b) => a.engine.order - b.engine.order).map(({ armed }) => armed);
  }

  #armAll(): void {
    for (const [index, target] of this.#plan.targets.entries()) {
      this.#plan.onArming?.(target.name, index + 1, this.#plan.targets.length);
      const tried: EngineTried[] = [];
      const armed = this.#armWithFirst(index, target, tried);
      if (armed) this.#armed.push(armed);
      else this.#refuse(target, tried);
    }
    const [first] = this.#refused;
    if (this.#armed.length === 0 && first) throw new Refused(first.refusal);
  }

  /** Arms a target by the first engine that can; `tried` gets those that cannot. */
  #armWithFirst(planned: number, target: Target, tried: EngineTried[]): ArmedTarget | undefined {
    const { engine: wanted } = this.#plan;
    const argument = this.#plan.arguments[planned];
    const index = this.#armed.length;
    const [first = 0, ...others] = this.#cpus;
    for (const engine of BPF_ENGINES) {
      if (!engine.fits(target) || (wanted !== undefined && wanted !== engine.name)) continue;
      const held = new Descriptors();
      const context: EngineContext = {
        cpus: [first, ...others],
        held,
        uncounted: () => this.#programs.flag.uncounted(index),
        loadProgram: (request) => held.hold(this.#programs.load(index, planned, request)),
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
      ? this.#armed.filter((one) => one.engine.hasSlots).map((one) => one.target.name)
      : [];
    const { name, kind, pattern } = target;
    const refusal: CannotCount = { code: 'cannot-count', target: name, kind, engine, tried, fitting };
    if (pattern === undefined) throw new Refused(refusal);
    this.#refused.push({ target, refusal });
  }

  #warnOfRefused(census: Census): void {
    const byReason = new Map<string, RefusedTarget[]>();
    for (const one of this.#refused) {
      const reason = JSON.stringify([one.target.pattern, one.refusal.tried]);
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
        refusals: first?.refusal.tried.map(({ engine, refusal }) => `${engine} ${refusal.code}`) ?? [],
      });
    }
  }
}

/** Says what is behind a system call that the kernel refuses. */
function refusing<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof SystemCallError ? new Refused(whyRefused(error), { cause: error }) : error;
  }
}
