import type { SniffResult } from '../reader.ts';

// The outermost fields of a profile as bytes: to tell one by its beginning, and whether its end is missing. Fields may
// come in any order, and some writers begin with a time, a mapping or the strings.

/** How a field is written: 0 a number, 2 bytes behind their length. */
type WireType = 0 | 2;

/** Fields by number. A number may also stand in a packed list, bytes behind their length. */
type Message = readonly (readonly [field: number, type: WireType | 'numbers', inner?: Message])[];

// Numbers and types of https://github.com/google/pprof/blob/main/proto/profile.proto
const VALUE_TYPE: Message = [
  [1, 0],
  [2, 0],
];
const LABEL: Message = [
  [1, 0],
  [2, 0],
  [3, 0],
  [4, 0],
];
const SAMPLE: Message = [
  [1, 'numbers'],
  [2, 'numbers'],
  [3, 2, LABEL],
];
const MAPPING: Message = Array.from({ length: 10 }, (_, i) => [i + 1, 0] as const);
const LINE: Message = [
  [1, 0],
  [2, 0],
  [3, 0],
];
const LOCATION: Message = [
  [1, 0],
  [2, 0],
  [3, 0],
  [4, 2, LINE],
  [5, 0],
];
const FUNCTION: Message = Array.from({ length: 5 }, (_, i) => [i + 1, 0] as const);
const PROFILE: Message = [
  [1, 2, VALUE_TYPE],
  [2, 2, SAMPLE],
  [3, 2, MAPPING],
  [4, 2, LOCATION],
  [5, 2, FUNCTION],
  [6, 2],
  [7, 0],
  [8, 0],
  [9, 0],
  [10, 0],
  [11, 2, VALUE_TYPE],
  [12, 0],
  [13, 'numbers'],
  [14, 0],
  [15, 0],
];

/** A field of a message. */
interface Field {
  readonly number: number;
  readonly type: WireType;
  /** Where its bytes begin, without their length. */
  readonly start: number;
  /** Where it ends, which may be beyond the bytes. */
  readonly end: number;
}

/** So many messages inside that are well formed are no coincidence. */
const ENOUGH = 2;

/** Whether the first bytes of a file are a profile. */
export function sniffProfile(head: Buffer, isWhole: boolean): SniffResult {
  const { isSound, messages } = walk(head, 0, head.length, PROFILE, true);
  if (!isSound || head.length === 0) return 'no';
  if (messages >= ENOUGH || (isWhole && messages > 0)) return 'yes';
  // The first message may be longer than what there is of the file.
  return isWhole ? 'no' : 'more';
}

/**
 * Goes through the fields of a message, and of those in it; `messages` counts those that are whole. Only of bytes that
 * were cut off the last field may be too long.
 */
function walk(
  bytes: Buffer,
  start: number,
  end: number,
  message: Message,
  mayBeCut: boolean,
): { isSound: boolean; messages: number } {
  let messages = 0;
  let at = start;
  while (at < end) {
    const field = fieldAt(bytes, at);
    if (field === null) return { isSound: false, messages };
    const [, type, inner] = message.find(([number]) => number === field.number) ?? [];
    if (type === undefined || (type !== field.type && type !== 'numbers')) return { isSound: false, messages };
    const isCut = field.end > end;
    if (isCut && !mayBeCut) return { isSound: false, messages };
    if (inner) {
      if (!walk(bytes, field.start, Math.min(field.end, end), inner, isCut).isSound)
        return { isSound: false, messages };
      if (!isCut) messages += 1;
    }
    at = field.end;
  }
  return { isSound: true, messages };
}

/** The field at `at`; null if no message has such a one. */
function fieldAt(bytes: Buffer, at: number): Field | null {
  const tag = bytes[at] ?? 0;
  const number = tag >> 3;
  const type = tag & 7;
  if (number < 1 || number > 15) return null;
  if (type === 0) {
    let end = at + 1;
    while (end < bytes.length && ((bytes[end] ?? 0) & 0x80) !== 0) end += 1;
    return end - at > 11 ? null : { number, type, start: at + 1, end: end + 1 };
  }
  if (type !== 2) return null;
  let length = 0;
  let shift = 1;
  let p = at + 1;
  for (; p < bytes.length; p++) {
    const byte = bytes[p] ?? 0;
    length += (byte & 0x7f) * shift;
    shift *= 128;
    if ((byte & 0x80) === 0) break;
    if (shift > 2 ** 35) return null;
  }
  return { number, type, start: p + 1, end: p + 1 + length };
}
