import type { Loss, LossCause, LossFacts, Message, Note, NoteFacts, Warning, WarningFacts } from '../census/message.ts';
import { counted, some } from '../text/lists.ts';

// All sentences of losses, notes and warnings. Codes and facts are in src/census/message.ts; docs/how-it-counts.md lists
// them, and a test holds the two together.

type Words<M> = { readonly [C in keyof M]: (facts: M[C]) => string };

/** Why calls have no stack, as it stands in brackets behind their number: no capital, no full stop. */
const LOSSES: Words<LossFacts> = {
  'not-printed': () => 'not printed in the log',
  'not-listed': () => 'not listed in the input',
  'trace-start-missing': () => 'start of the trace missing',
  'trace-without-frames': () => 'call trace without frames',
  'sample-without-stack': () => 'sample without a stack',
  'line-without-frame': () => 'line without a frame',
  'stack-too-deep': ({ frames }) => `stack of more than ${frames} frames`,
  'event-line-missing': () => 'event line missing',
  'event-without-stack': () => 'event without a stack',
  'trace-overrun': () => 'trace buffer full: overwritten before they were read',
  'ring-buffer-full': () => 'perf ring buffer full',
  'map-full': ({ map, limit }) =>
    `more distinct ${map} than ${map === 'stacks' ? '--max-stacks' : '--max-keys'}${limit === undefined ? '' : ` ${limit}`}`,
  'map-busy': () => 'map busy: the call interrupted a map operation on the same CPU',
  'no-stack': () => 'no stack could be taken',
  reentered: () => 'BPF program re-entered on the same CPU',
  skipped: () => 'skipped: another BPF program was running on that CPU',
  'kprobe-skipped': () => 'kprobe skipped: another kprobe was being handled on that CPU',
  'hist-without-stack': () => 'counted by the kernel without a stack',
  'hist-full': ({ size }) => `histogram full${size === undefined ? '' : ` with ${size} entries`}`,
  stated: ({ text }) => text,
};

/** ` of cycles, cpu-clock`; nothing where the samples have no event's name. */
function ofEvents(events: readonly string[]): string {
  const named = events.filter((event) => event !== 'samples');
  return named.length === 0 ? '' : ` of ${some(named)}`;
}

const FRAME_POINTERS =
  'code compiled without frame pointers ends a stack early (gcc -fno-omit-frame-pointer keeps them)';

