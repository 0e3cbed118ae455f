// Protobuf without its schema: fields as they are written, and back.
// https://protobuf.dev/programming-guides/encoding/

/** How a field is written: 0 a number, 1 eight bytes, 2 bytes behind their length, 5 four bytes. */
type WireType = 0 | 1 | 2 | 5;

/** A field; of bytes that are well formed fields themselves, those. */
export interface WireField {
  number: number;
  type: WireType;
  value: bigint | Buffer | WireField[];
}

/** Messages in messages in messages: profiles have no more. */
const DEEPEST = 3;

/** The fields that bytes consist of; null if they are no message. */
export function fieldsOf(bytes: Buffer, depth = DEEPEST): WireField[] | null {
  const fields: WireField[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = varintAt(bytes, at);
    if (!tag) return null;
    const number = Number(tag.value >> 3n);
    const type = Number(tag.value & 7n);
    if (number < 1 || number > 2 ** 20) return null;
    at = tag.end;
    if (type === 0) {
      const value = varintAt(bytes, at);
      if (!value) return null;
      fields.push({ number, type, value: value.value });
      at = value.end;
    } else if (type === 1 || type === 5) {
      const size = type === 1 ? 8 : 4;
      if (at + size > bytes.length) return null;
      fields.push({ number, type, value: bytes.subarray(at, at + size) });
      at += size;
    } else if (type === 2) {
      const length = varintAt(bytes, at);
      if (!length || length.value > BigInt(bytes.length - length.end)) return null;
      const content = bytes.subarray(length.end, length.end + Number(length.value));
      at = length.end + content.length;
      const inner = depth > 0 && content.length > 0 && !isText(content) ? fieldsOf(content, depth - 1) : null;
      fields.push({ number, type, value: inner ?? content });
    } else return null;
  }
  return fields;
}

/** Fields as bytes, with lengths that are right. */
export function bytesOf(fields: readonly WireField[]): Buffer {
  const parts: Buffer[] = [];
  for (const { number, type, value } of fields) {
    parts.push(varint((BigInt(number) << 3n) | BigInt(type)));
    if (typeof value === 'bigint') parts.push(varint(value));
    else {
      const content = Array.isArray(value) ? bytesOf(value) : value;
      if (type === 2) parts.push(varint(BigInt(content.length)));
      parts.push(content);
    }
  }
  return Buffer.concat(parts);
}

/** Whole numbers end to end, as lists of numbers are packed; null if the bytes are none. */
export function numbersOf(bytes: Buffer): bigint[] | null {
  const numbers: bigint[] = [];
  for (let at = 0; at < bytes.length; ) {
    const number = varintAt(bytes, at);
    if (!number) return null;
    numbers.push(number.value);
    at = number.end;
  }
  return numbers;
}

export function packed(numbers: readonly bigint[]): Buffer {
  return Buffer.concat(numbers.map(varint));
}

function varintAt(bytes: Buffer, from: number): { value: bigint; end: number } | null {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) return null;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value, end: from + i + 1 };
  }
  return null;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function isText(bytes: Buffer): boolean {
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
}
