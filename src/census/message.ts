// Losses, notes and warnings are data: a code that stays, and the facts of the case. src/report/messages.ts words them.
// A census keeps codes, so that files can be merged, compared and searched whatever the wording of the day.

/** Why calls have no stack, with the facts of each case. */
export interface LossFacts {
  /** The log states a total; these calls are not in it. */
  'not-printed': object;
  /** A listing made by hand states a total; these calls are in none of its traces. */
  'not-listed': object;
  'trace-start-missing': object;
  'trace-without-frames': object;
  'sample-without-stack': object;
  'line-without-frame': object;
  /** More frames than any stack has; what has so many is made to fill the memory. */
  'stack-too-deep': { readonly frames: number };
  'event-line-missing': object;
  /** Other records of the same event have a stack. */
  'event-without-stack': object;
  /** The trace buffer was full: older entries were overwritten before anybody read them. */
  'trace-overrun': object;
  /** perf could not keep up: `PERF_RECORD_LOST`. */
  'ring-buffer-full': object;
  /** A map of the counting program was full: of distinct stacks, or of distinct stacks and keys. */
  'map-full': { readonly map: 'stacks' | 'keys'; readonly limit?: number };
  /** The call interrupted an operation on the same map on the same CPU. */
  'map-busy': object;
  /** The kernel's unwinder gave no stack. */
  'no-stack': object;
  /** The BPF program was interrupted by itself on the same CPU. */
  reentered: object;
  /** The kernel skipped the BPF program because another one was running on that CPU. */
  skipped: object;
  /** The kernel skipped the kprobe because another one was being handled on that CPU. */
  'kprobe-skipped': object;
  /** A histogram's own total has more calls than its entries. */
  'hist-without-stack': object;
  /** A histogram had no room for more entries. */
  'hist-full': { readonly size?: number };
  /** What a file of whocalls 0.1 or another tool says in words. */
  stated: { readonly text: string };
}

/** Remarks that belong beside the figures, with the facts of each. */
export interface NoteFacts {
  'blind-inlined': object;
  'blind-nmi': object;
  'blind-bypassed': object;
  'self-left-out': object;
  'self-counted': object;
  /** A signal came before COMMAND had ended by itself. */
  interrupted: { readonly signal: string };
  /** In the lab: calls of the file system through which it sees the host's files, and the filter without them. */
  'lab-files': { readonly calls: number; readonly of: number; readonly without: string };
  'pid-unknown': { readonly calls: number };
  filtered: { readonly calls: number };
  'walks-differed': { readonly differed: number; readonly checked: number };
  'walking-refused': object;
  /** The kernel's unwind tables have a layout that is not known. */
  'walking-unknown-tables': object;
  'raise-limit': { readonly option: string; readonly limit: number; readonly better: number };
  /** So many keys were told apart by time; of later ones the time is not kept. */
  'times-end': { readonly keys: number };
  'saw-more': { readonly target: string; readonly seen: number; readonly counted: number };
  'edge-calls': { readonly target: string; readonly calls: number };
  'skipped-maybe-filtered': { readonly target: string };
  /** This kernel does not say whether it skipped kprobes. */
  'misses-unreported': object;
  /** CPUs went on- or offline: what the kernel says of skipped kprobes is not the whole. */
  'misses-incomplete': object;
  /** Before this release the kernel does not count the programs it skips for this kind of probe. */
  'misses-before': { readonly probe: string; readonly release: string };
  'kprobe-skips-may-be-own': object;
  'hist-depth': { readonly frames: number };
  'hist-no-caller': object;
  'hist-stood-in': { readonly refusal: string };
  'cpu-offline': { readonly cpu: number };
  'cpus-changed': { readonly cpus: string };
  'user-no-caller': { readonly target: string; readonly part: number; readonly calls: number };
  'user-one-caller': { readonly target: string; readonly part: number; readonly calls: number };
  'user-ends-unknown': {
    readonly target: string;
    readonly part: number;
    readonly calls: number;
    readonly symbol: string;
  };
  /** Callers in these files have no names. */
  'user-stripped': { readonly files: readonly string[] };
  'user-mappings-lost': { readonly lost: number };
  'user-frame-pointers': object;
  'target-aliases': { readonly aliases: readonly string[] };
  'target-compat-syscalls': object;
  'target-taken-for-tracepoints': { readonly word: string; readonly category: string };
  'target-several': { readonly target: string; readonly places: readonly string[] };
  'target-entered-by': { readonly target: string; readonly wrappers: readonly string[] };
  /** The name is a macro on this kernel, around a function that is counted for it. */
  'target-macro': { readonly target: string; readonly counted: string };
  'target-copies': { readonly target: string; readonly copies: readonly string[] };
  'target-in-part': { readonly target: string; readonly parts: readonly string[] };
  'pattern-in-part': { readonly pattern: string; readonly parts: readonly string[] };
  /** A system call is counted where it is entered, not again in these functions that are called for it. */
  'pattern-syscalls-once': { readonly pattern: string; readonly names: readonly string[] };
  'target-ifunc': { readonly target: string; readonly path: string };
  /** Counting itself calls them; those calls are skipped, or the kernel hides them. */
  'target-used-by-counting': { readonly targets: readonly string[] };
  'target-user-several': { readonly target: string; readonly path: string; readonly count: number };
  /** Samples of these events of perf count once each: their periods are time or work. */
  'samples-counted': { readonly events: readonly string[] };
  /** perf chose periods of its own for these events, and they are not printed. */
  'period-not-printed': { readonly events: readonly string[] };
  'no-sample-has-stack': object;
  /** A profile has sums only, of time or bytes. `every`: so much of the value is one sample; 0 where that is not known. */
  'no-sample-counts': { readonly value: string; readonly unit: string; readonly every: number };
  'log-lines-dropped': { readonly lines: number };
  /** Function tracer without stacks: of these calls only the caller is known. */
  'caller-only': { readonly calls: number };
  /** Events that were traced without stacks, beside others with them: they are not counted. */
  'events-left-out': { readonly events: readonly string[]; readonly records: number };
  /** So many entries of the trace buffer are missing, of calls and of their stacks. */
  'trace-entries-estimated': { readonly entries: number; readonly calls: number };
  'several-histograms': { readonly histograms: number };
  /** Events that share a named histogram show the same one. */
  'histogram-shown-again': { readonly name: string };
  /** bpftrace printed a map several times; it grew, or was cleared in between. */
  'map-printed-again': { readonly map: string; readonly prints: number; readonly isGrowing: boolean };
  /** memleak lists again and again what is allocated at the time. */
  'listed-again': { readonly listings: number };
  /** Functions of the kernel have no names: `source` was where names were looked up, '' where there was nothing. */
  'kernel-addresses': { readonly addresses: number; readonly source: string; readonly release: string };
  'several-maps': { readonly maps: readonly string[] };
  'total-ignored': { readonly stated: number; readonly counted: number };
  /** Every stack begins with this function. */
  'target-inferred': { readonly target: string };
  'argument-not-recorded': object;
  /** Lines of their stacks could not be read. */
  'partial-stacks': { readonly calls: number };
  'unreliable-paths': { readonly calls: number };
  'facts-damaged': object;
  'facts-of-newer-version': object;
  /** What a file of whocalls 0.1 or another tool says in words. */
  stated: { readonly text: string };
}

