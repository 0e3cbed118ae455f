import type { Note } from '../../census/message.ts';
import {
  argumentOffset,
  assembleCountProgram,
  type CountProgram,
  FATES,
  type Fate,
  type Filter,
  type ProgramFeatures,
  SCRATCH_SPACE,
  scratchSize,
  stackRecordSize,
} from '../bpf/count-program.ts';
import { CODE_TABLE_SIZE, RULES_SIZE } from '../bpf/frame-rules.ts';
import { type KeyLayout, keyLayout } from '../bpf/key-layout.ts';
import { loadCode } from '../bpf/load-program.ts';
import { encodeCodeTable, orcTables } from '../bpf/orc.ts';
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
import type { RecordedArgument } from '../targets/arguments.ts';
import { Gate } from './gate.ts';
import type { CapturePlan } from './plan.ts';

/** With more targets than this programs do not walk stacks: the verifier takes some milliseconds for each that does. */
const MOST_WALKING = 16;

/** Places to work in on each CPU for programs that interrupt each other: so many tasks may be preempted inside one. */
const PLACES = 32;

/** Asked of the kernel only where a program makes use of it. */
const KERNEL: ProgramFeatures = {
  get preemptsPrograms() {
    return has('sleepable uprobes');
  },
  get readsProcesses() {
    return has('kernel reads');
  },
};

/** How many stacks programs recognised by walking them, and how these stood up to the kernel's unwinder. */
export interface StackWalks {
  readonly walked: number;
  /** Of those, how many were checked. */
  readonly checked: number;
  /** Of those, how many differed. */
  readonly differed: number;
  /** Why the kernel's verifier does not let programs walk stacks: the program, and the verifier's log. */
  readonly refusal?: string;
}

/** The programs that count, and the maps they share. */
export class ProgramSet {
  readonly layout: KeyLayout;
  readonly counts: BpfMap;
  readonly stacks: BpfMap;
  readonly gate: Gate;
  readonly filter: Filter;
  /** What has to be said about how programs work here. */
  readonly notes: Note[] = [];
  readonly #plan: CapturePlan;
  readonly #held: Descriptors;
  readonly #fates: BpfMap;
  /** Scratch space of programs that do not interrupt each other, and of those that do. */
  readonly #scratch: { alone?: BpfMap; shared?: BpfMap } = {};
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
    this.layout = keyLayout(plan.keys);
    this.counts = this.#map('whocalls_counts', MAP_HASH, this.layout.size, 8, plan.maxKeys);
    this.stacks = this.#map('whocalls_stacks', MAP_HASH, 8, stackRecordSize(plan.userStacks), plan.maxStacks);
    this.#fates = this.#map('whocalls_fates', MAP_PERCPU_ARRAY, 4, 8, plan.targets.length * FATES.length);
    this.gate = new Gate(plan.targets.length, held);
    this.filter = this.#filterOf(plan);
  }

  /**
   * Loads the program of a target, which the caller holds.
   * @param target index of the target
   * @param argument the argument to record of it
   * @throws {SystemCallError} where the kernel refuses programs
   */
  load(target: number, argument: RecordedArgument | undefined, request: ProgramRequest): number {
    const { keys, userStacks } = this.#plan;
    // The kernel runs one program on a CPU at a time where kprobes, breakpoints and trace events have it run; not so others.
    const places = request.context === 'raw-tracepoint' || request.userStack === true ? PLACES : 0;
    const offset = argument && argumentOffset(argument.number, request.context);
    const program: CountProgram = {
      layout: this.layout,
      target,
      maps: {
        counts: this.counts.descriptor,
        stacks: this.stacks.descriptor,
        fates: this.#fates.descriptor,
        ...this.gate.maps,
        scratch: this.#scratchSpace(places).descriptor,
      },
      filter: this.filter,
      kernel: KERNEL,
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

  /** How many stacks programs walked; only those that do not interrupt each other do. */
  readWalks(): StackWalks {
    const walks = {
      walked: 0,
      checked: 0,
      differed: 0,
      ...(this.#refusal !== undefined && { refusal: this.#refusal }),
    };
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

  /** What became of the calls of a target that its program saw and did not count. */
  readFates(target: number): Record<Fate, number> {
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
