import type { Dice } from './dice.ts';
import { bytesOf, fieldsOf, numbersOf, packed, type WireField } from './wire.ts';

// Ways in which files come to be wrong: by accident, by programs that nearly know the format, by malice.

const NUMBERS = [
  '0',
  '1',
  '-1',
  '1.5',
  '2147483647',
  '2147483648',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551615',
  '1e308',
  '0x',
  '00000000000000000000001',
  '9'.repeat(40),
  'NaN',
];

const VARINTS = [
  0n,
  1n,
  2n,
  3n,
  127n,
  128n,
  0x7fffffffn,
  0x80000000n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
];

/** Pieces that mean something to some format, to a terminal or to JavaScript. */
const PIECES = [
  '\0',
  '\x1b[31m',
  '\x1b]0;x\x07',
  '\u009b31m',
  '\u202e',
  '\u2028',
  '\ufeff',
  '\ud83d\ude00',
  '漢字',
  '\r',
  '\t',
  ' ',
  ';',
  ';;',
  ':',
  ',',
  '"',
  '=1+1',
  '_[k]',
  '_[j]',
  '? ',
  '+0x1/0x2',
  '+0xffffffff/0xfffffffff',
  ' [ext4]',
  ' (inlined)',
  '<IRQ>',
  '</TASK>',
  '[lost];[map-full map=stacks] 3',
  '[target];[vfs_write] 0',
  '[target:]',
  '[target:vfs_write]',
  '__proto__',
  'constructor',
  '[unknown]',
  '[unread]',
  '0xffffffffc0318083',
  'entry_SYSCALL_64_after_hwframe',
  'asm_sysvec_apic_timer_interrupt',
  'ret_from_fork',
  'process_one_work',
  'kthread',
  'a'.repeat(300),
];

/** Bytes that differ from these in one way. `others`: files whose parts may turn up in it. */
export function mutate(dice: Dice, bytes: Buffer, others: readonly Buffer[]): Buffer {
  if (dice.chance(0.15)) return mutateBytes(dice, bytes, others);
  const text = bytes.subarray(0, 64).every((byte) => byte >= 9);
  if (!text) return mutateProfile(dice, bytes) ?? mutateBytes(dice, bytes, others);
  if (/^\s*[{[]/.test(bytes.toString('latin1', 0, 16)) && dice.chance(0.7)) {
    const json = mutateJson(dice, bytes.toString());
    if (json !== null) return Buffer.from(json);
  }
  return mutateLines(dice, bytes, others);
}

function mutateBytes(dice: Dice, bytes: Buffer, others: readonly Buffer[]): Buffer {
  const at = dice.below(bytes.length + 1);
  const length = dice.few(200);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(Math.min(bytes.length, at + length));
  switch (dice.below(7)) {
    case 0: // some changed
      return Buffer.concat([before, Buffer.from(bytes.subarray(at, at + length)).map(() => dice.below(256)), after]);
    case 1: // missing
      return Buffer.concat([before, after]);
    case 2: // twice
      return Buffer.concat([before, bytes.subarray(at, at + length), bytes.subarray(at)]);
    case 3: // another file in the middle
      return Buffer.concat([before, slice(dice, dice.pick(others), 2000), after]);
    case 4: // cut off
      return before;
    case 5: {
      // one bit
      const changed = Buffer.from(bytes);
      if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << dice.below(8));
      return changed;
    }
    default:
      return Buffer.concat([before, Buffer.from(dice.pick(PIECES)), bytes.subarray(at)]);
  }
}

function mutateLines(dice: Dice, bytes: Buffer, others: readonly Buffer[]): Buffer {
  const lines = bytes.toString('latin1').split('\n');
  const at = dice.below(lines.length);
  const line = lines[at] ?? '';
  const count = dice.few(Math.min(lines.length, 40));
  const piece = () => Buffer.from(dice.pick(PIECES)).toString('latin1');
  switch (dice.below(14)) {
    case 0: // lines missing
      lines.splice(at, count);
      break;
    case 1: // again, some times
      lines.splice(at, 0, ...Array.from({ length: dice.few(30) }, () => lines.slice(at, at + count)).flat());
      break;
    case 2: {
      // elsewhere
      const moved = lines.splice(at, count);
      lines.splice(dice.below(lines.length + 1), 0, ...moved);
      break;
    }
    case 3: // of another file
      lines.splice(at, 0, ...slice(dice, dice.pick(others), 1500).toString('latin1').split('\n'));
      break;
    case 4: // one number
      lines[at] = replaceOne(dice, line, /\d+/g, () => dice.pick(NUMBERS));
      break;
    case 5: // one hexadecimal number
      lines[at] = replaceOne(dice, line, /[0-9a-f]{2,}/g, () =>
        dice.pick(['0', 'ffffffffffffffff', 'f'.repeat(20), 'zz']),
      );
      break;
    case 6: // one word
      lines[at] = replaceOne(dice, line, /[^\s;:,()[\]]+/g, piece);
      break;
    case 7: {
      // a piece in the middle
      const place = dice.below(line.length + 1);
      lines[at] = line.slice(0, place) + piece() + line.slice(place);
      break;
    }
    case 8: // a line of nothing but a piece
      lines.splice(at, 0, piece());
      break;
    case 9: // cut
      lines[at] = line.slice(0, dice.below(line.length + 1));
      break;
    case 10: // two in one
      lines.splice(at, 2, `${line}${dice.pick(['', ' ', '\r', ';'])}${lines[at + 1] ?? ''}`);
      break;
    case 11: {
      // one in two
      const place = dice.below(line.length + 1);
      lines.splice(at, 1, line.slice(0, place), line.slice(place));
      break;
    }
    case 12: // a part of it again and again
      lines[at] = replaceOne(dice, line, /[^\s;]+[\s;]?/g, (word) => word.repeat(dice.few(200)));
      break;
    default: // other ends of lines, or another encoding
      return dice.pick([
        () => Buffer.from(lines.join('\r\n'), 'latin1'),
        () => Buffer.from(lines.join('\r'), 'latin1'),
        () => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(lines.join('\n'), 'utf16le')]),
        () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
      ])();
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}