const NOTES: Words<NoteFacts> = {
  'blind-inlined': () => 'Calls that a compiler inlined are not seen.',
  'blind-nmi': () => 'Calls made inside a non-maskable interrupt or a debug exception are not seen.',
  'blind-bypassed': () => 'Calls that a compiler inlined or that bypass the symbol are not seen.',
  'self-left-out': () => 'Calls made by whocalls itself are not counted.',
  'self-counted': () =>
    'Calls made by whocalls itself are counted: in a PID namespace histograms cannot tell them from others.',
  interrupted: ({ signal }) => `Interrupted by ${signal}: COMMAND may not have done all its work.`,
  'lab-files': ({ calls, of, without }) =>
    `${calls} of ${counted(of, 'call')} ${calls === 1 ? 'serves' : 'serve'} the lab's own file sharing (9P); --where '${without}' leaves them out.`,
  'pid-unknown': ({ calls }) =>
    `pid 0 is the idle task and any process that is not visible in this PID namespace (${counted(calls, 'call')}).`,
  filtered: ({ calls }) =>
    `${calls} other ${calls === 1 ? 'call was' : 'calls were'} left out by the filters; they are not in the total.`,
  'walks-differed': ({ differed, checked }) =>
    `${differed} of ${checked} stacks walked in BPF differed from the kernel's unwinder when checked: calls may be counted under another stack; --no-walk uses the kernel's unwinder for every call.`,
  'walking-refused': () =>
    "The kernel's verifier refuses to walk stacks in BPF: its unwinder takes every stack, which costs more.",
  'walking-unknown-tables': () =>
    "This kernel's unwind tables (ORC) have a layout that whocalls does not know: the kernel's unwinder takes every stack, which costs more.",
  'raise-limit': ({ option, limit, better }) => `${option} ${limit} was too small; try ${better}.`,
  'times-end': ({ keys }) =>
    `After ${keys} combinations of stack, process and time no further times were kept: calls of later ones have none (--max-keys raises that).`,
  'saw-more': ({ target, seen, counted: kernel }) =>
    `${target}: the BPF program saw ${seen} calls where the kernel counted ${kernel}.`,
  'edge-calls': ({ target, calls }) =>
    `${target}: up to ${counted(calls, 'call')} right when counting began or ended may have been missed.`,
  'skipped-maybe-filtered': ({ target }) =>
    `${target}: some of the skipped calls may be ones that the filters would have left out.`,
  'misses-unreported': () => 'This kernel does not say whether kprobes were skipped.',
  'misses-incomplete': () => 'CPUs went on- or offline, so it is not known whether kprobes were skipped.',
  'misses-before': ({ probe, release }) =>
    `Before Linux ${release} it is not known whether BPF programs of ${probe}s were skipped.`,
  'kprobe-skips-may-be-own': () => 'Some of the skipped kprobes may be calls made by whocalls itself.',
  'hist-depth': ({ frames }) =>
    `Histograms of the kernel keep ${frames} frames of a stack: outer callers may be missing.`,
  'hist-no-caller': () =>
    'Histograms leave out the function that called the target on this processor; paths begin with its caller.',
  'hist-stood-in': ({ refusal }) =>
    `BPF is refused here (${refusal}): the kernel's own histograms counted, by stack and process name.`,
  'cpu-offline': ({ cpu }) =>
    `CPU ${cpu} went offline while calls were counted; calls on it until then are in the total.`,
  'cpus-changed': ({ cpus }) =>
    `CPUs went on- or offline while calls were counted (${cpus}); nothing is missing by that.`,
  'user-no-caller': ({ target, part, calls }) =>
    `${target}: ${part} of ${calls} calls have no caller in their stack; ${FRAME_POINTERS}.`,
  'user-one-caller': ({ target, part, calls }) =>
    `${target}: ${part} of ${calls} calls show no more than one caller; ${FRAME_POINTERS}.`,
  'user-ends-unknown': ({ target, part, calls, symbol }) =>
    `${target}: ${part} of ${calls} stacks end at ${symbol}: not an address of the executable (code without frame pointers), code made at run time, or a process that had ended.`,
  'user-stripped': ({ files }) =>
    `Stripped, so that callers show as addresses: ${some(files)}. Their debug symbols (on Debian the package's -dbgsym, of the C library libc6-dbg) or a build that is not stripped bring the names.`,
  'user-mappings-lost': ({ lost }) =>
    `The kernel's buffer had no room for ${lost} mappings or new processes: user frames that lie in them may have no name.`,
  'user-frame-pointers': () =>
    "The user part of a stack is found by frame pointers: the caller of a function without one, such as the C library's system calls, is left out.",
  'target-aliases': ({ aliases }) => `Some names stand for one function, which is counted once: ${some(aliases)}.`,
  'target-compat-syscalls': () =>
    'Tracepoints of single system calls do not see those of 32-bit programs; raw_syscalls:sys_enter sees all.',
  'target-taken-for-tracepoints': ({ word, category }) =>
    `${word} is taken for tracepoints; without ${category}: functions are meant.`,
  'target-several': ({ target, places }) =>
    `${target} is the name of ${places.length} functions (${some(places)}); all are counted.`,
  'target-entered-by': ({ target, wrappers }) => `${target} is entered by ${wrappers.join(' and ')}.`,
  'target-macro': ({ target, counted: name }) =>
    `${target} is a macro around ${name} on this kernel: ${name} was counted.`,
  'target-copies': ({ target, copies }) =>
    `The compiler made copies of ${target}, which are counted too: ${copies.join(', ')}.`,
  'target-in-part': ({ target, parts }) =>
    `Only the split-off part of ${target} (${some(parts)}) exists as a function; calls that return from the inlined beginning are not counted.`,
  'pattern-in-part': ({ pattern, parts }) =>
    `Of some functions that ${pattern} matches only a split-off part (${some(parts)}) exists; calls that return from the inlined beginning are not counted.`,
  'pattern-syscalls-once': ({ pattern, names }) =>
    `${pattern}: a system call is counted where it is entered, not again in the functions that are called there for it (${some(names)}).`,
  'target-ifunc': ({ target, path }) =>
    `${target} of ${path} is an ifunc resolver: it runs once per program to pick an implementation; calls of that implementation are not counted.`,
  'target-used-by-counting': ({ targets }) =>
    `Counting itself calls ${some(targets)}. Those calls are not the workload's: Linux 6.7 and newer count them as skipped, older kernels may not show them.`,
  'target-user-several': ({ target, path, count }) =>
    `${target} is the name of ${count} functions of ${path}; all are counted.`,
  'samples-counted': ({ events }) =>
    `Samples${ofEvents(events)} count once each: their period is time or work, not a number of calls.`,
  'period-not-printed': ({ events }) =>
    `Samples${ofEvents(events)} count once each, because their periods are not printed; perf script -F +period prints them.`,
  'no-sample-has-stack': () =>
    'No sample has a stack: perf record -g takes them, and perf script prints them unless -F leaves out ip and sym.',
  'no-sample-counts': ({ value, unit, every }) =>
    every > 0
      ? `The profile states ${value} in ${unit} and no number of samples: every ${every} count as one call.`
      : `The profile states ${value} in ${unit} and no number of samples: each of its stacks counts as one call; --sort ${value} goes by the sums.`,
  'log-lines-dropped': ({ lines }) =>
    `The kernel dropped ${counted(lines, 'line')} of its log: calls printed there are missing unless a stated total tells of them.`,
  'caller-only': ({ calls }) =>
    `${counted(calls, 'call')} ${calls === 1 ? 'has' : 'have'} no stack, only a caller: paths end there; options/func_stack_trace records whole stacks.`,
  'events-left-out': ({ events, records }) =>
    `${counted(records, 'record')} of events without stacks ${records === 1 ? 'is' : 'are'} not counted: ${some(events)}.`,
  'trace-entries-estimated': ({ entries, calls }) =>
    `${counted(entries, 'entry', 'entries')} of the trace buffer ${entries === 1 ? 'is' : 'are'} missing: about ${counted(calls, 'call')}, because a stack is an entry of its own.`,
  'several-histograms': ({ histograms }) =>
    `${histograms} histograms are counted together: where two are of one event, its calls count twice.`,
  'histogram-shown-again': ({ name }) => `The histogram named ${name} is shown several times and counted once.`,
  'map-printed-again': ({ map, prints, isGrowing }) =>
    isGrowing
      ? `${map} is printed ${prints} times and only grows: its last print counts.`
      : `${map} is printed ${prints} times and was cleared in between: its prints are added up.`,
  'listed-again': ({ listings }) =>
    `What was allocated is listed ${listings} times: the last listing counts, others have it too.`,
  'kernel-addresses': ({ addresses, source, release }) =>
    source === ''
      ? `${addresses} addresses of the kernel have no names. Give them with --kallsyms FILE (a copy of /proc/kallsyms of the recorded boot) or --vmlinux FILE (the image of ${release || 'that kernel'}).`
      : `${addresses} addresses of the kernel have no name in ${source}: modules, or code that was loaded later.`,
  'several-maps': ({ maps }) =>
    `${some(maps)} are counted together: where two count the same calls, these count twice.`,
  'total-ignored': ({ stated, counted: found }) =>
    `The source states ${stated} calls in all, but ${found} are in it: the stated total was ignored.`,
  'target-inferred': ({ target }) => `${target} is taken for the target: every stack begins with it.`,
  'argument-not-recorded': () => 'No argument was recorded; --keys argN records one.',
  'partial-stacks': ({ calls }) =>
    calls === 1
      ? '1 call has lines in its stack that could not be read; its path may lack functions.'
      : `${calls} calls have lines in their stacks that could not be read; their paths may lack functions.`,
  'unreliable-paths': ({ calls }) =>
    calls === 1
      ? '1 call has only unreliable (?) frames; its path is a best guess.'
      : `${calls} calls have only unreliable (?) frames; their paths are a best guess.`,
  'facts-damaged': () => 'The facts of the census file are damaged; only its calls were read.',
  'facts-of-newer-version': () =>
    'The census file was written by a later version; facts that this one does not know are left out.',
  stated: ({ text }) => text,
};

