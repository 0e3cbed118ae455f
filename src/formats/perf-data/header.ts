import { MalformedInput } from '../reader.ts';
import { type Attribute, readAttribute } from './attributes.ts';
import { Words } from './words.ts';

/** Bytes that a file begins with, in its own byte order. */
const MAGIC = 'PERFILE2';
const MAGIC_SWAPPED = '2ELIFREP';
export const HEADER_BYTES = 104;
const PIPE_HEADER_BYTES = 16;
/** Bits for features. */
const FEATURES_AT = 72;
const MOST_FEATURES = 256;
const MOST_EVENTS = 4096;
/** More bytes lie before the records of no file. */
const MOST_BEFORE_DATA = 1 << 26;

/** A counter's event, and the ids of its counters. */
export interface EventSetup {
  readonly attribute: Attribute;
  readonly ids: readonly number[];
}

/** The beginning of a recording. */
export interface Header {
  readonly isLittle: boolean;
  /** Written to a pipe: all there is comes as records. */
  readonly isPipe: boolean;
  readonly attributeSize: number;
  readonly attributes: { readonly offset: number; readonly size: number };
  readonly data: { readonly offset: number; readonly size: number };
  /** Numbers of the parts after the records, ascending. */
  readonly features: readonly number[];
}

/** Whether bytes begin a perf.data; null where they are too few to tell. */
export function isPerfData(head: Buffer): boolean | null {
  const start = head.toString('latin1', 0, MAGIC.length);
  if (start.length < MAGIC.length) return MAGIC.startsWith(start) || MAGIC_SWAPPED.startsWith(start) ? null : false;
  return start === MAGIC || start === MAGIC_SWAPPED;
}

/**
 * Reads the header of a file or a pipe, of either byte order.
 *
 * @throws {MalformedInput} it does not fit together
 */
export function readHeader(head: Buffer): Header {
  const isLittle = head.toString('latin1', 0, MAGIC.length) === MAGIC;
  const words = new Words(head, isLittle);
  const size = words.u64(8);
  if (size === PIPE_HEADER_BYTES) {
    const none = { offset: 0, size: 0 };
    return { isLittle, isPipe: true, attributeSize: 0, attributes: none, data: none, features: [] };
  }
  if (head.length < HEADER_BYTES || size < HEADER_BYTES) {
    throw new MalformedInput(`byte 8: the header says it has ${size} bytes, and one has ${HEADER_BYTES} or 16`);
  }
  const attributeSize = words.u64(16);
  const attributes = { offset: words.u64(24), size: words.u64(32) };
  const data = { offset: words.u64(40), size: words.u64(48) };
  if (data.offset < HEADER_BYTES || data.offset > MOST_BEFORE_DATA) {
    throw new MalformedInput(`byte 40: the records cannot begin at byte ${data.offset}`);
  }
  if (attributeSize < 64 + 16 || attributeSize > 4096 || attributes.offset + attributes.size > data.offset) {
    throw new MalformedInput('byte 16: the events are not where the header says');
  }
  return { isLittle, isPipe: false, attributeSize, attributes, data, features: featuresOf(words) };
}

function featuresOf(words: Words): number[] {
  const features: number[] = [];
  for (let bit = 0; bit < MOST_FEATURES; bit++) {
    // Four words of 64 bits.
    const word = FEATURES_AT + 8 * (bit >> 6);
    const half = bit & 32 ? 1 : 0;
    const at = word + 4 * (words.isLittle ? half : 1 - half);
    if ((words.u32(at) >>> (bit & 31)) & 1) features.push(bit);
  }
  return features;
}

/** The events of a file: `bytes` is all that comes before its records. */
export function readEventSetups(bytes: Buffer, { isLittle, attributeSize, attributes }: Header): EventSetup[] {
  const words = new Words(bytes, isLittle);
  const count = Math.min(Math.floor(attributes.size / attributeSize), MOST_EVENTS);
  return Array.from({ length: count }, (_, i) => {
    const at = attributes.offset + i * attributeSize;
    // After the event itself: where the ids of its counters are.
    const section = at + attributeSize - 16;
    return {
      attribute: readAttribute(words.part(at, section)),
      ids: idsAt(words, words.u64(section), words.u64(section + 8)),
    };
  });
}

/** The event of a record in a pipe: the event itself, with its size, then the ids. */
export function readEventRecord(words: Words): EventSetup {
  const size = words.u32(8 + 4) || 64;
  return { attribute: readAttribute(words.part(8, 8 + size)), ids: idsAt(words, 8 + size, words.length - 8 - size) };
}

function idsAt(words: Words, offset: number, size: number): number[] {
  const count = Math.max(0, Math.min(Math.floor(size / 8), MOST_EVENTS * 16, Math.floor((words.length - offset) / 8)));
  return Array.from({ length: count }, (_, i) => words.u64(offset + 8 * i));
}
