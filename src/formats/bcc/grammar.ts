/** What a tool of bcc counts, and how. */
export interface Tool {
  readonly name: 'stackcount' | 'profile' | 'offcputime' | 'wakeuptime' | 'offwaketime' | 'memleak' | 'trace';
  /** What the number below a stack is, where it is no count of calls: microseconds. */
  readonly measure: string;
  /** The target, where the head names one or the tool has but one. */
  readonly target: string;
}

const LONGEST_HEAD = 300;

/** Head, name, measure, and what the tool probes. */
const HEADS: readonly (readonly [RegExp, Tool['name'], string, string])[] = [
  [/^Tracing \d+ functions? for "b?'?(.*?)'?"\.\.\. Hit Ctrl-C/, 'stackcount', '', ''],
  [/^Sampling at .{0,40} (?:Hertz|events)? ?.{0,40}of .{0,200} by .*stack/, 'profile', '', 'cpu-clock'],
  [/^Tracing off-CPU time \(us\) of /, 'offcputime', 'off-cpu', ''],
  [/^Tracing blocked time \(us\) by .*off-CPU and waker stack/, 'offwaketime', 'blocked', ''],
  [/^Tracing blocked time \(us\) by /, 'wakeuptime', 'blocked', 'try_to_wake_up'],
  [/^\[\d\d:\d\d:\d\d\] Top \d+ stacks with outstanding allocations:/, 'memleak', '', ''],
  [/^(?:TIME +)?(?:CPU +)?PID +TID +COMM +FUNC\b/, 'trace', '', ''],
  // tcpdrop, bpftrace's too, has records of its own, and stacks below them as trace has.
  [/^TIME +PID +(?:IP|COMM) +SADDR:SPORT /, 'trace', '', ''],
];

