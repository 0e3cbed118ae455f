import type { PidNamespace } from '../sys/pid-namespace.ts';
import { type Assembler, R0, R1, R2, R3 } from './asm.ts';
import { FRAME } from './count-registers.ts';
import { emitComm, emitPid } from './key-parts.ts';
import { COMM_LENGTH, encodeTaskName } from './task-name.ts';

/** Which calls are counted: those that pass all of it. What was not asked for is left out. */
export interface CaptureFilter {
  /** Only calls on behalf of these processes (thread group ids). */
  readonly pids?: readonly number[] | undefined;
  /** Only calls on behalf of tasks of these names. */
  readonly comms?: readonly string[] | undefined;
  readonly cpus?: readonly number[] | undefined;
  /** Only calls on behalf of COMMAND and what it started. */
  readonly onlyCommand?: boolean | undefined;
  /** Only calls on behalf of tasks in this cgroup: a directory of cgroup v2. */
  readonly cgroup?: string | undefined;
  /** Calls made by whocalls itself as well, which are left out otherwise. */
  readonly includeSelf?: boolean | undefined;
}

/** The options of the command line that a filter consists of; [] where every call passes. */
export function filterOptions({ pids, comms, cpus, onlyCommand, cgroup }: CaptureFilter): string[] {
  return [
    ...(pids ? ['--pid'] : []),
    ...(comms ? ['--comm'] : []),
    ...(cpus ? ['--cpu'] : []),
    ...(onlyCommand ? ['--only-command'] : []),
    ...(cgroup !== undefined ? ['--cgroup'] : []),
  ];
}

/** What a filter needs to be asked in a BPF program. */
export interface FilterPlace {
  /** The process of whocalls. */
  readonly ownPid: number;
  /** Of which pids are those of the filter; the initial one unless given. */
  readonly pidNamespace: PidNamespace | undefined;
  /** A cgroup array: the task has to be under every one of its entries. */
  readonly cgroups: { readonly map: number; readonly count: number } | undefined;
  /** Offset of 8 bytes in the frame; those below are free as well. */
  readonly slot: number;
  /** Where calls go that do not pass. */
  readonly otherwise: string;
}

/** Lets calls go on that pass a filter. Uses R0 to R5. */
export function emitFilter(asm: Assembler, filter: CaptureFilter, place: FilterPlace): void {
  const { pids = [], comms = [], cpus = [], includeSelf = false } = filter;
  const { pidNamespace, cgroups, slot, otherwise } = place;
  const oneOf = <T>(wanted: readonly T[], test: (value: T, yes: string) => void) => {
    if (wanted.length === 0) return;
    const yes = asm.fresh('wanted');
    for (const value of wanted) test(value, yes);
    asm.jump(otherwise).label(yes);
  };
  if (!includeSelf || pids.length > 0) {
    emitPid(asm, pidNamespace, slot);
    if (!includeSelf) asm.jumpIf(R0, '==', place.ownPid, otherwise);
    oneOf(pids, (pid, yes) => asm.jumpIf(R0, '==', pid, yes));
  }
  if (cpus.length > 0) {
    asm.call('get_smp_processor_id');
    oneOf(cpus, (cpu, yes) => asm.jumpIf(R0, '==', cpu, yes));
  }
  if (comms.length > 0) {
    const at = slot - COMM_LENGTH;
    emitComm(asm, at);
    asm.load(8, R1, FRAME, at).load(8, R2, FRAME, at + 8);
    oneOf(comms, (comm, yes) => {
      const bytes = encodeTaskName(comm);
      const no = asm.fresh('other.comm');
      asm.load64(R3, bytes.readBigInt64LE(0)).jumpIf(R1, '!=', R3, no);
      asm.load64(R3, bytes.readBigInt64LE(8)).jumpIf(R2, '==', R3, yes).label(no);
    });
  }
  for (let entry = 0; cgroups && entry < cgroups.count; entry++) {
    asm.loadMap(R1, cgroups.map).mov(R2, entry).call('current_task_under_cgroup').jumpIf(R0, '!=', 1, otherwise);
  }
}
