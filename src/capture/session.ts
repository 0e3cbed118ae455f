import { Census } from '../census/census.ts';
import { UserError } from '../errors.ts';
import { balance, type TargetTally } from './accounting.ts';
import {
  argumentOffset,
  assembleCountProgram,
  type CountProgram,
  FATES,
  type Fate,
  type Filter,
  type PidNamespace,
  SCRATCH_SPACE,
  scratchSize,
  stackRecordSize,
} from './bpf/count-program.ts';
import { CODE_TABLE_SIZE, RULES_SIZE } from './bpf/frame-rules.ts';
import { type KeyLayout, keyLayout } from './bpf/key-layout.ts';
import type { WalkPlan } from './bpf/stack-walk.ts';
import { Drain } from './drain.ts';
import { breakpointEngine } from './engines/breakpoint.ts';
import {
  type Armed,
  CannotArm,
  type Engine,
  type EngineContext,
  type EngineName,
  type ProgramRequest,
} from './engines/engine.ts';
import { kprobeEngine } from './engines/kprobe.ts';
import { tracepointEngine } from './engines/tracepoint.ts';
import { uprobeEngine } from './engines/uprobe.ts';
import { Gate } from './gate.ts';
import { CpuWatch } from './hotplug.ts';
import type { FunctionFinder } from './kallsyms.ts';
import { encodeCodeTable, orcTables } from './orc.ts';
import type { CapturePlan } from './plan.ts';
import { StackReader } from './stack-reader.ts';
import { arch } from './sys/arch.ts';
import {
  type BpfMap,
  createMap,
  loadProgram,
  lookupMap,
  MAP_ARRAY,
  MAP_CGROUP_ARRAY,
  MAP_HASH,
  MAP_PERCPU_ARRAY,
  updateMap,
  VerifierError,
} from './sys/bpf.ts';
import { Descriptors } from './sys/descriptors.ts';
import { interruptCount, onlineCpus, possibleCpus } from './sys/kernel.ts';
import { allocate, SystemCallError } from './sys/native.ts';
import { foreignPidNamespace } from './sys/pid-namespace.ts';
import { explainRefusal } from './sys/refusal.ts';
import { raiseMemoryLock } from './sys/rlimit.ts';
import type { Target } from './targets.ts';
import type { UserSymbols } from './user-symbols.ts';

/** Engines in the order in which they are tried: the cheaper first. */
const ENGINES: readonly Engine[] = [kprobeEngine, breakpointEngine, tracepointEngine, uprobeEngine];

/** With more targets than this programs do not walk stacks: the verifier takes some milliseconds for each that does. */
const MOST_WALKING = 16;

/** Places to work in on each CPU for programs that interrupt each other: so many tasks may be preempted inside one. */
const PLACES = 32;

/** How many stacks programs recognised by walking them, and how these stood up to the kernel's unwinder. */
export interface StackWalks {
  readonly walked: number;
  /** Of those, how many were checked. */
  readonly checked: number;
  /** Of those, how many differed. */
  readonly differed: number;
}

/** A run's counting, however it is done. */
export interface CountingSession {
  /** Known once drained, where stacks are walked. */
  readonly walks?: StackWalks;
  /** Which engine counts each target, in the order of the targets. */
  readonly engines: readonly EngineName[];
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
  readonly engine: Engine;
  readonly armed: Armed;
}

/**
 * Counts calls of some targets between {@link start} and {@link stop}. Everything it holds in the kernel are file
 * descriptors: nothing stays armed behind, however the process ends.
 */
export class Capture implements CountingSession {
  walks: StackWalks = { walked: 0, checked: 0, differed: 0 };
  readonly #plan: CapturePlan;
  readonly #layout: KeyLayout;
  readonly #cpus = onlineCpus();
  readonly #cpuWatch = new CpuWatch(this.#cpus);
  readonly #counts: BpfMap;
  readonly #stacks: BpfMap;
  readonly #fates: BpfMap;
  readonly #gate: Gate;
  /** Maps, and what is armed on them; the latter is to be closed first. */
  readonly #maps: Descriptors;
  readonly #events = new Descriptors();
  readonly #armed: ArmedTarget[] = [];
  /** Scratch space of programs that do not interrupt each other, and of those that do. */
  readonly #scratch: { alone?: BpfMap; shared?: BpfMap } = {};
  readonly #pidNamespace: PidNamespace | undefined;
  readonly #filter: Filter;
  readonly #notes: string[] = [];
  #walk: WalkPlan | null | undefined;
  #startedAt = 0n;
  #stoppedAt = 0n;
  /** Interrupts of the machine between start and stop. */
  #interrupts = 0;