/** Why an unknown number of calls may be missing from the total, with the facts of each. */
export interface WarningFacts {
  'cpu-came': { readonly cpu: number };
  'cpu-returned': { readonly cpu: number };
  'stopped-early': { readonly why: string };
  'counted-twice': { readonly most: number };
  /** `CPU:1 [LOST EVENTS]`: the kernel does not know how many. */
  'trace-entries-lost': object;
  /** bpftrace or bcc says that a map was full. */
  'maps-were-full': object;
  /** The kernel held perf back: samples that it did not take in the meantime are counted nowhere. */
  'perf-throttled': { readonly times: number };
  /** Samples of a profile are damaged, or their counts are no numbers of calls. */
  'samples-unread': { readonly samples: number };
  'pattern-refused': {
    readonly pattern: string;
    readonly count: number;
    readonly names: readonly string[];
    readonly why: string;
    /** The same as codes, engine by engine: `kprobe not-traceable`. */
    readonly refusals?: readonly string[];
  };
  stated: { readonly text: string };
}

type OneOf<M> = { readonly [C in keyof M & string]: Readonly<{ code: C }> & M[C] }[keyof M & string];

/** Why calls have no stack. */
export type LossCause = OneOf<LossFacts>;
/** A remark. */
export type Note = OneOf<NoteFacts>;
/** A reason why calls may be missing that nobody can count. */
export type Warning = OneOf<WarningFacts>;
/** Any of them. */
export type Message = LossCause | Note | Warning;

/** Calls that are known to have happened and that no stack accounts for. */
export type Loss = LossCause & { readonly count: number };

/** One text for one message: two messages are the same where it is. Facts count in any order. */
export function messageKey(message: Message): string {
  const facts = Object.entries(message).filter(([key]) => key !== 'code');
  facts.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([message.code, ...facts]);
}

/** Whether a value read from a file is a message, as far as that can be told: codes of later versions are. */
export function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return 'code' in value && typeof value.code === 'string' && Object.values(value).every(isFact);
}

function isFact(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}
