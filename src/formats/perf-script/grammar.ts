// The lines of `perf script`, as the kernel's tools/perf/builtin-script.c prints them and as they look after a paste.
// A sample is a header, its frames, innermost first, and an empty line. `-F` selects the fields, so any of a header may
// be missing:
//
//     VM:n VCPU:n  comm  pid/tid  [cpu]  misc  time:  period  event:  what the event's own format prints
//
// Numbers are told apart by their place, and without CPU and time by their column: perf pads a pid to 5 or 7
// characters, a period to 10. Where blanks were lost on the way, a single number is the pid, and of two the second is
// the period. A name that ends in a number, printed without a pid, cannot be told from one with.
//
// | header (a dot is a blank; a stack follows)                   | comm        | pid  | cpu | period | event              |
// | ------------------------------------------------------------ | ----------- | ---- | --- | ------ | ------------------ |
// | `perf···196·[000]····18.873442:··········1·page-faults:·`    | perf        | 196  | 0   | 1      | page-faults        |
// | `perf···977/978···[001]·7628263.042515:·cycles:·`            | perf        | 977  | 1   |        | cycles             |
// | `Web·Content:·a···196·[000]·18.8734421:·cpu-clock:u:·`       | Web Content: a | 196 | 0 |       | cpu-clock:u        |
// | `·········swapper·····0·[001]·K·········19.000001:·cycles:·` | swapper     | 0    | 1   |        | cycles             |
// | `kworker/u8:2····77···18.873442:·9p:9p_client_req:·clnt·1`   | kworker/u8:2 | 77  |     |        | 9p:9p_client_req   |
// | `gcc·12·[003]·····1.500000:··········5·raw·0x1a8:·`          | gcc         | 12   | 3   | 5      | raw 0x1a8          |
// | `VM:····7·VCPU:001·perf·····9·[001]·1.500000:·cycles:G:`     | perf        | 9    | 1   |        | cycles:G           |
// | `····18.873442:·cycles:·`                                    |             |      |     |        | cycles             |
// | `····18.873442:··········3·`                                 |             |      |     | 3      |                    |
// | `alpha··4321·page-faults:·`                                  | alpha       | 4321 |     |        | page-faults        |
// | `alpha·4321/4322··page-faults:·`                             | alpha       | 4321 |     |        | page-faults        |
// | `alpha····4321··········2·page-faults:·`                     | alpha       | 4321 |     | 2      | page-faults        |
// | `alpha·4321·2·page-faults:`                                  | alpha       | 4321 |     | 2      | page-faults        |
// | `alpha··········2·page-faults:·`                             | alpha       |      |     | 2      | page-faults        |
// | `alpha·[000]··········2·page-faults:·`                       | alpha       |      | 0   | 2      | page-faults        |
// | `Thread·12··4321·page-faults:·`                              | Thread 12   | 4321 |     |        | page-faults        |
// | `Web:·1··4321·cycles:ppp:·`                                  | Web: 1      | 4321 |     |        | cycles:ppp         |
// | `alpha··4321·sched:sched_switch:·prev_comm=b·c:·prev_pid=1`  | alpha       | 4321 |     |        | sched:sched_switch |
// | `alpha·cycles:·`                                             | alpha       |      |     |        | cycles             |
// | `alpha··4321·`                                               | alpha       | 4321 |     |        |                    |
// | `··4321·cycles:·`                                            |             | 4321 |     |        | cycles             |
// | `·········2·cycles:·`                                        |             |      |     | 2      | cycles             |
// | `cycles:·`                                                   |             |      |     |        | cycles             |
// | `alpha`                                                      | alpha       |      |     |        |                    |
//
// A frame is `address symbol+0xoffset (file)`, indented; offset and file may be missing, and the symbol. The
// indentation may have been lost.
//
// | frame                                                        | symbol                | offset | lies in             |
// | ------------------------------------------------------------ | --------------------- | ------ | ------------------- |
// | `→ffffffff8e7ea5b0·rb_insert_color+0x10·([kernel.kallsyms])` | rb_insert_color       | 16     | kernel              |
// | `→ffffffffc0546164·ext4_map+0x1·([ext4])`                    | ext4_map              | 1      | kernel ext4         |
// | `→ffffffffc0546164·xts·(/lib/modules/6.1/kernel/dm-crypt.ko.xz)` | xts               |        | kernel dm_crypt     |
// | `→ffffffffc09ace93·bpf_prog_2b956549c660136a_x+0xb·(bpf_prog_2b956549c660136a_x)` | bpf_prog_2b956549c660136a_x | 11 | kernel bpf |
// | `→···········ee137·__write+0x4d·(/usr/lib/libc.so.6+0xee137)` | __write              | 77     | user /usr/lib/libc.so.6 |
// | `→··········401b97·std::map<int,·int>::at(int)·(/opt/a·b/x·(deleted))` | std::map<int, int>::at(int) | | user /opt/a b/x (deleted) |
// | `→··········401b97·vector::at·(inlined)`                     | vector::at            |        | user                |
// | `→··········146f2c·[unknown]·([unknown])`                    | [unknown]             |        | user                |
// | `→ffffffff8e7ea5b0·rb_insert_color`                          | rb_insert_color       |        | kernel              |
// | `→ffffffff8e7ea5b0·([kernel.kallsyms])`                      | [unknown]             |        | kernel              |
// | `→··········146f2c`                                          | 0x146f2c              |        | user                |
// | `→rb_insert_color+0x10`                                      | rb_insert_color       | 16     | kernel              |
// | `········b3cea6c4→Lock::unlock()·(/system/lib/libc.so)`      | Lock::unlock()        |        | user /system/lib/libc.so |
// | `ffffffff8103d0ca·native_write_msr_safe·([kernel.kallsyms])` | native_write_msr_safe |        | kernel              |
// | `dd7·main·(/home/u/alpha)`                                   | main                  |        | user /home/u/alpha  |
//
// grammar.test.ts reads these tables.

