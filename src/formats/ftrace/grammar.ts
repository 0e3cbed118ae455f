// The lines of ftrace: tracefs' `trace`, `trace_pipe` and `snapshot`, and what `trace-cmd report` prints. A record is a
// context, a time and a content; below `<stack trace>` stand its frames, innermost first.
//
// | record (a dot is a blank)                                               | comm        | pid | cpu | content        |
// | ----------------------------------------------------------------------- | ----------- | --- | --- | -------------- |
// | `············bash-140·····[001]·d..2.····52.443379:·f·<-g`              | bash        | 140 | 1   | f <-g          |
// | `············bash-140···[001]·d..2····52.443379:·f·<-g`                 | bash        | 140 | 1   | f <-g          |
// | `············bash-140···[001]····52.443379:·f·<-g`                      | bash        | 140 | 1   | f <-g          |
// | `·bash-4000··[01]··1477.606694:·f·<-g`                                  | bash        | 4000 | 1  | f <-g          |
// | `·····Web·Content-9·····(······7)·[012]·.....·1052.4:·f·<-g`            | Web Content | 9   | 12  | f <-g          |
// | `···jbd2/vda-8-163·····(-------)·[000]·d..2.·71:·<stack·trace>`         | jbd2/vda-8  | 163 | 0   | <stack trace>  |
// | `··········<idle>-0·······[001]·d.h2.····52.455932:·sched_wakeup:·a=b`  | <idle>      | 0   | 1   | sched_wakeup: a=b |
// | `···········<...>-77······[000]·.....····52.455932:·<user·stack·trace>` | <...>       | 77  | 0   | <user stack trace> |
// | `··<idle>-0·········0d.h2.··123us+:·f·<-g`                              | <idle>      | 0   | 0   | f <-g          |
// | `····bash-140······12dNs4·1023us·:·<stack·trace>`                       | bash        | 140 | 12  | <stack trace>  |
// | `····bash-140·······1d..2.···58.200126:·sched_wakeup:·x`                | bash        | 140 | 1   | sched_wakeup: x |
// | `············bash·····140···1·1·00000002·00000001·[0000a1b2]·1.002ms·(+0.001ms):·f·<-g` | bash | 140 | 1 | f <-g    |
// | `········db_bench-407···[000]····58.200314:·kernel_stack:·········<stack·trace·>` | db_bench | 407 | 0 | kernel_stack:         <stack trace > |
// | `··guest:········bash-140···[001]····52.443379:·f·<-g`                  | bash        | 140 | 1   | f <-g          |
//
// | frame                                             | symbol               | offset | lies in               |
// | ------------------------------------------------- | -------------------- | ------ | --------------------- |
// | `·=>·vfs_write`                                   | vfs_write            |        | kernel                |
// | `·=>·vfs_write·<ffffffff8e1617b5>`                | vfs_write            |        | kernel                |
// | `·=>·vfs_write+0x1f/0x2a0`                        | vfs_write            | 31     | kernel                |
// | `·=>·ext4_map+0x1/0x2·[ext4]·<ffffffffc0546164>`  | ext4_map             | 1      | kernel ext4           |
// | `=>·p9_client_rpc·(ffffffffc03acc62)`             | p9_client_rpc        |        | kernel                |
// | `→=>·vfs_write·(ffffffff8e1617b5)`                | vfs_write            |        | kernel                |
// | `=>·do_execveat_common.isra.0·(ffffffff8e17187d)` | do_execveat_common.isra.0 |   | kernel                |
// | `·=>·0xffffffffc0318083`                          | 0xffffffffc0318083   |        | kernel                |
// | `=>·ffffffffc0318083`                             | 0xffffffffc0318083   |        | kernel                |
// | `·=>·[FTRACE·TRAMPOLINE]`                         | [FTRACE TRAMPOLINE]  |        | kernel                |
// | `·=>··<00007f1b2c3d4e5f>`                         | 0x00007f1b2c3d4e5f   |        | user                  |
// | `·=>·/usr/lib/libc.so.6[+0x10a3f]`                | 0x10a3f              |        | user /usr/lib/libc.so.6 |
// | `·=>·/tmp/a·b[+0x10]·<00007f1b2c3d4e5f>`          | 0x10                 |        | user /tmp/a b         |
// | `·=>·??`                                          | [unknown]            |        | user                  |
//
// grammar.test.ts reads these tables.