/** One of the matches, not the first only. */
function replaceOne(dice: Dice, text: string, pattern: RegExp, by: (match: string) => string): string {
  const all = [...text.slice(0, 4000).matchAll(pattern)];
  if (all.length === 0) return text;
  const { index, 0: match } = dice.pick(all);
  return text.slice(0, index) + by(match) + text.slice(index + match.length);
}

/** A profile with one field changed; null if the bytes are no message. */
function mutateProfile(dice: Dice, bytes: Buffer): Buffer | null {
  const fields = fieldsOf(bytes);
  if (!fields || fields.length === 0) return null;
  let list = fields;
  let at = dice.below(list.length);
  for (;;) {
    const value = list[at]?.value;
    if (!Array.isArray(value) || value.length === 0 || dice.chance(0.25)) break;
    list = value;
    at = dice.below(list.length);
  }
  const field = list[at];
  if (!field) return null;
  switch (dice.below(8)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      list.splice(at, 0, ...Array.from({ length: dice.few(60) }, () => field));
      break;
    case 2: {
      const other = dice.below(list.length);
      list[at] = list[other] ?? field;
      list[other] = field;
      break;
    }
    case 3:
      list[at] = { ...field, number: 1 + dice.below(16) };
      break;
    default:
      list[at] = { ...field, ...changedValue(dice, field, list) };
  }
  return bytesOf(fields);
}

function changedValue(
  dice: Dice,
  { value }: WireField,
  siblings: readonly WireField[],
): Pick<WireField, 'type' | 'value'> {
  if (typeof value === 'bigint') return { type: 0, value: changedNumber(dice, value) };
  if (Array.isArray(value))
    return { type: 2, value: dice.pick(siblings).value === value ? [] : (dice.pick(siblings).value as never) };
  const text = value.toString('latin1');
  if (text.startsWith('whocalls/census/')) {
    const json = mutateJson(dice, text.slice(text.indexOf('{')));
    return { type: 2, value: Buffer.from(text.slice(0, text.indexOf('{')) + (json ?? ''), 'latin1') };
  }
  const numbers = dice.chance(0.6) ? numbersOf(value) : null;
  if (numbers && numbers.length > 0) {
    const at = dice.below(numbers.length);
    const number = numbers[at] ?? 0n;
    const choice = dice.below(5);
    if (choice === 0) numbers.splice(at, 1);
    else if (choice === 1) numbers.splice(at, 0, ...Array.from({ length: dice.few(500) }, () => number));
    else numbers[at] = changedNumber(dice, number);
    return { type: 2, value: packed(numbers) };
  }
  const place = dice.below(value.length + 1);
  const piece = Buffer.from(dice.pick([...PIECES, ...NUMBERS]));
  return {
    type: 2,
    value: dice.chance(0.5) ? piece : Buffer.concat([value.subarray(0, place), piece, value.subarray(place)]),
  };
}

