import type { Note } from '../../census/message.ts';
import { type CoarseTime, NARROWEST_SECONDS } from '../bpf/coarse-time.ts';
import { assembleCountProgram, type CountProgram, DROP_REASONS, type DropReason } from '../bpf/count-program.ts';
import { CODE_TABLE_SIZE, RULES_SIZE } from '../bpf/frame-rules.ts';
import { type KeyLayout, keyLayout } from '../bpf/key-layout.ts';
import { loadCode } from '../bpf/load-program.ts';
import { encodeCodeTable, orcTables } from '../bpf/orc.ts';
import { SCRATCH_SPACE, scratchSize, stackRecordSize } from '../bpf/scratch-space.ts';
import type { WalkPlan } from '../bpf/stack-walk.ts';
import type { ProgramRequest } from '../engines/engine.ts';
import { arch } from '../sys/arch.ts';
import {
  type BpfMap,
  createMap,
  lookupMap,
  MAP_ARRAY,
  MAP_CGROUP_ARRAY,
  MAP_HASH,
  MAP_PERCPU_ARRAY,
  updateMap,
} from '../sys/bpf-maps.ts';
import { VerifierError } from '../sys/bpf-programs.ts';
import type { Descriptors } from '../sys/descriptors.ts';
import { has } from '../sys/features.ts';
import { possibleCpus } from '../sys/kernel.ts';
import { allocate } from '../sys/native.ts';
import { foreignPidNamespace } from '../sys/pid-namespace.ts';
import { keyOptions } from '../targets/arguments.ts';
import type { StackWalks } from './counting-session.ts';
import { EnableFlag } from './enable-flag.ts';
import type { CapturePlan } from './plan.ts';

/** With more targets than this programs do not walk stacks: the verifier takes some milliseconds for each that does. */
const MOST_WALKING = 16;

/** How many programs that interrupt each other may run at once on a CPU: so many tasks may be preempted inside one. */
const NESTING = 32;

/** The BPF programs that count, and the maps they share. */
export class ProgramSet {
  readonly layout: KeyLayout;
  readonly counts: BpfMap;
  readonly stacks: BpfMap;
  readonly flag: EnableFlag;
  /** Keys there is room for. */
  readonly keyRoom: number;
  /** Where calls are told apart by time coarsely. */
  readonly coarseTime: CoarseTime | undefined;
  /** What has to be said about how programs work here. */
  readonly notes: Note[] = [];
  readonly #plan: CapturePlan;
  readonly #held: Descriptors;
  readonly #drops: BpfMap;
  readonly #cgroups: { readonly map: number; readonly count: number } | undefined;
  /** Scratch space of programs that do not interrupt each other, and of those that do. */
  readonly #scratch: { alone?: BpfMap; nested?: BpfMap } = {};
  readonly #pidNamespace = foreignPidNamespace();
  #walk: WalkPlan | null | undefined;
  /** What the verifier said of a program that walks, with the program. */
  #refusal: string | undefined;
  /** Names of maps by descriptor. */
  readonly #names = new Map<number, string>();

  /**
   * @param held holds the maps
   * @throws {SystemCallError} where the kernel refuses maps
   */
  constructor(plan: CapturePlan, held: Descriptors) {
    this.#plan = plan;
    this.#held = held;
    const isCoarse = plan.coarseTimes === true && plan.bucketMilliseconds === undefined;
    const width = isCoarse ? NARROWEST_SECONDS * 1000 : plan.bucketMilliseconds;
    this.layout = keyLayout(keyOptions(plan.keys, plan.arguments, width, plan.userStacks));
    // Half of the map is for keys with a time: the other half holds as many as without times.
    this.keyRoom = isCoarse ? 2 * plan.maxKeys : plan.maxKeys;
    this.counts = this.#map('whocalls_counts', MAP_HASH, this.layout.size, 8, this.keyRoom);
    this.stacks = this.#map('whocalls_stacks', MAP_HASH, 8, stackRecordSize(plan.userStacks), plan.maxStacks);
    this.#drops = this.#map('whocalls_drops', MAP_PERCPU_ARRAY, 4, 8, plan.targets.length * DROP_REASONS.length);
    this.flag = new EnableFlag(plan.targets.length, held);
    this.#cgroups = this.#cgroupArray(plan.cgroups);
    if (isCoarse) {
      const base = process.hrtime.bigint() / 1_000_000_000n;
      this.coarseTime = { base, mostKeys: plan.maxKeys, insertedAt: this.flag.insertedAt };
    }
  }

