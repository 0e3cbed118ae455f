// Why something cannot be counted, as codes with the facts of the case. `words.ts` words them; whoever has to decide
// looks at the code.

/** A system call that was refused, for the reader: `bpf map whocalls_counts: EPERM`. */
interface OfSystemCall {
  readonly what: string;
}

/** Refusals that concern the whole machine or process. */
export interface MachineRefusals {
  /** `what` is known of by this machine's kernel, but this is not Linux, or not x86-64 or arm64. */
  'unsupported-machine': { readonly platform: string; readonly architecture: string };
  /** Native code could not be loaded. */
  'no-native-calls': { readonly why: string };
  'no-sysfs': { readonly path: string };
  unreadable: { readonly path: string; readonly why: string };
  /** The kernel cannot tell BPF programs the pids of a PID namespace. */
  'namespace-pids-unknown': object;
  /** Capabilities are missing. */
  'not-root': OfSystemCall & { readonly missing: readonly string[] };
  /**
   * Nothing is missing, but the kernel refuses all the same: a container's filter of system calls, or a security
   * module.
   */
  forbidden: OfSystemCall;
  /** Before Linux 5.11 maps count against a limit that only CAP_SYS_RESOURCE may lift. */
  'memory-lock-limit': OfSystemCall;
  'too-many-files': OfSystemCall;
  'not-built': OfSystemCall;
  'no-memory': OfSystemCall;
  /** Any other error of a system call. */
  'system-call': OfSystemCall & { readonly errno: string };
  /** /proc/kallsyms shows zeros; `restrict` is kernel.kptr_restrict. */
  'addresses-hidden': { readonly restrict: string; readonly missing: readonly string[] };
}

/** Why an engine cannot be armed on a target; another engine may do. */
export interface EngineRefusals {
  /** The engine is for targets of another kind. */
  'wrong-kind': object;
  /** The kernel has no such source of perf events. */
  'no-event-source': { readonly source: string; readonly option: string };
  /** Kprobes are refused on functions that were compiled without tracing. */
  'not-traceable': object;
  /** All breakpoints of the processor are taken. */
  'no-slot': object;
  /** Breakpoints are refused on kernel entry code and on `noinstr` functions; on all where kprobes are not built in. */
  'no-breakpoint-there': object;
  'no-breakpoints': object;
  /** A breakpoint that was tried out hit again and again: a CPU would hang. */
  'breakpoint-repeats': object;
  /** A breakpoint that was tried out was never hit. */
  'breakpoint-ignored': object;
  'no-such-tracepoint': object;
  'tracepoint-not-listed': object;
  'too-few-arguments': object;
  /** Not permitted, because the kernel is locked down for confidentiality. */
  'locked-down': object;
  /** Not permitted: kernel.perf_event_paranoid is above 2, a setting of distributions. */
  paranoid: { readonly value: string };
  /** Not permitted: `probes` ask for one of these capabilities. */
  'lacks-capability': { readonly probes: string; readonly capabilities: readonly string[] };
  /** Not permitted though nothing is missing. */
  'forbidden-here': object;
  'no-tracefs': { readonly why: TracefsProblem };
  /** The kernel was built without CONFIG_HIST_TRIGGERS. */
  'no-histograms': object;
  /** Any other refusal. */
  'engine-refused': { readonly why: string };
}

/** One engine that was tried on a target, and why it cannot count it. */
export interface EngineTried {
  readonly engine: string;
  readonly refusal: EngineRefusal;
}

/** Why a run cannot be done as it was asked for. */
export interface RunRefusals {
  /** No engine can count a target. */
  'cannot-count': {
    readonly target: string;
    readonly kind: TargetKind;
    /** The engine that was asked for; '' where any would do. */
    readonly engine: string;
    /** None where the engine that was asked for is not for this kind of target. */
    readonly tried: readonly EngineTried[];
    /** Targets that took the slots it would need. */
    readonly fitting: readonly string[];
  };
  /** A backend lacks options that were asked for. */
  'options-unsupported': { readonly engine: string; readonly options: readonly string[] };
  /** A histogram could be armed, but not started or read. */
  'histogram-failed': { readonly step: 'arm' | 'start' | 'read'; readonly why: string };
  'cpus-offline': { readonly cpus: readonly number[]; readonly online: readonly number[] };
  'no-process': { readonly pid: number };
  'is-thread': { readonly pid: number; readonly process: number };
  /** The process is in a PID namespace below that of whocalls. */
  'inner-namespace': { readonly pid: number };
  'no-cgroup': { readonly directory: string; readonly exists: boolean };
  'cgroup-unreadable': { readonly directory: string; readonly why: string };
  /** --only-command needs a cgroup of its own. */
  'own-cgroup': { readonly step: 'make' | 'join' | 'mount'; readonly why: string };
  'no-command': { readonly command: string; readonly isBuiltin: boolean };
  'not-executable': { readonly command: string };
  'cannot-run': { readonly command: string; readonly why: string };
  'no-user': { readonly user: string };
}

/** Why a word stands for no targets. `near`: names that may be meant. */
export interface WordRefusals {
  'no-function': {
    readonly word: string;
    readonly near: readonly string[];
    /** The name is that of a variable. */
    readonly isData: boolean;
    /** The word is a file: maybe COMMAND. */
    readonly isFile: boolean;
  };
  'no-function-in-module': { readonly module: string; readonly name: string; readonly near: readonly string[] };
  'no-match': { readonly pattern: string };
  /** A function that ran only while the kernel started. */
  'init-only': { readonly name: string };
  'no-set': { readonly word: string; readonly near: readonly string[] };
  'empty-set': { readonly word: string; readonly functions: readonly string[] };
  'no-tracepoint': { readonly word: string; readonly isPattern: boolean; readonly near: readonly string[] };
  'no-tracepoints': { readonly word: string; readonly why: TracefsProblem };
  'no-category': {
    readonly word: string;
    readonly category: string;
    readonly near: readonly string[];
    readonly isLibrary: boolean;
  };
  'too-many-targets': {
    readonly words: string;
    readonly count: number;
    readonly most: number;
    /** Patterns for parts of them, with how many each matches. */
    readonly narrower: readonly { readonly pattern: string; readonly count: number }[];
  };
  /** A function that an executable or library calls but does not contain. */
  'imported-function': { readonly path: string; readonly name: string };
  'no-user-function': {
    readonly path: string;
    readonly name: string;
    readonly isPattern: boolean;
    readonly near: readonly string[];
    readonly symbols: 'all' | 'exported' | 'none';
  };
}

/** Why tracefs tells nothing. */
export type TracefsProblem = 'locked-down' | 'not-root' | 'not-mounted';

export type TargetKind = 'function' | 'tracepoint' | 'user';

type Coded<Facts> = { [Code in keyof Facts]: { readonly code: Code } & Facts[Code] }[keyof Facts];

export interface RefusalFacts extends MachineRefusals, EngineRefusals, RunRefusals, WordRefusals {}

/** Why something cannot be counted: a code that stays, and the facts of the case. */
export type Refusal = Coded<RefusalFacts>;
export type EngineRefusal = Coded<EngineRefusals>;
export type MachineRefusal = Coded<MachineRefusals>;
