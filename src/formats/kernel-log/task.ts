import type { CallKey } from '../../census/call-key.ts';

/** What a line says of a process, and of the kernel. */
export interface TaskFacts {
  readonly task: Partial<CallKey>;
  /** Release, as `uname -r` prints it; '' where it is not told. */
  readonly kernel: string;
  /** The line is about a task that is looked at: the stack is not of whoever prints. */
  readonly isLookedAt: boolean;
}

/** `CPU: 0 UID: 0 PID: 15 Comm: rcu_preempt Tainted: G  OE  6.1.0-56-amd64 #1`; the release may be any word. */
const CURRENT = /^\s*CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.*)$/;
/** `Pid: 4119, comm: ksoftirqd/1 Not tainted 2.6.32-431.el6.x86_64 #1`, before 3.9. */
const CURRENT_OLD = /^\s*Pid: (\d+), comm: (.*)$/;
const COMM_AND_KERNEL =
  /^(.{0,80}?)\s{1,20}(?:Kdump: \S+ )?(?:Not tainted|Tainted: [A-Z ]*[A-Z])(?:\s+(?:\([^)]*\) )?(\S+)(?:\s+#|\s*$))?/;
/** The line below `INFO: task x:1 blocked`. */
const KERNEL_ONLY = /^\s+(?:Not tainted|Tainted: [A-Z ]*[A-Z])\s+(\S+) #\d/;

/** `task:kworker/0:1 state:D stack:0 pid:123 ppid:2`, as hung tasks and SysRq-T print. */
const ASLEEP = /^\s*task:(.{1,80}?)\s{1,40}state:\S.*?\bpid:\s*(\d+)/;
/** `mounter         D29336  7561   7543 0x00000004`, before 5.11; `rsyslogd  R  running task  28640  5 1 0x00000000`. */
const ASLEEP_OLD =
  /^(\S.{0,14}?) +[A-Z] *(?:running task +)?(?:[0-9a-f]{8,16} +|\(ptrval\) +)?(\d+) +(\d+) +\d+ +0x[0-9a-f]{8}\b/;
/** kmemleak: `  comm "syz-executor", pid 7041, jiffies 4294943219`. */
const ALLOCATOR = /^\s+comm "([^"]*)", pid (\d+), /;

/** The process and kernel a line is about; null for any other line. Texts are latin1. */
export function taskIn(content: string): TaskFacts | null {
  const current = CURRENT.exec(content);
  if (current) {
    const { comm, kernel } = commAndKernel(current[3] ?? '');
    return { task: { comm, pid: number(current[2]), cpu: number(current[1]) }, kernel, isLookedAt: false };
  }
  const old = CURRENT_OLD.exec(content);
  if (old) {
    const { comm, kernel } = commAndKernel(old[2] ?? '');
    return { task: { comm, pid: number(old[1]) }, kernel, isLookedAt: false };
  }
  const asleep = ASLEEP.exec(content);
  if (asleep) return lookedAt(asleep[1], asleep[2]);
  const asleepOld = ASLEEP_OLD.exec(content);
  if (asleepOld) return lookedAt(asleepOld[1], asleepOld[3]);
  const allocator = ALLOCATOR.exec(content);
  return allocator ? lookedAt(allocator[1], allocator[2]) : null;
}

/** The kernel's release where a line tells nothing else; '' otherwise. */
export function kernelIn(content: string): string {
  return KERNEL_ONLY.exec(content)?.[1] ?? '';
}

function lookedAt(comm: string | undefined, pid: string | undefined): TaskFacts {
  return { task: { comm: (comm ?? '').trim(), pid: number(pid) }, kernel: '', isLookedAt: true };
}

function commAndKernel(text: string): { comm: string; kernel: string } {
  const both = COMM_AND_KERNEL.exec(text);
  return both ? { comm: both[1] ?? '', kernel: both[2] ?? '' } : { comm: text.trim(), kernel: '' };
}

/** Processes that announcements name: `INFO: task mounter:7561 blocked`, `soft lockup - CPU#1 stuck for 23s! [x:7]`. */
const ANNOUNCED: readonly [pattern: RegExp, columns: readonly (keyof CallKey)[]][] = [
  [/^INFO: task (.+):(\d+) (?:is )?blocked/, ['comm', 'pid']],
  [/CPU#(\d+) stuck for \d+s! \[(.+):(\d+)\]/, ['cpu', 'comm', 'pid']],
  [/hard LOCKUP on cpu ?(\d+)/, ['cpu']],
  [/^NMI backtrace for cpu (\d+)/, ['cpu']],
  [/^(.{1,63}?)(?: invoked oom-killer|: page allocation failure)/, ['comm']],
  [/ by task (\d+) on cpu (\d+):/, ['pid', 'cpu']],
  [/ by interrupt on cpu (\d+):/, ['cpu']],
  [/, pid (\d+), tgid \d+ \(([^)]*)\)/, ['pid', 'comm']],
  // Before 5.18 without the name.
  [/^Page allocated via order .*, pid (\d+),/, ['pid']],
  [/, CPU#(\d+): (.+)\/(\d+)$/, ['cpu', 'comm', 'pid']],
];

/**
 * Further lines of a report that name the process: `alpha/412 is trying to acquire lock:`, `Read of size 8 at addr
 * ffff88801f47ab01 by task alpha/412`.
 */
const HINT =
  /^(.{1,63})\/(\d+) (?:is trying to (?:acquire|release) lock|\[.*takes:$)|^(?:Read|Write) of size .* by task (.+)\/(\d+)$/;

/** The process such a line names; null for others. */
export function taskHinted(content: string): Partial<CallKey> | null {
  const hint = HINT.exec(content);
  return hint ? { comm: hint[1] ?? hint[3] ?? '', pid: number(hint[2] ?? hint[4]) } : null;
}

/** The process an announcement names, as far as it does. */
export function taskAnnounced(text: string): Partial<CallKey> {
  for (const [pattern, columns] of ANNOUNCED) {
    const match = pattern.exec(text);
    if (match) return Object.fromEntries(columns.map((column, i) => [column, columnValue(column, match[i + 1] ?? '')]));
  }
  return {};
}

function columnValue(column: keyof CallKey, text: string): string | number {
  return column === 'comm' ? text : number(text);
}

/** Process and CPU numbers go into 32-bit columns; a larger one is damage. */
function number(digits: string | undefined): number {
  const value = Number(digits ?? -1);
  return value <= 0x7fffffff ? value : -1;
}