/** Reads the line by which a tool begins; null for any other. */
export function parseHead(line: string): Tool | null {
  if (line.length > LONGEST_HEAD) return null;
  if (!/^[TS[PC]/.test(line)) return parseAllocations(line) ? MEMLEAK : null;
  for (const [pattern, name, measure, target] of HEADS) {
    const match = pattern.exec(line);
    if (match) return { name, measure, target: name === 'stackcount' ? targetIn(match[1] ?? '') : target };
  }
  return null;
}

/** `# ./profile -p 25036 -d`: a prompt and a tool. */
const COMMAND =
  /^\S{0,40}[#$] +(?:sudo +)?(?:[\w./-]*\/)?(stackcount|profile|offcputime|wakeuptime|offwaketime|memleak)(?:-bpfcc|\.py)?(?: |$)/;

/** Reads the command line of a tool, as it stands above pasted output; null for any other line. */
export function parseCommand(line: string): Tool | null {
  const name = COMMAND.exec(line)?.[1];
  const [, , measure = '', target = ''] = HEADS.find(([, tool]) => tool === name) ?? [];
  return name === undefined ? null : { name: name as Tool['name'], measure, target };
}

/** Without the line that tells the time. */
const MEMLEAK: Tool = { name: 'memleak', measure: '', target: '' };

/** `submit_bio`, `p::submit_bio`, `t:block:block_rq_issue`; '' for patterns and for functions of programs. */
function targetIn(probe: string): string {
  const [, name, tracepoint] = /^(?:(?:p::)?([A-Za-z_][\w.]*)|t:(\w+:\w+))$/.exec(probe) ?? [];
  return name ?? tracepoint ?? '';
}

/** A frame as bcc prints it. */
export interface BccFrame {
  readonly raw: string;
  /** Bytes from the start of the function, -1 where not printed. */
  readonly offset: number;
  /** Kernel module, or file of a program; '' where none is printed. */
  readonly module: string;
  /** Whose it is, where its file or its address tells; null elsewhere. */
  readonly space: 'kernel' | 'user' | null;
}

const LARGEST = 0x7fffffff;
const LONGEST_FRAME = 2048;
/** An address (-v, -a, older versions), a name with its offset (-s), where it lies. Names of C++ have blanks. */
const FRAME = /^\s+(?:(?:0x)?([0-9a-f]{8,16})[ \t]+)?(\S.*?)(?:\+0x([0-9a-f]+))?(?: \[([^\]\s]+)\])?$/;

/** Python 3 marks what older versions print: `b'schedule'`. */
const PYTHON = /^(\s+)b'(.*)'$/;

/** Reads a line of a stack; null for any other. */
export function parseFrame(line: string): BccFrame | null {
  const match = line.length > LONGEST_FRAME ? null : FRAME.exec(line.trimEnd().replace(PYTHON, '$1$2'));
  if (!match) return null;
  const [, address = '', name = '', digits, place = ''] = match;
  const offset = digits === undefined ? -1 : Number.parseInt(digits, 16);
  // Lines of histograms and prose are none. C++ has blanks in names.
  if (!/^\S+$|[(<]|::/.test(name)) return null;
  // `[unknown]` is a name, and `[kernel]` a place.
  const isInKernel = place === 'kernel' || (address.length === 16 && /^[89a-f]/.test(address));
  const isModule = /^[\w-]+$/.test(place) && /^f{4}/.test(address);
  const isFile = /\.so|\//.test(place) || (address !== '' && address.replace(/^0+/, '').length <= 12);
  return {
    raw: name,
    offset: offset <= LARGEST ? offset : -1,
    module: place === 'kernel' || place === 'unknown' ? '' : place,
    space: isInKernel || isModule ? 'kernel' : isFile ? 'user' : null,
  };
}

/** Who was on the CPU: `    -                cp (9036)`, of stackcount `    tar [15069]`. */
export interface BccTask {
  readonly comm: string;
  readonly pid: number;
}

/** Reads the line of a task; null for any other. */
export function parseTask(line: string): BccTask | null {
  const [, comm, digits] = /^ {4}- +(\S.*) \((-?\d+)\)$/.exec(line) ?? /^ {4}(\S.*) \[(\d+)\]$/.exec(line) ?? [];
  return comm === undefined ? null : { comm, pid: pidIn(digits) };
}

/** Reads `    waker:           swapper/1 0` and `    target:          vmstat`; null for any other line. */
export function parseRole(line: string): (BccTask & { readonly role: string }) | null {
  const [, role = '', comm, digits] = /^ {4}(waker|target): +(\S.*?)(?: (\d+))?$/.exec(line) ?? [];
  return comm === undefined ? null : { role, comm, pid: pidIn(digits) };
}

function pidIn(digits: string | undefined): number {
  const pid = Number(digits ?? -1);
  return pid >= 0 && pid <= LARGEST ? pid : -1;
}

/** The number below a stack; -1 for any other line. */
export function parseCount(line: string): number {
  return /^ {4,8}\d{1,16}$/.test(line) ? Number(line.trim()) : -1;
}

/** `\t4096 bytes in 1 allocations from stack` */
export function parseAllocations(line: string): { readonly bytes: number; readonly allocations: number } | null {
  const [, bytes, allocations] = /^\s+(\d{1,16}) bytes in (\d{1,16}) allocations from stack$/.exec(line) ?? [];
  return bytes === undefined ? null : { bytes: Number(bytes), allocations: Number(allocations) };
}

/** A record of trace: `12:01:02 1   1585    1585    ssh             do_sys_open      x`. */
export interface TraceRecord extends BccTask {
  readonly cpu: number;
  /** '' where only the stack tells. */
  readonly called: string;
}

/** Reads records below a head that tells the columns. */
export function traceRecords(head: string): (line: string) => TraceRecord | null {
  if (head.includes('SADDR')) {
    return (line) => {
      const [, pid, comm = ''] = /^\d\d:\d\d:\d\d +(\d{1,10}) +(?:[46] |(\S.{0,14}?) {2})/.exec(line) ?? [];
      return pid === undefined ? null : { comm, pid: pidIn(pid), cpu: -1, called: '' };
    };
  }
  const time = head.startsWith('TIME') ? String.raw`\S+ +` : '';
  const cpu = head.includes('CPU') ? String.raw`(\d+) +` : '()';
  const width = Math.max(head.indexOf('FUNC') - head.indexOf('COMM') - 1, 1);
  const record = new RegExp(String.raw`^${time}${cpu}\d+ +(\d+) +(\S.{${width - 1}}) +(\S+)(?: .*)?$`);
  return (line) => {
    const [, cpuDigits, tid, comm = '', called = ''] = record.exec(line) ?? [];
    if (tid === undefined) return null;
    return { comm: comm.trimEnd(), pid: pidIn(tid), cpu: cpuDigits ? pidIn(cpuDigits) : -1, called };
  };
}
