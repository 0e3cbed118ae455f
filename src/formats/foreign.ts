/** What a file may be that no reader takes. */
interface ForeignFormat {
  /** `FILE looks like …` */
  readonly what: string;
  /** What can be done instead, if anything. */
  readonly instead?: string;
}

interface ForeignBytes extends ForeignFormat {
  /** As latin1. */
  readonly bytes: string;
  /** Where they stand; at the beginning unless told. */
  readonly at?: number;
}

interface ForeignText extends ForeignFormat {
  /** Looked for in the first bytes, as latin1. */
  readonly sign: RegExp;
}

const EXPLAIN = 'whocalls explain takes single stacks of it';
const LINUX_ONLY = 'only Linux is known';
const UNPACK = 'unpack it first';
const STACKLESS = 'there are no stacks in it';
const PPROF_PROTO = 'pprof -proto turns it into a profile that is read';
const REPORT_SAMPLE = "simpleperf's report_sample.py prints what is read";

/** Files that begin with bytes of their own. */
const BINARY: readonly ForeignBytes[] = [
  { what: 'a perf.data file of before Linux 3.0', bytes: 'PERFFILE', instead: 'perf script -i prints what is read' },
  { what: "trace-cmd's trace.dat", bytes: '\x17\x08Dtracing', instead: 'trace-cmd report prints what is read' },
  // Words of four or eight bytes: 0, the length of the header (3 words).
  { what: 'a CPU profile of gperftools', bytes: `${'\0'.repeat(8)}\x03${'\0'.repeat(7)}`, instead: PPROF_PROTO },
  { what: 'a CPU profile of gperftools', bytes: '\0\0\0\0\x03\0\0\0', instead: PPROF_PROTO },
  { what: 'samples of simpleperf as protobuf', bytes: 'SIMPLEPERF', instead: REPORT_SAMPLE },
  { what: 'a Java Flight Recording', bytes: 'FLR\0' },
  { what: 'a crash dump', bytes: 'KDUMP   ', instead: `open it with crash; ${EXPLAIN}` },
  { what: 'a crash dump', bytes: 'makedumpfile', instead: `open it with crash; ${EXPLAIN}` },
  { what: 'an ELF file (a program, a module or a core dump)', bytes: '\x7fELF' },
  { what: 'bzip2 data', bytes: 'BZh', instead: UNPACK },
  { what: 'lz4 data', bytes: '\x04"M\x18', instead: UNPACK },
  { what: 'a zip archive', bytes: 'PK\x03\x04', instead: UNPACK },
  { what: 'a tar archive', bytes: 'ustar', at: 257, instead: UNPACK },
  { what: 'a SQLite database', bytes: 'SQLite format 3\0', instead: STACKLESS },
];

/**
 * Tools whose output is met where stacks are expected, by a line that hardly anything else has. The first that fits is
 * named in the refusal of a file, so special ones stand before general ones.
 */