  private constructor(plan: CapturePlan, maps: Descriptors) {
    this.#plan = plan;
    this.#maps = maps;
    this.#pidNamespace = foreignPidNamespace();
    this.#layout = keyLayout(plan.keys);
    raiseMemoryLock();
    this.#counts = this.#map('whocalls_counts', MAP_HASH, this.#layout.size, 8, plan.maxKeys);
    this.#stacks = this.#map('whocalls_stacks', MAP_HASH, 8, stackRecordSize(plan.userStacks), plan.maxStacks);
    this.#fates = this.#map('whocalls_fates', MAP_PERCPU_ARRAY, 4, 8, plan.targets.length * FATES.length);
    this.#gate = new Gate(plan.targets.length, maps);
    this.#filter = this.#filterOf(plan);
  }

  /**
   * Arms every target; nothing is counted yet.
   * @throws {UserError} where no engine can count one of them; nothing is armed then
   */
  static arm(plan: CapturePlan): Capture {
    const maps = new Descriptors();
    let capture: Capture | undefined;
    try {
      capture = new Capture(plan, maps);
      capture.#armAll();
      return capture;
    } catch (error) {
      capture?.close();
      maps.close();
      if (error instanceof SystemCallError)
        throw new UserError(explainRefusal(error.code, error.message), { cause: error });
      throw error;
    }
  }

  get engines(): readonly EngineName[] {
    return this.#armed.map(({ engine }) => engine.name);
  }

  start(): void {
    const armed = this.#breakpointsLast();
    this.#interrupts = -interruptCount();
    for (const one of armed) one.opening();
    // Before the first call can be counted: time buckets count from here.
    this.#startedAt = process.hrtime.bigint();
    this.#gate.open();
  }

  stop(): void {
    const armed = this.#breakpointsLast().reverse();
    this.#gate.shut();
    this.#stoppedAt = process.hrtime.bigint();
    for (const one of armed) one.closed();
    this.#interrupts += interruptCount();
  }