import type { SymbolSpace } from '../../census/symbol-table.ts';
import { originOf } from '../origin.ts';

/** Whose event it was. */
export interface PerfTask {
  /** '' where not printed. */
  readonly comm: string;
  /** -1 where not printed. */
  readonly pid: number;
  readonly cpu: number;
}

/** `[period] event:` and what follows it. */
export interface PerfEvent {
  /** '' where not printed. */
  readonly name: string;
  /** -1 where not printed. */
  readonly period: number;
  readonly rest: string;
}

export interface PerfHeader {
  readonly task: PerfTask;
  readonly event: PerfEvent;
}

const DOT = 0x2e;
const COLON = 0x3a;
const BLANK = 0x20;
const TAB = 0x09;

/** Where a time stamp stands in a header; byte positions. */
export interface TimeStamp {
  /** The task ends here; it starts with the line. */
  readonly start: number;
  /** Behind its colon: the period, the event, and what the event's own format prints. */
  readonly end: number;
}

/**
 * Finds the first time stamp (`18.873442:`, microseconds or nanoseconds) after `from` in the bytes of a line that starts
 * at `start`; null where there is none.
 */
export function findTime(buffer: Buffer, start: number, end: number, from = start): TimeStamp | null {
  for (let colon = buffer.indexOf(COLON, from); colon >= 0 && colon < end; colon = nextColon(buffer, colon, end)) {
    let p = colon - 1;
    while (p > start && isDigit(buffer[p])) p -= 1;
    const decimals = colon - 1 - p;
    if (buffer[p] !== DOT || decimals < 3 || decimals > 9) continue;
    const dot = p;
    p -= 1;
    while (p >= start && isDigit(buffer[p])) p -= 1;
    if (p === dot - 1) continue;
    if (p < start || buffer[p] === BLANK || buffer[p] === TAB) return { start: p + 1, end: colon + 1 };
  }
  return null;
}