const TEXT: readonly ForeignText[] = [
  // JSON and pages
  { what: 'a profile of the Firefox Profiler', sign: /"(?:preprocessedProfileVersion|geckoProfile\w*)"\s*:/ },
  { what: "Chrome's trace events", sign: /"traceEvents"\s*:/ },
  { what: 'a CPU profile of V8', sign: /^\s*\{\s*"nodes"\s*:\s*\[/ },
  { what: 'a flame graph', sign: /<svg[\s>]/, instead: 'the folded stacks it was drawn from are read' },
  { what: 'a web page', sign: /<(?:!DOCTYPE html|html)[\s>]/i, instead: 'save the text it shows' },
  // perf and its kin
  {
    what: 'the output of perf stat',
    sign: /^ ?Performance counter stats for /m,
    instead: 'it has no stacks; perf record -g takes them',
  },
  {
    what: 'the output of perf report',
    sign: /^# (?:Samples: .* of event|Overhead +)/m,
    instead: 'perf script prints what is read, from the same perf.data',
  },
  {
    what: 'the output of perf trace',
    sign: /^ {0,20}\d{1,9}\.\d{3} \( {0,20}(?:\d{1,9}\.\d{3} ms)? {0,20}\): /m,
    instead: STACKLESS,
  },
  {
    what: 'the output of simpleperf report-sample',
    sign: /^sample:\r?\n {2}event_type: /m,
    instead: REPORT_SAMPLE,
  },
  // bcc and bpftrace
  { what: "the output of bcc's klockstat", sign: /^ *Caller +Avg (?:Spin|Wait|Hold)/m },
  // The kernel's own tracing
  {
    what: "a trace of ftrace's function_graph, which tells what functions call and not who calls them",
    sign: /^# tracer: function_graph|^ {0,20}\d{1,5}\) {1,9}[+!#*@$ ]{0,20}(?:\d{1,9}\.\d{3} us)? {1,20}\| +\S/m,
    instead: 'the function tracer with options/func_stack_trace records what is read',
  },
  {
    what: "a listing of a slab cache's users",
    sign: /^ {1,20}\d{1,9} \S{1,200}\+0x[0-9a-f]{1,16}\/0x[0-9a-f]{1,16}.{0,200} age=\d/m,
  },
  { what: 'symbols of a kernel (kallsyms or System.map)', sign: /^[0-9a-f]{16} [A-Za-z] \w+/m, instead: STACKLESS },
  // Debuggers
  { what: "backtraces of crash's bt", sign: /^PID: \d+ +TASK: [0-9a-f]+ +CPU: \d+ +COMMAND: /m, instead: EXPLAIN },
  {
    what: 'backtraces of gdb',
    sign: /^#\d+ +(?:0x[0-9a-f]+ in )?\S.* \(.*\)(?: (?:at|from) \S+)?\r?$/m,
    instead: EXPLAIN,
  },
  {
    what: "backtraces of SystemTap's print_backtrace",
    sign: /^ *0x[0-9a-f]+ : \S+\+0x[0-9a-f]+\/0x[0-9a-f]+ \[/m,
    instead: EXPLAIN,
  },
  { what: 'stacks of DTrace', sign: /^ +[\w.]+`\S+\+0x[0-9a-f]+\r?$/m },
  {
    what: 'the output of strace',
    sign: /^(?:\[pid +\d+\] |\d+ +)?(?:[\d:.]+ )?[a-z]\w*\(.*\) += (?:-?\d+|0x[0-9a-f]+|\?)/m,
    instead: STACKLESS,
  },
  // What else people have in a directory of traces
  {
    what: 'a histogram of bcc or bpftrace, or of another tool like them',
    sign: /^ +[a-z]+ +: count +distribution$|^@\w*(?:\[[^\]\n]*\])?: ?\n[[(].{1,40}[\])] +\d+ \|[@ ]*\|$/m,
    instead: STACKLESS,
  },
  {
    what: "the output of bcc's funccount",
    sign: /^FUNC +COUNT$/m,
    instead: `${STACKLESS}; stackcount counts with them`,
  },
  {
    what: 'a table of bcc or bpftrace, a line for each event',
    sign: /^(?:TIME(?:\(\w+\))?|PCOMM|COMM|PID|UID|EVENT) +(?:PID|TID|PPID|PCOMM|COMM|UID|SIG|CPU|FD|TASK|T)\b|^Tracing (?!\d+ functions? for|off-CPU|blocked time).{1,100}\.\.\. +(?:Hit )?Ctrl-C/m,
    instead: STACKLESS,
  },
  { what: 'packets as tcpdump prints them', sign: /^\d\d:\d\d:\d\d\.\d{6} (?:IP6?|ARP),? /m, instead: STACKLESS },
  { what: '/proc/interrupts', sign: /^ +CPU0(?: +CPU\d+)* *\n +\d+: +\d/m, instead: STACKLESS },
  { what: '/proc/lock_stat', sign: /^lock_stat version /m, instead: STACKLESS },
  {
    what: 'a list of processes',
    sign: /^ *(?:USER +PID +%CPU|PID +TTY +TIME +CMD|PID +USER +PR +NI)/m,
    instead: STACKLESS,
  },
  { what: 'the output of vmstat', sign: /^procs -+memory-+/m, instead: STACKLESS },
  // Programs
  { what: 'a report of AddressSanitizer for a program', sign: /^==\d+==ERROR: \w+Sanitizer/m },
  { what: 'the output of valgrind', sign: /^==\d+== /m },
  {
    what: 'a dump of Java threads',
    sign: /^(?:Full thread dump |"[^"\n]+" (?:#\d+ )?(?:daemon )?(?:prio|\[\d+\])|[ \t]+at [\w.$]+\(\w+\.java:\d+\))/m,
  },
  { what: 'a dump of goroutines', sign: /^goroutine \d+ \[[^\]\n]+\]:/m },
  { what: 'a traceback of Python', sign: /^Traceback \(most recent call last\):/m },
  // Other kernels
  { what: 'a report of macOS', sign: /^(?:panic\(cpu \d+ caller 0x|Analysis of sampling )/m, instead: LINUX_ONLY },
  {
    what: 'a report of a BSD kernel',
    sign: /^(?:KDB: stack backtrace:|db_trace_self|ddb(?:\{\d+\})?> |Stopped at +\S+\+0x)/m,
    instead: LINUX_ONLY,
  },
  { what: 'a report of Fuchsia', sign: /ZIRCON KERNEL (?:PANIC|OOPS)|\{\{\{bt:\d+:/, instead: LINUX_ONLY },
  { what: 'a report of Windows', sign: /^(?:STACK_TEXT:|BUGCHECK_CODE:)/m, instead: LINUX_ONLY },
];

/** How much of a file is looked at, in bytes. */
const LOOKED_AT = 1 << 16;

/** Which tool's output a file looks like by its first bytes, and what to do instead of reading it; null where nothing tells. */
export function foreignFormat(head: Buffer): { readonly what: string; readonly instead: string } | null {
  const text = head.toString('latin1', 0, LOOKED_AT);
  const found =
    BINARY.find(({ bytes, at = 0 }) => text.startsWith(bytes, at)) ?? TEXT.find(({ sign }) => sign.test(text));
  return found ? { what: found.what, instead: found.instead ?? '' } : null;
}