function changedNumber(dice: Dice, number: bigint): bigint {
  return dice.chance(0.3) ? number + (dice.chance(0.5) ? 1n : -1n) : dice.pick(VARINTS);
}

/** JSON with one value changed; null if it is none. */
function mutateJson(dice: Dice, text: string): string | null {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return null;
  }
  const holder = { document };
  let at: { [key: string]: unknown } = holder;
  let key = 'document';
  for (;;) {
    const value = at[key];
    if (typeof value !== 'object' || value === null || dice.chance(0.15)) break;
    const keys = Object.keys(value);
    if (keys.length === 0) break;
    at = value as { [key: string]: unknown };
    key = dice.pick(keys);
  }
  const value = at[key];
  switch (dice.below(6)) {
    case 0:
      delete at[key];
      break;
    case 1:
      at[key] = dice.pick<unknown>([
        null,
        5,
        -1,
        1e308,
        0.5,
        2 ** 53,
        '',
        'x',
        [],
        {},
        [null],
        [[]],
        true,
        { name: 'x' },
      ]);
      break;
    case 2:
      at[key] = [value, value];
      break;
    case 3:
      at[key] = dice.pick(PIECES);
      break;
    case 4:
      at[dice.pick(['name', 'phases', '__proto__', 'constructor', 'code', 'x'])] = value;
      break;
    default:
      if (Array.isArray(value)) at[key] = Array.from({ length: dice.few(300) }, () => value[0]);
      else if (typeof value === 'number') at[key] = Number(dice.pick(NUMBERS));
      else at[key] = `${JSON.stringify(value)}`.repeat(dice.few(100));
  }
  return JSON.stringify(holder.document) ?? '';
}

/**
 * Bytes made as long as `size` out of parts of them: what costs time or memory out of proportion shows only in long
 * files.
 */
export function grow(dice: Dice, bytes: Buffer, size: number): Buffer {
  const at = dice.below(bytes.length);
  const part = bytes.subarray(at, at + dice.few(Math.min(bytes.length, 4000)));
  const times = Math.max(1, Math.ceil((size - bytes.length) / part.length));
  switch (dice.below(4)) {
    case 0: // the whole again and again, each a little different
      return Buffer.concat(
        Array.from({ length: Math.ceil(size / bytes.length) }, (_, i) =>
          dice.chance(0.5) ? bytes : Buffer.from(bytes.toString('latin1').replace(/\d/, String(i % 10)), 'latin1'),
        ),
      );
    case 1: {
      // numbered: everything distinct
      const text = part.toString('latin1');
      const numbered = Array.from({ length: Math.ceil(size / (text.length + 7)) }, (_, i) =>
        text.replace(/[a-z_]+/, (word) => `${word}${i}`),
      );
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(numbered.join(''), 'latin1'), bytes.subarray(at)]);
    }
    case 2: {
      // one byte for ever
      const byte = bytes.subarray(at, at + 1);
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.alloc(size, byte.length > 0 ? byte : 10),
        bytes.subarray(at),
      ]);
    }
    default: // a part of it
      return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(times * part.length, part), bytes.subarray(at)]);
  }
}

/** A part of a file, whole lines where it has any. */
export function slice(dice: Dice, bytes: Buffer, longest: number): Buffer {
  const length = dice.few(longest);
  let start = dice.below(Math.max(1, bytes.length - length));
  const newline = bytes.indexOf(10, start);
  if (start > 0 && newline >= 0 && newline - start < 2000) start = newline + 1;
  return bytes.subarray(start, start + length);
}