import type { SymbolSpace } from '../../census/symbol-table.ts';

/** What stands in front of a record's content. */
export interface RecordHead {
  /** '' where the kernel had forgotten it (`<...>`), or where nothing is printed. */
  readonly comm: string;
  /** -1 where not printed. */
  readonly pid: number;
  readonly cpu: number;
  /** Since boot or the start of the trace; null where the clock is a counter, or nothing is printed. */
  readonly seconds: number | null;
  /** Where the part ends that tells task, CPU and context apart, and where the content begins. */
  readonly contextEnd: number;
  readonly content: number;
}

/** Interrupts off, need to reschedule, kind of interrupt, preempt count, migration disabled (since 5.16). */
const FLAGS = '[dDbX.][NnpBbLlg.][ZzHhs.][0-9a-f.]{1,2}';
const TIME = String.raw`(\d+(?:\.\d+)?)(us)?[ +!#*@$]?`;

/** With `[001]`. */
const NORMAL = new RegExp(
  String.raw`^(.*?)-(\d+)\s+(?:\(\s*(?:\d+|-+)\)\s+)?\[(\d{2,6})\](?:\s+(?=[^\d\s])[^\s:]{3,8})?(\s+)${TIME}:(?:\s+|$)`,
  'd',
);
/** `latency-format`: the CPU in front of the flags. */
const LATENCY = new RegExp(String.raw`^(.*?)-(\d+)\s+(\d{1,6})${FLAGS}(\s+)${TIME}:(?:\s+|$)`, 'd');
/** `latency-format` and `verbose`. */
const VERBOSE =
  /^\s*(\S.*?)\s+(\d+)\s+(\d+)\s+\d+\s+[0-9a-f]{8}\s+[0-9a-f]{8,16}(\s+)\[[0-9a-f]+\]\s+(\d+\.\d{3})ms \(\+[\d.]+ms\):(?:\s+|$)/d;

/** Names of files and buffers that `trace-cmd report` puts in front where it shows several. */
const BUFFER = /^\s*[^\s:]+:\s+(?=\S)/;
const LARGEST = 0x7fffffff;

/** As much of a line as a head may take. */
const LONGEST_HEAD = 256;

/** Reads what stands in front of a record's content; null for any other line. */
export function parseRecordHead(line: string): RecordHead | null {
  const text = line.slice(0, LONGEST_HEAD);
  const plain = NORMAL.exec(text) ?? LATENCY.exec(text);
  const match = plain ?? VERBOSE.exec(text);
  if (!match) return null;
  const [all, name = '', pid, cpu, , time = '', unit] = match;
  const isSeconds = time.includes('.');
  const scale = plain ? (unit === 'us' ? 1e-6 : isSeconds ? 1 : null) : 1e-3;
  return {
    comm: commOf(name),
    pid: column(pid),
    cpu: column(cpu),
    seconds: scale === null ? null : Number(time) * scale,
    contextEnd: match.indices?.[4]?.[0] ?? 0,
    content: all.length,
  };
}

function commOf(printed: string): string {
  const comm = printed.replace(BUFFER, '').trim();
  return comm === '<...>' ? '' : comm;
}

/** Numbers go into 32-bit columns; a larger one is damage. */
function column(digits: string | undefined): number {
  const value = Number(digits);
  return value <= LARGEST ? value : -1;
}