function nextColon(buffer: Buffer, after: number, end: number): number {
  for (let i = after + 1; i < end; i++) if (buffer[i] === COLON) return i;
  return -1;
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** What KVM guests are named by, in front of everything. */
const GUEST = /^\s*VM:\s*-?\d+ (?:VCPU:\s*-?\d+ )?/;
/** The CPU, and behind it flags: `K`, `Ku`, `d..3.`. */
const CPU = /(?:^|\s)\[(\d+)\](?:\s+(?:[KUHGgMESp]{1,4}|[.\w]{4,6}))?$/;
/** `-F misc` without the CPU. */
const MISC = /(?<=\d)\s+[KUHGg][KUHGgMESp]{0,3}$/;

/** `comm  pid/tid [cpu] misc` with any of them missing. */
export function parseTask(text: string): PerfTask {
  let left = text.trimEnd();
  if (left.startsWith('VM:')) left = left.replace(GUEST, '');
  let cpu = -1;
  const brackets = CPU.exec(left);
  if (brackets) {
    cpu = columnValue(brackets[1]);
    left = left.slice(0, brackets.index).trimEnd();
  } else left = left.replace(MISC, '');
  let pid = -1;
  const number = /(?:^|\s)(-?\d+)(?:\/(-?\d+))?$/.exec(left);
  if (number) {
    pid = columnValue(number[1]);
    left = left.slice(0, number.index);
  }
  return { comm: left.trim(), pid, cpu };
}

/** Numbers go into 32-bit columns; a larger one is damage. */
function columnValue(digits: string | undefined): number {
  const value = Number(digits);
  return value >= 0 && value <= 0x7fffffff ? value : -1;
}

/** Names of events have no blanks, except what perf makes up for one that it has no name for. */
const NAME = String.raw`(?:raw 0x[0-9a-f]+|unknown (?:tracepoint|attr type: \d+)|\d*[A-Za-z_][^\s]*?)`;
const EVENT = new RegExp(String.raw`^\s*(?:(\d+)\s+)?(${NAME}):(?:\s+(\S.*)?)?$`);

/** The part after the time stamp; null if there is no event in it. */
export function parseEvent(text: string): PerfEvent | null {
  const event = EVENT.exec(text);
  if (event) return { name: event[2] ?? '', period: numberOr(event[1]), rest: event[3] ?? '' };
  const bare = /^(\d*)$/.exec(text.trim());
  return bare ? { name: '', period: numberOr(bare[1] || undefined), rest: '' } : null;
}

function numberOr(digits: string | undefined): number {
  return digits === undefined ? -1 : Number(digits);
}

/** Reads a header line; null for any other text. `hasFrames` says that a stack follows it. */
export function parseHeader(line: string, hasFrames: boolean): PerfHeader | null {
  const bytes = Buffer.from(line, 'latin1');
  for (let time = findTime(bytes, 0, bytes.length); time; time = findTime(bytes, 0, bytes.length, time.end)) {
    const event = parseEvent(line.slice(time.end));
    if (event) return { task: parseTask(line.slice(0, time.start)), event };
  }
  return parseUntimed(line, hasFrames);
}

/** An event's name as it can stand anywhere in a line without a time stamp. */
const EVENT_INSIDE = new RegExp(String.raw`(?<=^|\s)${NAME}:(?=\s|$)`, 'g');
const ENDS_IN_NUMBER = /(?:(?:^|\s)-?\d+(?:\/-?\d+)?|\[\d+\])(?:\s+[KUHGgMESp]{1,4})?\s*$/;
/** Names and numbers before an event are short. What is longer is the event's own text, however many colons it has. */
const LONGEST_HEADER = 256;
/** A process has at most 15 bytes of name; padded, 16. */
const LONGEST_NAME = 16;

/**
 * Reads a header without a time stamp; null for any other text. Where a stack follows, the event, the numbers or all
 * but the process name may be missing too.
 */
export function parseUntimed(line: string, hasFrames: boolean): PerfHeader | null {
  let found: { left: string; event: string; rest: string } | null = null;
  for (const match of line.slice(0, LONGEST_HEADER).matchAll(EVENT_INSIDE)) {
    const event = match[0].slice(0, -1);
    const left = line.slice(0, match.index);
    const rest = line.slice(match.index + match[0].length).trim();
    if (ENDS_IN_NUMBER.test(left)) {
      found = { left, event, rest };
      // `a 1 b: 77 cycles:`: a process may be called so, an event's own text does not look like another event.
      if (rest === '' || !ANOTHER_EVENT.test(rest)) break;
    }
    // A name such as `Web: 1` looks like an event too: the one with nothing behind it is the event. `Web: 1   196` has none.
    else if (hasFrames && left.length <= LONGEST_NAME && (rest === '' || !(found || ENDS_IN_NUMBER.test(rest)))) {
      found = { left, event, rest };
    }
  }
  if (found) {
    const { task, period } = parseTaskAndPeriod(found.left);
    return { task, event: { name: found.event, period, rest: found.rest } };
  }
  if (!hasFrames || line.trim() === '') return null;
  const { task, period } = parseTaskAndPeriod(line);
  return task.comm.length <= LONGEST_NAME ? { task, event: { name: '', period, rest: '' } } : null;
}

const ANOTHER_EVENT = /^.{0,12}?(?:\d+|\[\d+\])\s+[A-Za-z_]\S*:$/;

const PERIOD_COLUMN = 10;
const NARROWEST_PID_COLUMN = 5;

/** What stands in front of an event in a header without a time stamp. */
function parseTaskAndPeriod(text: string): { task: PerfTask; period: number } {
  const left = text.trimEnd();
  const number = /(^|\S)(\s*)(?<![-\d])(\d+)$/.exec(left);
  if (!number) return { task: parseTask(left), period: -1 };
  const [, before = '', blanks = '', digits = ''] = number;
  if (before !== '' && blanks === '') return { task: parseTask(left), period: -1 };
  const column = blanks.length - (before === '' ? 0 : 1) + digits.length;
  const others = left.slice(0, number.index + before.length);
  const isPeriod =
    column >= PERIOD_COLUMN ||
    CPU.test(others) ||
    (column < NARROWEST_PID_COLUMN && /(?:^|\s)-?\d+(?:\/-?\d+)?$/.test(others));
  return isPeriod ? { task: parseTask(others), period: Number(digits) } : { task: parseTask(left), period: -1 };
}

/** A record that is no sample: `PERF_RECORD_LOST lost 12`. */
export interface PerfRecord {
  /** Events that perf could not keep. */
  readonly lost: number;
}

/** Reads what stands in place of an event; null for any other text. */
export function parseRecord(text: string): PerfRecord | null {
  const record = /(?:^|\s)PERF_RECORD_([A-Z_]+)(?:[^A-Z_].*\blost (\d+))?/.exec(text);
  return record && { lost: record[1]?.startsWith('LOST') ? Number(record[2] ?? 1) : 0 };
}

/** Reads a line of the comment at the top, `# nrcpus online : 2`; null for any other text. */
export function parseComment(line: string): { readonly key: string; readonly value: string } | null {
  const [, key, value] = /^# ([\w ]+?) : (.*)$/.exec(line) ?? [];
  return key === undefined || value === undefined ? null : { key, value: value.trim() };
}

/** A frame as it is printed. */
export interface PerfFrame {
  /** The name; the address where only that is printed. */
  readonly raw: string;
  /** Bytes from the start of the function, -1 where not printed. */
  readonly offset: number;
  /** Kernel module, '' for the kernel image; for user frames the file. */
  readonly module: string;
  readonly space: SymbolSpace;
}

/** Address, then the rest. */
const ADDRESS = /^\s*(?:([0-9a-f]{1,16})(?:\s+|$))?(\S.*)?$/;
const OFFSET = /^(.+)\+0x([0-9a-f]+)$/;

/** Reads a frame line; null for any other text. */
export function parseFrame(line: string): PerfFrame | null {
  const isIndented = /^\s/.test(line);
  const text = line.trimEnd();
  const [, address, rest = ''] = ADDRESS.exec(text) ?? [];
  if (address === undefined && rest === '') return null;
  const file = rest.endsWith(')') ? startOfFile(rest) : -1;
  if (!isIndented && !isFrameAtLineStart(address, rest, file)) return null;
  // `  196 [000]`, `  196 K` and `  196          3` are headers without the name of the process.
  if (file < 0 && /^(?:\[?\d|[KUHGg](?:\s|$))/.test(rest)) return null;
  const symbol = file < 0 ? rest : rest.slice(0, file).trimEnd();
  // With neither address nor file only `name+0xoffset` or a plain name can be a frame.
  if (address === undefined) {
    if (symbol === '' || symbol.startsWith('=>') || isBesideFrames(line)) return null;
    if (file < 0 && rest !== '[unknown]' && !/^[^\s()[\]:]+$/.test(rest)) return null;
  }
  if (file < 0 && symbol === '' && address !== undefined) {
    // `added` is a name, `           added` in a column of 16 an address.
    const isColumn = address.length >= 8 || text.length > 16;
    if (!isColumn && isDigit(address.charCodeAt(0))) return null;
    return isColumn ? frameOf(`0x${address}`, address, '') : frameOf(address, undefined, '');
  }
  const dso = file < 0 ? '' : rest.slice(file + 1, -1).replace(/\+0x[0-9a-f]+$/, '');
  return frameOf(symbol || '[unknown]', address, dso === 'inlined' ? '' : dso);
}

function frameOf(symbol: string, address: string | undefined, dso: string): PerfFrame {
  const printed = OFFSET.exec(symbol);
  const offset = printed ? Number.parseInt(printed[2] ?? '', 16) : -1;
  return {
    raw: printed ? (printed[1] ?? symbol) : symbol,
    offset: offset <= 0x7fffffff ? offset : -1,
    ...originOf(dso, address),
  };
}

/**
 * Where the file begins in brackets at the end of a frame, behind a blank, for a C++ function ends in its parameters:
 * `([ext4])`, `(/tmp/x (deleted))`; -1 where there is none.
 */
function startOfFile(text: string): number {
  let depth = 0;
  for (let i = text.length - 1; i >= 0; i--) {
    if (text[i] === ')') depth += 1;
    else if (text[i] === '(' && --depth === 0) return i === 0 || /\s/.test(text[i - 1] ?? '') ? i : -1;
  }
  return -1;
}

/** Without indentation a frame is told by what it has: `dead 12 cycles:` is a header. */
function isFrameAtLineStart(address: string | undefined, rest: string, file: number): boolean {
  if (address === undefined || !/^[^\d\s(]/.test(rest)) return false;
  return file > 0 || (address.length >= 8 && /^\S*[^\s:]$/.test(rest));
}

/** A frame at the end of a header, of a recording without call chains: `          401b97 main+0x1f (/bin/x)`. */
export function parseInlineFrame(rest: string): PerfFrame | null {
  return /^\s*[0-9a-f]{8,16}\s/.test(rest) || /^(?=.{16}\s)\s*[0-9a-f]{1,7}\s+\S/.test(rest)
    ? parseFrame(` ${rest}`)
    : null;
}

/**
 * What may stand below frames: with `-F +srcline` their places, `  fair.c:500`, `  ??:0`,
 * `  [kernel.kallsyms][ffffffff8e7ea5b0]`; at the end registers (`ABI:2 AX:0x0`), instructions (`ilen: 3 insn: 48 89 e5`)
 * and branches (`0x401b97/0x401b94/P/-/-/0`).
 */
const BESIDE_FRAMES =
  /^\s+(?:\S+:\d+(?: \(discriminator \d+\))?$|\S*\[[0-9a-f]+\]$|ABI:\d|ilen: |insn: |[^\s/]+\/[^\s/]+\/[-PMN]\/)/;

/** Whether an indented line that is no frame belongs to the stack all the same. */
export function isBesideFrames(line: string): boolean {
  return BESIDE_FRAMES.test(line);
}
