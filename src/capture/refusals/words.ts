import type { Refusal, RefusalFacts, TargetKind, TracefsProblem } from './reasons.ts';

type Words<Facts> = { readonly [Code in keyof Facts]: (facts: Facts[Code]) => string };

const LAB = "'whocalls lab' counts in a virtual machine and needs no privilege";

/** Refusals that a virtual machine gets around. */
const LAB_HELPS: ReadonlySet<Refusal['code']> = new Set<Refusal['code']>([
  'unsupported-machine',
  'not-root',
  'forbidden',
  'memory-lock-limit',
  'not-built',
  'addresses-hidden',
  // A stock kernel has what this one was built without or forbids.
  'no-event-source',
  'locked-down',
  'paranoid',
  'lacks-capability',
  'forbidden-here',
  'no-breakpoints',
]);

const KINDS: Readonly<Record<TargetKind, string>> = {
  function: 'kernel functions',
  tracepoint: 'tracepoints',
  user: 'functions of executables and libraries',
};

const HIDDEN = "the kernel's addresses are hidden";
const STEPS = {
  arm: 'the kernel refuses an event',
  start: 'the kernel refuses a histogram',
  read: 'the counts cannot be read',
} as const;

/** All sentences of refusals: no capital, no full stop, for one line after the name of the tool. */
const WORDS: Words<RefusalFacts> = {
  'unsupported-machine': ({ platform, architecture }) =>
    `calls can be counted on Linux on x86-64 and arm64, not on ${platform} ${architecture}`,
  'no-native-calls': ({ why }) => `the optional package koffi is needed to count calls and cannot be loaded: ${why}`,
  'no-sysfs': ({ path }) => `${path} cannot be read: counting calls needs /sys (mount -t sysfs)`,
  unreadable: ({ path, why }) => `cannot read ${path}: ${why}`,
  'namespace-pids-unknown': () => 'in a PID namespace of its own, as in a container, counting needs Linux 5.7 or newer',
  'not-root': ({ missing, what }) => `counting calls needs root (missing: ${missing.join(', ')}; ${what})`,
  forbidden: ({ what }) => `the kernel forbids it here, as containers often do (${what})`,
  'memory-lock-limit': ({ what }) => `the limit on locked memory is too low for the maps (ulimit -l; ${what})`,
  'too-many-files': ({ what }) => `too many files are open (ulimit -n, ${what}): fewer targets need fewer`,
  'not-built': ({ what }) => `the kernel was built without it (${what})`,
  'no-memory': ({ what }) =>
    `not enough memory for the maps (${what}): a smaller --max-stacks or --max-keys takes less`,
  'system-call': ({ what }) => what,
  'addresses-hidden': ({ restrict, missing }) => {
    if (restrict === '2')
      return `kernel.kptr_restrict is 2, which hides the kernel's addresses from everybody; 1 shows them to root (sysctl kernel.kptr_restrict=1)`;
    if (missing.length > 0) return `${HIDDEN}: counting calls needs root (missing: ${missing.join(', ')})`;
    return `${HIDDEN} here, as in containers`;
  },

  'wrong-kind': () => 'not for this kind of target',
  'no-event-source': ({ source, option }) => `the kernel has no ${source}s for perf (${option})`,
  'not-traceable': () => 'the kernel refuses kprobes on a function compiled without tracing',
  'no-slot': () => 'the processor has no breakpoint left (others of this run or another debugger hold them)',
  'no-breakpoint-there': () => 'the kernel forbids breakpoints there (entry code, noinstr, or CONFIG_KPROBES is off)',
  'no-breakpoints': () => 'this machine has no hardware breakpoints',
  'breakpoint-repeats': () => 'this kernel does not step over breakpoints that run BPF programs (mended in Linux 6.6)',
  'breakpoint-ignored': () => 'a breakpoint that was tried out did not stop the processor',
  'no-such-tracepoint': () => 'the kernel has no such tracepoint',
  'tracepoint-not-listed': () => 'tracefs does not list it (is it mounted at /sys/kernel/tracing?)',
  'too-few-arguments': () => 'the tracepoint has fewer arguments than were asked for',
  'locked-down': () => 'the kernel is locked down (confidentiality)',
  paranoid: ({ value }) => `kernel.perf_event_paranoid is ${value}: that asks for CAP_SYS_ADMIN, 2 for CAP_PERFMON`,
  'lacks-capability': ({ probes, capabilities }) => `${probes} need ${capabilities.join(' or ')}`,
  'forbidden-here': () => 'the kernel forbids it here, as containers often do',
  'no-tracefs': ({ why }) => `tracefs is needed: ${TRACEFS[why]}`,
  'no-histograms': () => 'the kernel was built without histograms (CONFIG_HIST_TRIGGERS)',
  'engine-refused': ({ why }) => why,

  'cannot-count': (facts) => {
    const room = facts.fitting.length > 0 ? `; there is room for ${facts.fitting.join(', ')}` : '';
    return `${facts.target} cannot be counted: ${whyNotCounted(facts)}${room}`;
  },
  'options-unsupported': ({ engine, options }) => `the engine ${engine} cannot do ${options.join(', ')}`,
  'histogram-failed': ({ step, why }) => `the engine hist: ${STEPS[step]} (${why})`,
  'cpus-offline': ({ cpus, online }) => `--cpu ${cpus.join(',')}: not online (CPUs that are: ${online.join(', ')})`,
  'no-process': ({ pid }) => `--pid ${pid}: no such process`,
  'is-thread': ({ pid, process }) => `--pid ${pid}: a thread of process ${process}, which counts as a whole`,
  'inner-namespace': ({ pid }) =>
    `--pid ${pid}: in a PID namespace of its own, below the one whocalls runs in; count from there`,
  'no-cgroup': ({ directory, exists }) =>
    `--cgroup ${directory}: ${exists ? 'not a cgroup v2 directory' : 'no such directory'} (cgroups are below /sys/fs/cgroup)`,
  'cgroup-unreadable': ({ directory, why }) => `--cgroup ${directory}: ${why}`,
  'own-cgroup': ({ step, why }) => {
    if (step === 'make') return `--only-command needs a cgroup of its own: ${why}`;
    if (step === 'join') return `--only-command cannot put COMMAND in a cgroup: ${why}`;
    return `--only-command needs cgroup v2, which cannot be mounted: ${why}`;
  },
  'no-command': ({ command, isBuiltin }) =>
    `cannot run ${command}: no such command${isBuiltin ? ` (a shell builtin? try sh -c '${command} …')` : ''}`,
  'not-executable': ({ command }) => `cannot run ${command}: not executable`,
  'cannot-run': ({ command, why }) => `cannot run ${command}: ${why}`,
  'no-user': ({ user }) => `--user ${user}: no such user`,

  'no-function': ({ word, near, isData, isFile }) => {
    if (isFile) return `${word} is a file; a COMMAND stands after --`;
    if (isData) return `${word} is data, not a function${meant(near)}`;
    const inlined = 'it may be inlined everywhere';
    return near.length === 0
      ? `no kernel function is called ${word}: ${inlined}, a macro, or in a module that is not loaded`
      : `no kernel function is called ${word}${meant(near)} If not, ${inlined}.`;
  },
  'no-function-in-module': ({ module, name, near }) =>
    module === 'vmlinux'
      ? `no kernel function is called ${name}${near.length === 0 ? ': it may be inlined everywhere, or a macro' : meant(near)}`
      : `the module ${module} has no function ${name}${meant(near)}`,
  'no-match': ({ pattern }) => `no kernel function matches ${pattern}`,
  'init-only': ({ name }) => `${name} runs only while the kernel starts, and is gone by now`,
  'no-set': ({ word, near }) => `no set of targets is called ${word}${meant(near)} ('whocalls targets' lists them)`,
  'empty-set': ({ word, functions }) => `this kernel has none of the functions of ${word}: ${functions.join(', ')}`,
  'no-tracepoint': ({ word, isPattern, near }) =>
    `no tracepoint ${isPattern ? 'matches' : 'is called'} ${word}${meant(near)}`,
  'no-tracepoints': ({ word, why }) => `${word}: tracepoints cannot be looked up: ${TRACEFS[why]}`,
  'no-category': ({ word, category, near, isLibrary }) =>
    `${word}: there is no tracepoint category and no loaded module ${category}${isLibrary ? '; and the dynamic linker knows no such library: name it with its path (/usr/lib/…)' : meant(near)}`,
  'too-many-targets': ({ words, count, most, narrower }) => {
    const parts = narrower.map((part) => `'${part.pattern}' (${part.count})`);
    const narrow = parts.length === 0 ? '' : `; parts of them: ${parts.join(', ')}`;
    return `${words} stands for ${count} functions; at most ${most} are counted at once${narrow}`;
  },
  'imported-function': ({ path, name }) => `${path} calls ${name} but does not contain it: name the library that does`,
  'no-user-function': ({ path, name, isPattern, near, symbols }) =>
    `${isPattern ? `no function of ${path} matches ${name}` : `${path} has no function ${name}`}${near.length > 0 ? meant(near) : SYMBOLS[symbols]}`,
};

