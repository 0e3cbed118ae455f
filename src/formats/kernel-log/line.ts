/** What precedes the text of a line in a kernel log: where the text starts and which context printed it. */
export interface LogPrefix {
  /** Index of the first byte of the text. */
  readonly text: number;
  /** The caller id `T123` or `C1`, '' where the log has none. Lines of several callers may be interleaved. */
  readonly caller: string;
}

/**
 * The prefixes of one line, each optional, in this order: a listing's number glued to a bracket (`119[   54.9] `),
 * a syslog level (`<4>`), `dmesg -x` (`kern  :warn  : `), an ISO or syslog time stamp with host and `kernel:`,
 * the kernel's own time or a wall clock in brackets, a caller id.
 */
const PREFIX = new RegExp(
  [
    /^(?:\d+(?=\[))?/, // 119[
    /(?:<\d{1,3}>)?/, // <4>
    /(?:[a-z]+\d? *:[a-z]+ *: ?)?/, // kern  :warn  :
    // 2026-11-23T03:26:07,849656+00:00 host kernel:   Nov 23 03:26:07 host kernel:   Mon 2026-11-23 03:26:07 UTC host kernel:
    /(?:(?:(?:[A-Z][a-z]{2} )?\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d| [A-Z]{3,5})?|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)?|\d{10}\.\d{6}) (?:\S+ kernel: ?)?)?/,
    // [    9.849656]   [Mon Nov 23 03:26:07 2026]   [    9.849656 <    0.000290>]   [  +0.000290]   [Nov23 03:26]
    /(?:\[(?: *\d+\.\d+(?: <[ +]*\d+\.\d+>)?|[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}| *\+\d+\.\d+|[A-Z][a-z]{2} ?\d{1,2} \d\d:\d\d)\] ?)?/,
    /(?:\S+ kernel: ?)?/, // after the time with journalctl -o short-monotonic
    /(?:\[ *([TC]\d+)\] ?)?/, // [T123]
  ]
    .map((part) => part.source)
    .join(''),
);

/** `4,1234,9849656,-,caller=T15;text` of /dev/kmsg. */
const KMSG = /^\d+,\d+,\d+,[^,;]*(?:,caller=([TC]\d{1,9})(?:,[^;]*)?|,[^;]*)?;/;

/** Splits a line of a kernel log. Never fails: a line without any prefix is all text. */
export function splitLogLine(line: string): LogPrefix {
  const kmsg = KMSG.exec(line);
  if (kmsg) return { text: kmsg[0].length, caller: kmsg[1] ?? '' };
  const prefix = PREFIX.exec(line);
  return { text: prefix?.[0].length ?? 0, caller: prefix?.[1] ?? '' };
}

/** How many forms of prefixes are remembered. */
const MAXIMUM_FORMS = 64;

/** After so many lines a prefix under which nothing meant anything is taken for whole all the same. */
const MAXIMUM_UNPROVEN = 10_000;

/** Prefixes of consecutive lines differ in digits, padding and the names of days and months only. */
const VARIES = /[0-9A-Za-z ]/;

/**
 * Recognises the prefix of the line before by its punctuation and length, without looking at it as text. A line that
 * only looks alike is told by its text, which is then none that was seen before.
 */
export class LogPrefixShape {
  /** Positions of the prefix that do not vary, and the bytes there. */
  #positions = new Uint8Array(0);
  #bytes = new Uint8Array(0);
  #length = -1;
  /** Bytes of the caller id and where in the prefix they are, because lines of another caller are another trace's. */
  #caller = Buffer.alloc(0);
  #callerAt = 0;

  /** Forms under which a line meant something. */
  readonly #proven = new Set<string>();
  #form = '';
  #unproven = 0;
  /**
   * What stands behind the prefix is the text: some line had a meaning there. Else there may be more of a prefix, in
   * a form that is not known yet.
   */
  isProven = false;

  /** Where the text of the line at `at` starts if its prefix has the learnt shape and caller; -1 otherwise. */
  match(buffer: Buffer, at: number, end: number): number {
    const length = this.#length;
    if (length < 0 || at + length >= end) return -1;
    const positions = this.#positions;
    const bytes = this.#bytes;
    for (let i = 0; i < positions.length; i++) if (buffer[at + (positions[i] as number)] !== bytes[i]) return -1;
    return this.#caller.length === 0 || this.#isCaller(buffer, at + this.#callerAt) ? at + length : -1;
  }

  #isCaller(buffer: Buffer, at: number): boolean {
    const caller = this.#caller;
    for (let i = 0; i < caller.length; i++) if (buffer[at + i] !== caller[i]) return false;
    return true;
  }

  /** Takes the prefix of the line that starts at `start` as the one to expect. */
  learn(buffer: Buffer, start: number, prefix: LogPrefix): void {
    if (prefix.text > 255) {
      this.#length = -1;
      return;
    }
    this.#length = prefix.text;
    const text = buffer.toString('latin1', start, start + prefix.text);
    const fixed = Array.from(text, (_, i) => i).filter((i) => i === text.length - 1 || !VARIES.test(text.charAt(i)));
    this.#positions = Uint8Array.from(fixed);
    this.#bytes = Uint8Array.from(fixed, (i) => text.charCodeAt(i));
    this.#form = text.replace(/[0-9A-Za-z ]+/g, ' ');
    this.isProven = this.#proven.has(this.#form);
    // The padding before the id belongs to it: `[   T15]` and `[  T115]` are as long.
    const bracket = prefix.caller === '' ? -1 : text.lastIndexOf(prefix.caller);
    const from = bracket < 0 ? 0 : text.lastIndexOf(text.includes('caller=') ? '=' : '[', bracket);
    this.#callerAt = from;
    this.#caller = bracket < 0 ? Buffer.alloc(0) : Buffer.from(text.slice(from), 'latin1');
  }
  /** A line with this prefix was read, and means something or nothing. */
  prove(isMeant: boolean): void {
    if (this.isProven) return;
    this.#unproven += 1;
    if (!isMeant && this.#unproven < MAXIMUM_UNPROVEN) return;
    this.isProven = true;
    this.#unproven = 0;
    if (this.#proven.size < MAXIMUM_FORMS) this.#proven.add(this.#form);
  }
}
