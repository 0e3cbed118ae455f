// What kernels print above their stacks, as data. Kinds of reports are what `--by report` counts by.

/** A fault or a list that the kernel announces before it prints the stacks. */
export interface ReportForm {
  readonly pattern: RegExp;
  /** What calls are counted as; `$1` is the first group. */
  readonly kind: string;
  /** Several stacks belong to it: each that is introduced by another line of its own. */
  readonly goesOn?: true;
  /** Printed on top of another report: that one remains the kind, if it has no stack yet. */
  readonly isAftermath?: true;
  /** The stack follows without a heading of its own. */
  readonly stackFollows?: true;
  /** Process and CPU are printed below the stack. */
  readonly taskFollows?: true;
}

/** All of them begin so, perhaps behind `[ `, `watchdog: ` or `rcu: `. */
const BEGINNING =
  /^(?:\[ )?(?:(?:NMI )?watchdog: |rcu: |x86\/\w+: |=+ ?)?(?=BUG|INFO|WARNING|UBSAN|kernel BUG|Unable|Internal error|Oops|general prot|divide err|stack segment|invalid opcode|PANIC|Kernel panic|NMI backtrace|sysrq|SysRq|Task dump|FAULT_INJ|Watchdog|unreferenced|irq \d)/;

const REPORTS: readonly ReportForm[] = [
  { pattern: /^BUG: KASAN: (?:maybe )?([a-z-]+)/, kind: 'KASAN $1' },
  { pattern: /^BUG: KMSAN: ([a-z-]+)/, kind: 'KMSAN $1', stackFollows: true, taskFollows: true },
  { pattern: /^BUG: KCSAN: ([a-z-]+)/, kind: 'KCSAN $1', goesOn: true },
  { pattern: /^BUG: KFENCE: ([a-z-]+(?: [a-z]+){0,2}?)(?: in |$)/, kind: 'KFENCE $1', taskFollows: true },
  { pattern: /^UBSAN: (?!Undefined)([a-z-]+)/, kind: 'UBSAN $1' },
  { pattern: /^UBSAN: /, kind: 'UBSAN' },

  { pattern: /^INFO: task (.+):(\d+) (?:is )?blocked/, kind: 'hung task' },
  { pattern: /^INFO: rcu\w* .*expedited stall/, kind: 'RCU expedited stall', goesOn: true },
  { pattern: /^INFO: rcu\w* (?:self-)?detected stall/, kind: 'RCU stall', goesOn: true },
  { pattern: /^BUG: soft lockup/, kind: 'soft lockup', goesOn: true },
  { pattern: /^Watchdog detected hard LOCKUP/, kind: 'hard lockup', goesOn: true },
  { pattern: /^BUG: workqueue lockup/, kind: 'workqueue lockup', goesOn: true },
  { pattern: /^(?:sysrq: |SysRq ?: )[Ss]how/, kind: 'SysRq', goesOn: true },

  { pattern: /^(?:WARNING|INFO): possible circular locking/, kind: 'lockdep circular locking' },
  { pattern: /^(?:WARNING|INFO): possible recursive locking/, kind: 'lockdep recursive locking' },
  {
    pattern: /^(?:WARNING|INFO): (?:possible irq lock inversion|\S+-safe -> \S+-unsafe)/,
    kind: 'lockdep lock inversion',
  },
  { pattern: /^(?:WARNING|INFO): inconsistent lock state/, kind: 'lockdep inconsistent lock state' },
  { pattern: /^(?:WARNING|INFO|ERR): suspicious RCU usage/, kind: 'lockdep suspicious RCU usage' },
  { pattern: /^(?:WARNING|BUG): bad (?:unlock balance|contention)/, kind: 'lockdep unlock balance' },
  { pattern: /^(?:WARNING|BUG): Invalid wait context/, kind: 'lockdep invalid wait context' },
  { pattern: /^(?:WARNING|BUG): (?:held lock freed|lock held|\S+ still has locks held)/, kind: 'lockdep lock held' },
  { pattern: /^WARNING: Nested lock/, kind: 'lockdep nested lock' },
  { pattern: /^INFO: trying to register non-static key/, kind: 'lockdep non-static key' },

  { pattern: /^WARNING: (?:CPU: \d|at )/, kind: 'warning' },
  { pattern: /^WARNING: .*, CPU#\d+: /, kind: 'warning' },
  { pattern: /^kernel BUG at /, kind: 'BUG' },
  { pattern: /^BUG: sleeping function/, kind: 'sleeping function in atomic context' },
  { pattern: /^BUG: scheduling while atomic/, kind: 'scheduling while atomic' },
  { pattern: /^BUG: using \S+ in preemptible/, kind: 'preemptible use of a CPU number' },
  { pattern: /^BUG: (?:spinlock|rwlock)/, kind: 'spinlock' },
  { pattern: /^BUG: Bad page/, kind: 'bad page' },
  { pattern: /^BUG: .*stack guard page/, kind: 'stack overflow' },
  { pattern: /^BUG: memory leak/, kind: 'memory leak' },
  { pattern: /^unreferenced object 0x/, kind: 'memory leak' },
  { pattern: /^BUG [^\s:]+ \(/, kind: 'SLUB' },
  { pattern: /^FAULT_INJECTION: /, kind: 'fault injection' },
  { pattern: /^irq \d+: nobody cared/, kind: 'unhandled interrupt' },

  {
    pattern: /^(?:BUG: (?:unable to handle )?(?:kernel )?|Unable to handle (?:kernel )?)NULL pointer/,
    kind: 'oops: NULL pointer dereference',
  },
  { pattern: /^(?:BUG: unable|Unable) to handle /, kind: 'oops: page fault' },
  { pattern: /^(?:Oops: )?general protection fault(?:,|: )/, kind: 'oops: general protection fault' },
  { pattern: /^(?:Oops: )?divide error: /, kind: 'oops: divide error' },
  { pattern: /^(?:Oops: )?stack segment: /, kind: 'oops: stack segment' },
  { pattern: /^PANIC: double fault/, kind: 'double fault' },
  { pattern: /^BUG: /, kind: 'BUG' },
  { pattern: /^(?:Oops: )?invalid opcode: /, kind: 'oops: invalid opcode', isAftermath: true },
  { pattern: /^(?:Oops|Internal error)\b/, kind: 'oops', isAftermath: true },
  { pattern: /^Kernel panic - not syncing/, kind: 'panic', isAftermath: true },
];

/** Lines that introduce one more stack of a report that goes on; by themselves, what another CPU or task does. */
const NEXT_STACK = /^(?:NMI backtrace for cpu \d+$|Task dump for CPU)/;

/** A stack that no report was announced for. */
function unannounced(kind: string): Report {
  return { form: { pattern: NEXT_STACK, kind, goesOn: true }, kind, text: '' };
}
export const CPU_BACKTRACE = unannounced('CPU backtrace');
export const TASK_DUMP = unannounced('task dump');
export const PROCESS_STACK = unannounced('process stack');

/** Reports that begin with the name of a process. */
const OF_PROCESS: readonly ReportForm[] = [
  { pattern: /^(.{1,63}?) invoked oom-killer: /, kind: 'OOM killer' },
  { pattern: /^(.{1,63}?): page allocation failure/, kind: 'page allocation failure' },
];

/** A report as it is announced in a log. */
export interface Report {
  readonly form: ReportForm;
  readonly kind: string;
  /** The announcement, without what stands before it. */
  readonly text: string;
}

/** The report a line announces; null for any other line. */
export function reportIn(content: string): Report | null {
  const beginning = BEGINNING.exec(content);
  if (beginning) {
    const text = content.slice(beginning[0].length);
    if (NEXT_STACK.test(text)) return { ...CPU_BACKTRACE, text };
    return named(REPORTS, text);
  }
  return content.includes('invoked oom-killer') || content.includes('page allocation failure')
    ? named(OF_PROCESS, content)
    : null;
}

function named(forms: readonly ReportForm[], text: string): Report | null {
  for (const form of forms) {
    const match = form.pattern.exec(text);
    if (match) return { form, kind: form.kind.replace('$1', match[1] ?? ''), text };
  }
  return null;
}

/** A heading whose stack is a call, though no `Call Trace:` is printed. */
export interface EventForm {
  readonly pattern: RegExp;
  /** What calls are counted as where no report was announced. */
  readonly report: ReportForm | null;
  /** A stack must follow. Else a heading may come after all. */
  readonly isStart: boolean;
}

export const EVENTS: readonly EventForm[] = [
  // read to 0xffffffff85a7f140 of 8 bytes by task 1082 on cpu 7:
  event(
    'KCSAN',
    /^(?:race at unknown origin, with )?(?:read|write|assert no \w+)\b[^:]* by (?:task \d+|interrupt) on cpu \d+:\s*$/,
  ),
  // Out-of-bounds read at 0xffff8c2aae231fff (1B left of kfence-#24):
  event(
    'KFENCE',
    /^(?:Out-of-bounds (?:read|write)|Use-after-free (?:read|write)|Corrupted memory|Invalid (?:read|write|free)) (?:at|of) 0x[^:]*:\s*$/,
    true,
  ),
  // kmemleak: `  backtrace (crc 54dc1e7):`
  event('memory leak', /^\s*backtrace(?: \(crc [0-9a-f]+\))?:\s*$/),
  // /sys/kernel/debug/page_owner
  event('page owner', /^Page allocated via order \d+, /),
  // ref_tracker: eth0@ffff888012f58d70 has 1/1 users at
  event('leaked reference', /^ref_tracker: \S+ has \d+\/\d+ users at\s*$/),
  // riscv prints a stack right below the registers, or `Call Trace:` first.
  { pattern: /^\s*status: [0-9a-f]{8,16} badaddr: [0-9a-f]+ cause: /, report: null, isStart: false },
];

function event(kind: string, pattern: RegExp, taskFollows = false): EventForm {
  return { pattern, report: { pattern, kind, ...(taskFollows && { taskFollows }) }, isStart: true };
}

/** The further stacks of a report: where something was allocated, which lock was taken where. */
const SECTIONS: readonly RegExp[] = [
  /^(?:INFO: )?(?:Allocated|Freed)(?: by task \d| in \S|:?\s*$)/,
  /\b(?:allocated|freed) by task \d.*:\s*$/,
  /^page last (?:allocated|free)/,
  /^page_owner /,
  /^The buggy address belongs/,
  /^\s*-> #\d+ /,
  / (?:at|creation|stack trace|call_rcu\(\)|origin|frame|information|call stack|stack)\s*:\s*$/,
  /^(?:Last|Second to last) \w.*:\s*$/,
  /^Register \w+ information: .* allocated at /,
  /^\s*origin:\s*$/,
];

/** `Allocated by task 411` where the line is the heading of a stack that is told for information; '' otherwise. */
export function sectionIn(content: string): string {
  if (!SECTIONS.some((pattern) => pattern.test(content))) return '';
  return content.trim().replace(/:$/, '').trimEnd();
}

/** Lines with which a trace ends. */
export const ENDS = /^\s*(?:<\/TASK>|---\[ end trace)/;

/** Lines that follow a trace that has come to its end, or come between the frames of one that has not. */
export const FOLLOWS =
  /^\s*(?:\d+ locks? held by |no locks held by |={20})|^(?:Showing |Mem-Info:|Dumping ftrace|Instruction dump:|Rebooting in |Kernel Offset:|Memory state around|Reported by Kernel Conc)/;