/** Why tracefs tells nothing, and what to do. */
export const TRACEFS: Readonly<Record<TracefsProblem, string>> = {
  'locked-down': 'the kernel is locked down (confidentiality)',
  'not-root': 'only root may read /sys/kernel/tracing',
  'not-mounted': 'tracefs is not at /sys/kernel/tracing (mount -t tracefs tracefs /sys/kernel/tracing)',
};

const SYMBOLS = {
  all: '',
  exported: ': it is stripped, so that only functions it offers to other files are known',
  none: ': it has no symbols at all',
} as const;

function meant(near: readonly string[]): string {
  return near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`;
}

/** A refusal in one line: what, and what to do about it. */
export function refusalText({ code, ...facts }: Refusal): string {
  return (WORDS[code] as (facts: object) => string)(facts);
}

/** Why no engine can count a target: `kprobe: …; breakpoint: …`. */
export function whyNotCounted({ kind, engine, tried }: RefusalFacts['cannot-count']): string {
  if (tried.length === 0) return `the engine ${engine} is not for ${KINDS[kind]}`;
  return tried.map((one) => `${one.engine}: ${refusalText(one.refusal)}`).join('; ');
}

/** What else may be done, to follow the refusal on the command line; undefined where nothing is known to help. */
export function hintOf(refusal: Refusal): string | undefined {
  const reasons = refusal.code === 'cannot-count' ? refusal.tried.map((one) => one.refusal.code) : [refusal.code];
  return reasons.some((code) => LAB_HELPS.has(code)) ? LAB : undefined;
}