const WARNINGS: Words<WarningFacts> = {
  'cpu-came': ({ cpu }) => `CPU ${cpu} came online while calls were counted: calls on it are not in the total.`,
  'cpu-returned': ({ cpu }) =>
    `CPU ${cpu} was offline for a time while calls were counted: calls on it after that are not in the total.`,
  'stopped-early': ({ why }) => `Counting stopped early: ${why}`,
  'counted-twice': ({ most }) =>
    `Up to ${counted(most, 'call')} may be counted twice: on this processor a breakpoint counts a call again when an interrupt comes before its first instruction.`,
  'trace-entries-lost': () => 'The trace buffer overflowed, and the kernel does not say how many entries were lost.',
  'perf-throttled': ({ times }) =>
    `The kernel held perf back ${times} times (PERF_RECORD_THROTTLE): calls in the meantime are not counted.`,
  'maps-were-full': () => 'A map of the tool was full: calls of further stacks are missing.',
  'samples-unread': ({ samples }) =>
    `${counted(samples, 'sample')} could not be read: their calls are not in the total.`,
  'pattern-refused': ({ pattern, count, names, why }) =>
    `${pattern} matches ${count} that cannot be counted (${names.join(', ')}${count > names.length ? ` and ${count - names.length} more` : ''}): ${why}.`,
  stated: ({ text }) => text,
};

/** Why calls have no stack, in a few words: `not listed in the input`. */
export function lossText({ code, ...facts }: LossCause | Loss): string {
  return worded(LOSSES, code, facts);
}

/** A note as a sentence. */
export function noteText({ code, ...facts }: Note): string {
  return worded(NOTES, code, facts);
}

/** A warning as a sentence. */
export function warningText({ code, ...facts }: Warning): string {
  return worded(WARNINGS, code, facts);
}

/** Every code that is worded, by kind; for the documents and their test. */
export const MESSAGE_CODES = {
  losses: Object.keys(LOSSES),
  notes: Object.keys(NOTES),
  warnings: Object.keys(WARNINGS),
} as const;

/** The sentence of a code; of one that a later version wrote, the code and its facts. */
function worded<M>(words: Words<M>, code: Message['code'], facts: object): string {
  try {
    if (Object.hasOwn(words, code)) return words[code as keyof M](facts as M[keyof M]);
  } catch {
    // A file may have the code with facts of another kind.
  }
  const told = Object.entries(facts).filter(([key]) => key !== 'count');
  return [code, ...told.map(([key, value]) => `${key} ${Array.isArray(value) ? value.join(', ') : value}`)].join(' ');
}