  /** What was counted so far, while counting goes on. Reading the maps costs calls, which the books will show. */
  snapshot(symbols: FunctionFinder, userSymbols: UserSymbols): Census {
    const census = new Census();
    const reader = new StackReader(census, symbols, userSymbols);
    const drain = new Drain(census, this.#plan, this.#layout, reader, this.#startedAt);
    drain.readStacks(this.#stacks);
    drain.readCounts(this.#counts);
    return census;
  }

  drainInto(census: Census, symbols: FunctionFinder, userSymbols: UserSymbols): void {
    const reader = new StackReader(census, symbols, userSymbols);
    const drain = new Drain(census, this.#plan, this.#layout, reader, this.#startedAt);
    drain.readStacks(this.#stacks);
    drain.readCounts(this.#counts);
    let filtered = 0;
    for (const [index, { target, armed, engine }] of this.#armed.entries()) {
      const tally: TargetTally = {
        name: target.name,
        attributed: drain.attributed[index] ?? 0,
        fates: this.#readFates(index),
        truth: armed.truth(),
      };
      filtered += tally.fates.filtered;
      const { losses, notes } = balance(tally, {
        stacks: drain.stackCount,
        maxStacks: this.#plan.maxStacks,
        counts: drain.keyCount,
        maxCounts: this.#plan.maxKeys,
      });
      for (const { reason, count } of losses) census.lose(reason, count);
      for (const note of [...notes, ...engine.blindSpots]) census.note(note);
    }
    this.#noteFiltered(census, filtered);
    this.#warnOfRepeats(census, drain.attributed);
    const watched = this.#armed.flatMap(({ armed }) => armed.watched?.() ?? []);
    const isPerCpu = this.#armed.some(({ armed }) => armed.watched);
    this.#cpuWatch.report(census, isPerCpu ? watched : undefined);
    for (const note of this.#notes) census.note(note);
    this.walks = this.#readWalks();
    const { checked, differed } = this.walks;
    if (differed > 0) {
      census.note(
        `${differed} of ${checked} stacks that were walked and then checked differed from the kernel's: calls may be counted under another stack; --no-walk asks the kernel every time.`,
      );
    }
    census.facts.cpus = this.#cpus.length;
    census.facts.durationSeconds = Number(this.#stoppedAt - this.#startedAt) / 1e9;
    census.facts.bucketMilliseconds = this.#plan.keys.bucketMilliseconds ?? null;
  }

  /** Where calls were left out by request, their number says whether the request was what was meant. */
  #noteFiltered(census: Census, filtered: number): void {
    const { pids, comms, cpus, cgroups } = this.#filter;
    if (filtered === 0 || !(pids || comms || cpus || cgroups)) return;
    census.note(
      `${filtered} other ${filtered === 1 ? 'call was' : 'calls were'} left out by the filters; they are not in the total.`,
    );
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
    census.warn(
      `Up to ${most} calls may be counted twice: on this processor a breakpoint counts a call again when an interrupt comes before its first instruction.`,
    );
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
      const refusals: string[] = [];
      const candidates = ENGINES.filter(
        (engine) => engine.fits(target) && (!this.#plan.engine || this.#plan.engine === engine.name),
      );
      const armed = this.#armWithFirst(candidates, target, index, refusals);
      if (!armed) throw new UserError(this.#refusal(target, refusals));
      this.#armed.push(armed);
    }
  }

  #armWithFirst(
    engines: readonly Engine[],
    target: Target,
    index: number,
    refusals: string[],
  ): ArmedTarget | undefined {
    const [first = 0, ...others] = this.#cpus;
    for (const engine of engines) {
      const held = new Descriptors();
      const context: EngineContext = {
        cpus: [first, ...others],
        held,
        outside: () => this.#gate.outside(index),
        loadProgram: (request) => held.hold(this.#loadProgram(index, request)),
      };
      try {
        const armed = engine.arm(target, context);
        this.#events.take(held);
        return { target, engine, armed };
      } catch (error) {
        held.close();
        if (!(error instanceof CannotArm)) throw error;
        refusals.push(`${engine.name}: ${error.message}`);
      }
    }
    return undefined;
  }

  #refusal({ kind, name }: Target, refusals: readonly string[]): string {
    const what = { function: 'kernel functions', tracepoint: 'tracepoints', user: 'functions of programs' }[kind];
    const why = refusals.join('; ') || `the engine ${this.#plan.engine} is not for ${what}`;
    const fitting = this.#armed.filter(({ engine }) => engine === breakpointEngine).map(({ target }) => target.name);
    const fits =
      /no breakpoint left/.test(why) && fitting.length > 0 ? `; there is room for ${fitting.join(', ')}` : '';
    return `${name} cannot be counted: ${why}${fits}`;
  }

  #loadProgram(target: number, request: ProgramRequest): number {
    const { keys, userStacks } = this.#plan;
    // The kernel runs one program on a CPU at a time where kprobes, breakpoints and trace events have it run; not so others.
    const places = request.context === 'raw-tracepoint' || request.userStack === true ? PLACES : 0;
    const argument = this.#plan.arguments[target];
    const offset = argument && argumentOffset(argument.number, request.context);
    const program: CountProgram = {
      layout: this.#layout,
      target,
      maps: {
        counts: this.#counts.descriptor,
        stacks: this.#stacks.descriptor,
        fates: this.#fates.descriptor,
        ...this.#gate.maps,
        scratch: this.#scratchSpace(places).descriptor,
      },
      filter: this.#filter,
      ...(this.#pidNamespace && { pidNamespace: this.#pidNamespace }),
      userStacks,
      onlyUserStack: request.userStack === true,
      addCaller: request.context === 'registers' && request.userStack !== true && !arch().returnAddress.onStack,
      mayBeEmpty: request.context === 'syscall-event',
      places,
      ...(keys.bucketMilliseconds === undefined ? {} : { bucketMilliseconds: keys.bucketMilliseconds }),
      ...(offset === undefined ? {} : { argumentOffset: offset }),
    };
    const walk = request.context === 'registers' && !userStacks ? this.#walkPlan() : null;
    return this.#loadWalking(program, walk, request.type);
  }

  #scratchSpace(places: number): BpfMap {
    const size = scratchSize(this.#plan.userStacks);
    const make = (count: number) => this.#map('whocalls_scratch', MAP_PERCPU_ARRAY, 4, size, count);
    if (places > 0) this.#scratch.shared ??= make(places);
    else this.#scratch.alone ??= make(1);
    return (places > 0 ? this.#scratch.shared : this.#scratch.alone) as BpfMap;
  }

  /** A verifier that does not follow walks costs speed, not the run. */
  #loadWalking(program: CountProgram, walk: WalkPlan | null, type: number): number {
    if (walk) {
      try {
        return loadProgram('whocalls', type, assembleCountProgram({ ...program, walk }));
      } catch (error) {
        if (!(error instanceof VerifierError)) throw error;
        this.#walk = null;
        this.#notes.push(
          "The kernel's verifier does not let programs walk stacks: its unwinder takes every one, which costs more.",
        );
      }
    }
    return loadProgram('whocalls', type, assembleCountProgram(program));
  }

  #map(name: string, type: number, keySize: number, valueSize: number, maxEntries: number): BpfMap {
    const map = createMap(name, type, keySize, valueSize, maxEntries);
    this.#maps.hold(map.descriptor);
    return map;
  }

  /** What programs need to walk stacks themselves, null where the kernel's unwinder has to do it every time. */
  #walkPlan(): WalkPlan | null {
    if (this.#walk !== undefined) return this.#walk;
    this.#walk = null;
    const { kallsyms, targets } = this.#plan;
    if (targets.length > MOST_WALKING) return null;
    const registers = arch().stackRegisters;
    const orc = registers && kallsyms ? orcTables(kallsyms) : null;
    if (!orc || !registers) return null;
    const rules = this.#map('whocalls_rules', MAP_ARRAY, 4, RULES_SIZE, 1);
    const tables = this.#map('whocalls_code', MAP_ARRAY, 4, CODE_TABLE_SIZE, orc.tables.length);
    const key = allocate(4);
    for (const [index, table] of orc.tables.entries()) {
      key.writeUInt32LE(index, 0);
      updateMap(tables, key, encodeCodeTable(table));
    }
    const {
      format,
      tables: { length: tableCount },
    } = orc;
    this.#walk = { rules: rules.descriptor, tables: tables.descriptor, tableCount, format, registers };
    return this.#walk;
  }

  #filterOf({ filter, cgroups }: CapturePlan): Filter {
    if (cgroups.length === 0) return filter;
    const map = this.#map('whocalls_cgroups', MAP_CGROUP_ARRAY, 4, 4, cgroups.length);
    const key = allocate(4);
    const value = allocate(4);
    for (const [index, cgroup] of cgroups.entries()) {
      key.writeUInt32LE(index, 0);
      value.writeUInt32LE(cgroup, 0);
      updateMap(map, key, value);
    }
    return { ...filter, cgroups: { map: map.descriptor, count: cgroups.length } };
  }

  /** Only programs that do not interrupt each other walk. */
  #readWalks(): StackWalks {
    const walks = { walked: 0, checked: 0, differed: 0 };
    const { alone } = this.#scratch;
    if (!alone) return walks;
    const perCpu = allocate(alone.valueSize * possibleCpus());
    if (!lookupMap(alone, allocate(4), perCpu)) return walks;
    for (let at = 0; at < perCpu.length; at += alone.valueSize) {
      walks.walked += Number(perCpu.readBigUInt64LE(at + SCRATCH_SPACE.walked));
      walks.checked += Number(perCpu.readBigUInt64LE(at + SCRATCH_SPACE.checked));
      walks.differed += Number(perCpu.readBigUInt64LE(at + SCRATCH_SPACE.differed));
    }
    return walks;
  }

  #readFates(target: number): Record<Fate, number> {
    const key = allocate(4);
    const perCpu = allocate(8 * possibleCpus());
    const fates = {} as Record<Fate, number>;
    for (const [number, fate] of FATES.entries()) {
      key.writeUInt32LE(target * FATES.length + number, 0);
      fates[fate] = 0;
      if (!lookupMap(this.#fates, key, perCpu)) continue;
      for (let at = 0; at < perCpu.length; at += 8) fates[fate] += Number(perCpu.readBigUInt64LE(at));
    }
    return fates;
  }
}