/** A frame as it is printed. */
export interface FtraceFrame {
  readonly raw: string;
  /** Bytes from the start of the function, -1 where not printed. */
  readonly offset: number;
  /** Kernel module, '' for the kernel image; for user frames the file. */
  readonly module: string;
  readonly space: SymbolSpace;
}

/** What stands behind an arrow: name, offset, module, address. */
const KERNEL_FRAME =
  /^([^\s+[\]<>()]+)(?:\+0x([0-9a-f]{1,8})(?:\/0x[0-9a-f]+)?)?(?: \[([\w-]+)(?: [0-9a-f]+)?\])?(?: +[<(](?:0x)?[0-9a-f]+[>)])?$/;
const USER_FRAME = /^(\S.*)\[\+0x([0-9a-f]+)\](?: <[0-9a-f]+>)?$/;
const USER_ADDRESS = /^<([0-9a-f]{8,16})>$/;

/** Reads a line of a stack; null for any other text. */
export function parseFrame(line: string): FtraceFrame | null {
  const text = /^=>\s*(\S.*)?$/.exec(line.trim())?.[1];
  if (text === undefined || text === '') return null;
  if (text === '[FTRACE TRAMPOLINE]') return kernel(text);
  if (text === '??' || text === '0')
    return { raw: '[unknown]', offset: -1, module: '', space: text === '0' ? 'kernel' : 'user' };
  const address = USER_ADDRESS.exec(text)?.[1];
  if (address !== undefined)
    return { raw: `0x${address}`, offset: -1, module: '', space: isUpper(address) ? 'kernel' : 'user' };
  const inFile = USER_FRAME.exec(text);
  if (inFile) return { raw: `0x${inFile[2]}`, offset: -1, module: inFile[1] ?? '', space: 'user' };
  const printed = KERNEL_FRAME.exec(text);
  if (!printed) return null;
  const [, name = '', digits, module = ''] = printed;
  if (/^[0-9a-f]{8,16}$/.test(name) && digits === undefined) return kernel(`0x${name}`);
  const offset = digits === undefined ? -1 : Number.parseInt(digits, 16);
  return { raw: name, offset: offset <= LARGEST ? offset : -1, module, space: 'kernel' };
}

function kernel(raw: string): FtraceFrame {
  return { raw, offset: -1, module: '', space: 'kernel' };
}

/** Addresses of programs are never in the upper half. */
function isUpper(address: string): boolean {
  return address.length === 16 && /^[89a-f]/.test(address);
}

/** What a record says besides its stack. */
export type Content =
  | { readonly kind: 'stack' }
  | { readonly kind: 'user-stack' }
  /** `f <-caller`; the caller is '' where it is not printed. */
  | { readonly kind: 'function'; readonly name: string; readonly caller: string; readonly repeats: number }
  /** `name: …`; `probed` is the function that a kprobe lies on, '' where it is none or lies further in. */
  | { readonly kind: 'event'; readonly name: string; readonly probed: string };

/** A symbol with what options `sym-offset` and `sym-addr` add. */
const SYMBOL = String.raw`([^\s+<>()\[\]:]+)(?:\+0x[0-9a-f]+\/0x[0-9a-f]+)?(?: \[[\w-]+\])?(?: <[0-9a-f]+>)?`;
/** `f <-g`; of trace-cmd `f <-- g`; arguments since 6.15 (`func-args`); before 2.6.34 `f (g)`. */
const FUNCTION = new RegExp(
  String.raw`^${SYMBOL}(?:\(.*\))?(?: <--? ?${SYMBOL}| \(${SYMBOL}\))?(?: \(repeats: (\d{1,9}), last_ts:.*\))?\s*$`,
);
/** `myprobe: (vfs_write+0x0/0x1a0) count=3`, on return `myret: (ksys_write+0x6f/0xf0 <- vfs_write) ret=3`. */
const PROBE =
  /^\(([^\s+()]+)\+0x([0-9a-f]+)\/0x[0-9a-f]+(?: \[[\w-]+\])?(?: <[0-9a-f]+>)?(?: <- ([^\s+()]+)(?:[\s+(][^)]*)?)?\)/;