  /**
   * Loads the program of a target, which the caller holds.
   * @param target index among the targets that could be armed, which keys have
   * @param planned index in the plan
   * @throws {SystemCallError} where the kernel refuses programs
   */
  load(target: number, planned: number, request: ProgramRequest): number {
    const { filter, userStacks, bucketMilliseconds, arguments: all } = this.#plan;
    const { context, isNested = false, userStack: onlyUserStack = false } = request;
    const argument = all[planned];
    const nesting = isNested ? NESTING : 0;
    const program: CountProgram = {
      layout: this.layout,
      target,
      maps: {
        counts: this.counts.descriptor,
        stacks: this.stacks.descriptor,
        drops: this.#drops.descriptor,
        ...this.flag.maps,
        scratch: this.#scratchSpace(nesting).descriptor,
        ...(this.#cgroups && { cgroups: this.#cgroups }),
      },
      filter,
      ownPid: process.pid,
      pidNamespace: this.#pidNamespace,
      userStacks,
      onlyUserStack,
      addCaller: context.isFunctionEntry && !onlyUserStack && !arch().returnAddress.onStack,
      mayBeEmpty: context.mayBeEmpty,
      nesting,
      isPreemptible: isNested && has('sleepable uprobes'),
      readsProcesses: onlyUserStack && has('kernel reads'),
      bucketMilliseconds,
      coarseTime: this.coarseTime && { time: this.coarseTime, map: this.flag.maps.uncounted },
      argumentOffset: argument && context.argumentOffset(argument.number),
    };
    const walk = context.isFunctionEntry && !userStacks ? this.#walkPlan() : null;
    return this.#loadWalking(program, walk, request.type);
  }

  #scratchSpace(nesting: number): BpfMap {
    const size = scratchSize(this.#plan.userStacks);
    const make = (count: number) => this.#map('whocalls_scratch', MAP_PERCPU_ARRAY, 4, size, count);
    const kind = nesting > 0 ? 'nested' : 'alone';
    const space = this.#scratch[kind] ?? make(Math.max(nesting, 1));
    this.#scratch[kind] = space;
    return space;
  }

  /** A verifier that does not follow walks costs speed, not the run. */
  #loadWalking(program: CountProgram, walk: WalkPlan | null, type: number): number {
    if (walk) {
      try {
        return this.#load({ ...program, walk }, type);
      } catch (error) {
        if (!(error instanceof VerifierError)) throw error;
        this.#walk = null;
        this.#refusal = error.details;
        this.notes.push({ code: 'walking-refused' });
      }
    }
    return this.#load(program, type);
  }

  #load(program: CountProgram, type: number): number {
    return loadCode('whocalls', type, assembleCountProgram(program), this.#names);
  }

  #map(name: string, type: number, keySize: number, valueSize: number, maxEntries: number): BpfMap {
    const map = createMap(name, type, keySize, valueSize, maxEntries);
    this.#held.hold(map.descriptor);
    this.#names.set(map.descriptor, name);
    return map;
  }

  /** What programs need to walk stacks themselves, null where the kernel's unwinder has to do it every time. */
  #walkPlan(): WalkPlan | null {
    if (this.#walk !== undefined) return this.#walk;
    this.#walk = null;
    const { walk, kallsyms, targets } = this.#plan;
    const registers = arch().stackRegisters;
    if (!walk || targets.length > MOST_WALKING || !kallsyms || !registers) return null;
    const orc = orcTables(kallsyms);
    if (orc === 'unknown') this.notes.push({ code: 'walking-unknown-tables' });
    if (orc === 'unknown' || orc === null) return null;
    const { format, tables } = orc;
    const rules = this.#map('whocalls_rules', MAP_ARRAY, 4, RULES_SIZE, 1);
    const code = this.#map('whocalls_code', MAP_ARRAY, 4, CODE_TABLE_SIZE, tables.length);
    for (const [index, table] of tables.entries()) updateMap(code, arrayKey(index), encodeCodeTable(table));
    const plan = { rules: rules.descriptor, tables: code.descriptor, tableCount: tables.length, format, registers };
    this.#walk = plan;
    return plan;
  }

  #cgroupArray(cgroups: readonly number[]): { map: number; count: number } | undefined {
    if (cgroups.length === 0) return undefined;
    const map = this.#map('whocalls_cgroups', MAP_CGROUP_ARRAY, 4, 4, cgroups.length);
    for (const [index, cgroup] of cgroups.entries()) updateMap(map, arrayKey(index), arrayKey(cgroup));
    return { map: map.descriptor, count: cgroups.length };
  }

  /** How many stacks programs walked; only those that do not interrupt each other do. */
  readWalks(): StackWalks {
    const walks = { walked: 0, checked: 0, differed: 0 };
    const { alone } = this.#scratch;
    if (!alone) return walks;
    const perCpu = allocate(alone.valueSize * possibleCpus());
    if (!lookupMap(alone, arrayKey(0), perCpu)) return walks;
    for (let at = 0; at < perCpu.length; at += alone.valueSize) {
      walks.walked += Number(perCpu.readBigUInt64LE(at + SCRATCH_SPACE.walked));
      walks.checked += Number(perCpu.readBigUInt64LE(at + SCRATCH_SPACE.checked));
      walks.differed += Number(perCpu.readBigUInt64LE(at + SCRATCH_SPACE.differed));
    }
    return this.#refusal === undefined ? walks : { ...walks, refusal: this.#refusal };
  }

  /** Why calls of a target that its program saw were not counted. */
  readDrops(target: number): Record<DropReason, number> {
    const perCpu = allocate(8 * possibleCpus());
    const drops = {} as Record<DropReason, number>;
    for (const [number, reason] of DROP_REASONS.entries()) {
      drops[reason] = 0;
      if (!lookupMap(this.#drops, arrayKey(target * DROP_REASONS.length + number), perCpu)) continue;
      for (let at = 0; at < perCpu.length; at += 8) drops[reason] += Number(perCpu.readBigUInt64LE(at));
    }
    return drops;
  }
}

/** A key of an array, or a descriptor as one stores it: 32 bits. */
function arrayKey(value: number): Buffer {
  const key = allocate(4);
  key.writeUInt32LE(value, 0);
  return key;
}
