import { closeSync } from 'node:fs';
import { release } from 'node:os';
import { createMap, MAP_ARRAY, MAP_MMAPABLE } from './bpf-maps.ts';
import {
  knowsMisses,
  linkPerfEvent,
  PROG_KPROBE,
  PROG_PERF_EVENT,
  PROG_SLEEPABLE,
  tryLoadProgram,
} from './bpf-programs.ts';
import { Descriptors } from './descriptors.ts';
import { onlineCpus } from './kernel.ts';
import { SystemCallError } from './native.ts';
import { dummyEvent, openPerfEvent } from './perf.ts';
import { tracefsReadme } from './tracefs.ts';

/** Something that kernels can do from some version on. */
export interface Feature {
  /** The version of Linux that brought it. Distributions take such things into older kernels. */
  readonly since: `${number}.${number}`;
  /** What it is good for here. */
  readonly brings: string;
  /**
   * Finds out by doing it; null where that is not permitted, or nothing shows it: then the version decides. A probe
   * takes some ten microseconds.
   */
  readonly probe: () => boolean | null;
}

/** An instruction: opcode, destination and source register, offset, immediate. */
type Instruction = readonly [opcode: number, destination: number, source: number, offset: number, immediate: number];

/** BPF programs as bytes: the assembler lies above this, and these are short. */
function program(...instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, [opcode, destination, source, offset, immediate]] of instructions.entries()) {
    bytes[index * 8] = opcode;
    bytes[index * 8 + 1] = destination | (source << 4);
    bytes.writeInt16LE(offset, index * 8 + 2);
    bytes.writeInt32LE(immediate, index * 8 + 4);
  }
  return bytes;
}

const EXIT: Instruction = [0x95, 0, 0, 0, 0];
/** r = number */
const set = (register: number, number: number): Instruction => [0xb7, register, 0, 0, number];
/** r = the address of 8 bytes of the frame, in two instructions */
const frame = (register: number): [Instruction, Instruction] => [
  [0xbf, register, 10, 0, 0],
  [0x07, register, 0, 0, -8],
];
const call = (helper: number): Instruction => [0x85, 0, 0, 0, helper];

const NOTHING = program(set(0, 0), EXIT);
/** r0 += 1 until it is 8 */
const LOOP = program(set(0, 0), [0x07, 0, 0, 0, 1], [0xa5, 0, 0, -2, 8], EXIT);
/** bpf_probe_read_kernel(frame, 8, 0) */
const READ_KERNEL = program(...frame(1), set(2, 8), set(3, 0), call(113), set(0, 0), EXIT);
/** bpf_get_ns_current_pid_tgid(0, 0, frame, 8) */
const NAMESPACE_PID = program(set(1, 0), set(2, 0), ...frame(3), set(4, 8), call(120), set(0, 0), EXIT);

/** What the kernel may or may not be able to do, of all that counting makes use of. */
export const FEATURES = {
  loops: {
    since: '5.3',
    brings: 'loops in BPF programs: the oldest kernels that can work',
    probe: () => isLoadable(LOOP),
  },
  'kernel reads': {
    since: '5.5',
    brings: 'BPF programs read kernel memory, so that they recognise stacks themselves',
    probe: () => isLoadable(READ_KERNEL),
  },
  'shared arrays': {
    since: '5.5',
    brings: 'memory of maps is shared: counting begins and ends without a system call',
    probe: canShareArrays,
  },
  'namespace pids': {
    since: '5.7',
    brings: 'BPF programs are told the pids of a PID namespace: counting in containers',
    probe: () => isLoadable(NAMESPACE_PID),
  },
  /** Not probed: to see whether the limit counts, maps would have to exceed it. */
  'charged maps': {
    since: '5.11',
    brings: 'maps count against the memory cgroup, no longer against the limit on locked memory',
    probe: () => null,
  },
  'sleepable uprobes': {
    since: '6.0',
    brings: 'BPF programs of uprobes are never skipped, and may be preempted',
    probe: () => isLoadable(NOTHING, PROG_KPROBE, PROG_SLEEPABLE),
  },
  common_stacktrace: {
    since: '6.3',
    brings: 'the name that histograms have for the stack of a call; stacktrace before',
    probe: () => tracefsReadme()?.includes("'common_stacktrace'") ?? null,
  },
  /** Not probed: from 6.4 on the kernel names the layout of its tables, before only the version tells. */
  'ORC signal bit': {
    since: '6.3',
    brings: 'the tables for unwinding have a signal bit: another layout',
    probe: () => null,
  },
  'miss counters': {
    since: '6.7',
    brings: 'the kernel counts the calls that it keeps from BPF programs of kprobes and of tracepoints of system calls',
    probe: countsMisses,
  },
} satisfies Readonly<Record<string, Feature>>;

export type FeatureName = keyof typeof FEATURES;

const known = new Map<FeatureName, boolean>();

/** Whether the running kernel has a feature; found out once. */
export function has(name: FeatureName): boolean {
  let answer = known.get(name);
  if (answer === undefined) {
    answer = decide(FEATURES[name]);
    known.set(name, answer);
  }
  return answer;
}

/** What a probe finds; where it finds nothing, what the version says. */
export function decide({ since, probe }: Feature, kernel: string = release()): boolean {
  let found: boolean | null;
  try {
    found = probe();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    found = null;
  }
  if (found !== null) return found;
  const [major = 0, minor = 0] = since.split('.').map(Number);
  return kernelAtLeast(major, minor, kernel);
}

/** Whether a kernel is of this version or newer, by its release: where nothing else tells. */
export function kernelAtLeast(major: number, minor: number, kernel: string = release()): boolean {
  const [, a, b] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  return Number(a) > major || (Number(a) === major && Number(b) >= minor);
}

/** The errors with which the verifier refuses a program, or the kernel a flag it does not know. */
const NOT_THERE: readonly string[] = ['EINVAL', 'EACCES', 'E2BIG', 'ENOTSUP', 'EOPNOTSUPP'];

function isLoadable(code: Buffer, type = PROG_KPROBE, flags = 0): boolean | null {
  const result = tryLoadProgram(type, code, flags);
  if (typeof result === 'string') return NOT_THERE.includes(result) ? false : null;
  closeSync(result);
  return true;
}

function canShareArrays(): boolean | null {
  try {
    closeSync(createMap('whocalls_probe', MAP_ARRAY, 4, 8, 1, MAP_MMAPABLE).descriptor);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && NOT_THERE.includes(error.errno)) return false;
    throw error;
  }
}

/** Links a program to an event that never occurs, and asks how much the kernel knows of links. */
function countsMisses(): boolean | null {
  const held = new Descriptors();
  try {
    const loaded = tryLoadProgram(PROG_PERF_EVENT, NOTHING);
    if (typeof loaded === 'string') return null;
    held.hold(loaded);
    // Of a CPU: the first event of a task makes the kernel patch its scheduler, which takes it a while.
    const event = held.hold(openPerfEvent(dummyEvent(), onlineCpus()[0] ?? 0));
    return knowsMisses(held.hold(linkPerfEvent(event, loaded)));
  } catch (error) {
    if (error instanceof SystemCallError && error.object === 'link' && NOT_THERE.includes(error.errno)) return false;
    throw error;
  } finally {
    held.close();
  }
}