/** A kprobe at the entry lies behind what the compiler puts there for indirect calls (`endbr64`, `bti c`). */
const ENTRY = 8;

/** Reads the content of a record. `tracer` is the tracer's name, for records that have none. */
export function parseContent(content: string, tracer: string): Content {
  if (content.startsWith('<stack trace')) return { kind: 'stack' };
  if (content.startsWith('<user stack trace')) return { kind: 'user-stack' };
  const [, name, rest = ''] = /^(?=\d*[A-Za-z_])([\w.-]+):(?:\s+(\S.*)?)?$/.exec(content) ?? [];
  if (name === undefined) return functionIn(content) ?? { kind: 'event', name: tracer, probed: '' };
  if (name === 'kernel_stack') return { kind: 'stack' };
  if (name === 'user_stack') return { kind: 'user-stack' };
  if (name === 'function') return functionIn(rest.trim()) ?? { kind: 'event', name, probed: '' };
  const [, at = '', offset = '', returned] = PROBE.exec(rest) ?? [];
  const isEntry = offset !== '' && Number.parseInt(offset, 16) <= ENTRY;
  return { kind: 'event', name, probed: returned ?? (isEntry ? at : '') };
}

function functionIn(text: string): Content | null {
  const match = FUNCTION.exec(text);
  if (!match) return null;
  const [, name = '', caller, other, repeats] = match;
  return { kind: 'function', name, caller: caller ?? other ?? '', repeats: Number(repeats ?? 0) };
}

/** What a line says that is no record. */
export type Remark =
  /** `CPU:1 [LOST 123 EVENTS]`; -1 where the kernel does not know how many. */
  | { readonly kind: 'lost'; readonly entries: number }
  /** `# entries-in-buffer/entries-written: 918/1200   #P:2` */
  | { readonly kind: 'entries'; readonly inBuffer: number; readonly written: number; readonly cpus: number }
  | { readonly kind: 'tracer'; readonly name: string }
  | { readonly kind: 'kernel'; readonly release: string }
  | { readonly kind: 'cpus'; readonly cpus: number }
  | { readonly kind: 'nothing' };

const NOTHING: Remark = { kind: 'nothing' };

/** Reads a line that is no record and no frame; null where it is nothing that ftrace prints. */
export function parseRemark(line: string): Remark | null {
  const lost = /^CPU:\d+ \[(?:LOST )?(?:(\d{1,15}) )?EVENTS(?: DROPPED)?\]/.exec(line);
  if (lost) return { kind: 'lost', entries: lost[1] === undefined ? -1 : Number(lost[1]) };
  const entries = /^# entries-in-buffer\/entries-written: (\d{1,15})\/(\d{1,15})(?: +#P:(\d+))?/.exec(line);
  if (entries) {
    const [, inBuffer, written, cpus] = entries;
    return { kind: 'entries', inBuffer: Number(inBuffer), written: Number(written), cpus: Number(cpus ?? 0) };
  }
  const tracer = /^# tracer: (\S+)/.exec(line)?.[1];
  if (tracer !== undefined) return { kind: 'tracer', name: tracer };
  // `# irqsoff latency trace v1.1.5 on 6.1.0-56-amd64`
  const release = /^# \S+ latency trace v[\d.]+ on (\S+)/.exec(line)?.[1];
  if (release !== undefined) return { kind: 'kernel', release };
  const cpus = /^cpus=(\d{1,5})$/.exec(line)?.[1];
  if (cpus !== undefined) return { kind: 'cpus', cpus: Number(cpus) };
  return line.startsWith('#') || /^(?:version = \d|CPU \d+ is empty|trace-cmd |\s*$)/.test(line) ? NOTHING : null;
}
