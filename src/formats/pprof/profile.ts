import { MalformedInput, TruncatedInput } from '../reader.ts';
import { bigintAt, Cursor, Damaged, IdTable, Places } from './bytes.ts';

/** No stack is so deep; a few bytes can stand for one that is, for locations are repeated and have many lines. */
export const DEEPEST_STACK = 1 << 16;

/** Lists that are longer are made to fill the memory: labels and values of a sample, kinds of values, comments. */
const LONGEST_LIST = 1000;

/** Each takes some bytes more than it has in the file. */
const MOST_TEXTS = 8_000_000;

/** Ids that are no small numbers, and so take more memory. */
const MOST_STRANGE_IDS = 1_000_000;

// Numbers of fields, times 8, and how they are written: 0 a number, 2 bytes behind their length.
// https://github.com/google/pprof/blob/main/proto/profile.proto
const SAMPLE_TYPE = 8 * 1 + 2;
const SAMPLE = 8 * 2 + 2;
const MAPPING = 8 * 3 + 2;
const LOCATION = 8 * 4 + 2;
const FUNCTION = 8 * 5 + 2;
const STRING = 8 * 6 + 2;
const PERIOD_TYPE = 8 * 11 + 2;
const PERIOD = 8 * 12;
const COMMENT = 8 * 13;
const COMMENTS = 8 * 13 + 2;

/** A kind of value, as it is written. */
export interface ValueType {
  readonly name: string;
  readonly unit: string;
}

/** A sample. One object serves for all of them: it is valid until the next one. */
export interface Sample {
  /** Innermost first. Of stacks that are too deep only so many that it shows. */
  readonly locations: readonly (number | string)[];
  readonly values: readonly number[];
  /** Of each label the number of its name, then of its text, then its number. */
  readonly labels: readonly number[];
}

/** A function of a profile. */
export interface ProfiledFunction {
  readonly name: string;
  readonly systemName: string;
  readonly fileName: string;
}

/** A location of a profile. */
export interface ProfiledLocation {
  /** File of the mapping. */
  readonly file: string;
  readonly address: bigint;
  /** Innermost first; null for functions that are not there. */
  readonly lines: readonly { readonly function: ProfiledFunction | null; readonly line: number }[];
}

/**
 * A pprof profile as its bytes: messages are read where they lie, one after the other and when they are asked for, so that
 * a million of them are no million objects.
 */
export class ProfileBytes {
  readonly sampleTypes: readonly ValueType[];
  readonly periodType: ValueType;
  readonly period: number;
  readonly comments: readonly string[];
  readonly #bytes: Buffer;
  readonly #strings = new Places();
  readonly #functions = new Places();
  readonly #locations = new Places();
  readonly #functionIds = new IdTable();
  readonly #locationIds = new IdTable();
  /** Files of mappings, as numbers of texts. */
  readonly #mappings = new Map<number | string, number>();
  readonly #texts = new Map<number, string>();
  /** For what is read while nothing else is. */
  readonly #cursor: Cursor;

  /**
   * @throws {MalformedInput} this is no profile
   * @throws {TruncatedInput} it is cut off; the names come last, without them nothing can be kept
   */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#cursor = new Cursor(bytes);
    const types = new Places();
    const comments: number[] = [];
    let periodType = -1;
    this.period = 0;
    const cursor = new Cursor(bytes);
    cursor.enter(0, bytes.length);
    try {
      while (!cursor.isAtEnd) {
        const start = cursor.at;
        const tag = cursor.tag();
        const place = cursor.at;
        if (tag % 8 === 2) {
          const length = cursor.varint();
          if (length > bytes.length - cursor.at) throw new TruncatedInput(`the profile is cut off at byte ${start}`);
          cursor.at += length;
        } else cursor.skip(tag);
        if (tag === STRING) this.#addText(place);
        else if (tag === LOCATION) this.#keep(this.#locationIds, this.#locations, place, true);
        else if (tag === FUNCTION) this.#keep(this.#functionIds, this.#functions, place, false);
        else if (tag === MAPPING) this.#keepMapping(place);
        else if (tag === SAMPLE_TYPE && types.size < LONGEST_LIST) types.add(place);
        else if (tag === PERIOD_TYPE) periodType = place;
        else if (tag === PERIOD) this.period = Number(bigintAt(bytes, place));
        else if (tag === COMMENT && comments.length < LONGEST_LIST) comments.push(Number(bigintAt(bytes, place)));
        else if (tag === COMMENTS) this.#appendNumbers(place, comments);
      }
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      throw new MalformedInput(`not a valid profile: ${error.message}`, { cause: error });
    }
    this.sampleTypes = Array.from({ length: types.size }, (_, i) => this.#valueType(types.at(i) ?? 0));
    this.periodType = periodType < 0 ? { name: '', unit: '' } : this.#valueType(periodType);
    this.comments = comments.map((index) => this.text(index));
  }

  /** The text of a number, '' where there is none. */
  text(index: number): string {
    const known = this.#texts.get(index);
    if (known !== undefined) return known;
    const place = this.#strings.at(index);
    if (place === undefined) return '';
    const { at, end } = this.#enter(place);
    const text = this.#bytes.toString('utf8', at, end);
    this.#texts.set(index, text);
    return text;
  }

  /** Calls `visit` with every sample. @returns how many there are that cannot be read */
  forEachSample(visit: (sample: Sample) => void): number {
    const sample = { locations: [] as (number | string)[], values: [] as number[], labels: [] as number[] };
    let damaged = 0;
    const walk = new Cursor(this.#bytes);
    walk.enter(0, this.#bytes.length);
    while (!walk.isAtEnd) {
      const tag = walk.tag();
      const place = walk.at;
      walk.skip(tag);
      // An empty one is no call.
      if (tag !== SAMPLE || this.#bytes[place] === 0) continue;
      sample.locations.length = 0;
      sample.values.length = 0;
      sample.labels.length = 0;
      try {
        this.#readSample(place, sample);
      } catch (error) {
        if (!(error instanceof Damaged)) throw error;
        damaged += 1;
        continue;
      }
      visit(sample);
    }
    return damaged;
  }

  /** The index of a location, to ask for it once; -1 where there is none. */
  locationIndex(id: number | string): number {
    return this.#locationIds.get(id);
  }

  /** @throws {MalformedInput} its bytes are none */
  location(index: number): ProfiledLocation {
    const place = this.#locations.at(index) ?? 0;
    return this.#wellFormed(place, (cursor) => {
      let mapping: number | string = 0;
      let address = 0n;
      const lines: { function: ProfiledFunction | null; line: number }[] = [];
      while (!cursor.isAtEnd) {
        const tag = cursor.tag();
        if (tag === 8 * 2) mapping = cursor.id();
        else if (tag === 8 * 3) {
          address = bigintAt(this.#bytes, cursor.at);
          cursor.varint();
        } else if (tag === 8 * 4 + 2) {
          const end = cursor.into();
          // One more than a stack can have: then it shows that there are too many.
          if (lines.length <= DEEPEST_STACK) lines.push(this.#line(cursor));
          cursor.leave(end);
        } else cursor.skip(tag);
      }
      return { file: this.text(this.#mappings.get(mapping) ?? -1), address, lines };
    });
  }

  #line(cursor: Cursor): { function: ProfiledFunction | null; line: number } {
    let id: number | string = 0;
    let line = 0;
    while (!cursor.isAtEnd) {
      const tag = cursor.tag();
      if (tag === 8) id = cursor.id();
      else if (tag === 8 * 2) line = cursor.varint();
      else cursor.skip(tag);
    }
    const index = this.#functionIds.get(id);
    return { function: index < 0 ? null : this.#function(index), line };
  }

  #function(index: number): ProfiledFunction {
    return this.#wellFormed(this.#functions.at(index) ?? 0, (cursor) => {
      const texts = [-1, -1, -1, -1, -1];
      while (!cursor.isAtEnd) {
        const tag = cursor.tag();
        if (tag % 8 === 0 && tag <= 8 * 4) texts[tag / 8] = cursor.varint();
        else cursor.skip(tag);
      }
      const [, , name = -1, systemName = -1, fileName = -1] = texts;
      return { name: this.text(name), systemName: this.text(systemName), fileName: this.text(fileName) };
    });
  }

  #readSample(place: number, sample: { locations: (number | string)[]; values: number[]; labels: number[] }): void {
    const cursor = this.#enter(place, this.#cursor);
    while (!cursor.isAtEnd) {
      const tag = cursor.tag();
      if (tag === 8) {
        const id = cursor.id();
        if (sample.locations.length <= DEEPEST_STACK) sample.locations.push(id);
      } else if (tag === 8 + 2) {
        const end = cursor.into();
        while (!cursor.isAtEnd && sample.locations.length <= DEEPEST_STACK) sample.locations.push(cursor.id());
        cursor.leave(end);
      } else if (tag === 8 * 2) {
        const value = cursor.varint();
        if (sample.values.length < LONGEST_LIST) sample.values.push(value);
      } else if (tag === 8 * 2 + 2) {
        const end = cursor.into();
        while (!cursor.isAtEnd && sample.values.length < LONGEST_LIST) sample.values.push(cursor.varint());
        cursor.leave(end);
      } else if (tag === 8 * 3 + 2 && sample.labels.length < 3 * LONGEST_LIST) {
        const end = cursor.into();
        readLabel(cursor, sample.labels);
        cursor.leave(end);
      } else cursor.skip(tag);
    }
  }

  #valueType(place: number): ValueType {
    return this.#wellFormed(place, (cursor) => {
      const texts = [-1, -1, -1];
      while (!cursor.isAtEnd) {
        const tag = cursor.tag();
        if (tag === 8 || tag === 16) texts[tag / 8] = cursor.varint();
        else cursor.skip(tag);
      }
      return { name: this.text(texts[1] ?? -1), unit: this.text(texts[2] ?? -1) };
    });
  }

  #appendNumbers(place: number, numbers: number[]): void {
    const cursor = this.#enter(place);
    while (!cursor.isAtEnd && numbers.length < LONGEST_LIST) numbers.push(cursor.varint());
  }

  #addText(place: number): void {
    if (this.#strings.add(place) > MOST_TEXTS) {
      throw new MalformedInput(`the profile has more than ${MOST_TEXTS} names`);
    }
  }

  /** Some writers leave the numbers of functions out and mean the order. */
  #keep(ids: IdTable, places: Places, place: number, isLocation: boolean): void {
    const index = places.add(place);
    if (index > MOST_TEXTS) throw new MalformedInput(`the profile has more than ${MOST_TEXTS} functions or locations`);
    const id = this.#idOf(place);
    ids.set(id === 0 && !isLocation ? index + 1 : id, index);
    if (ids.sparseSize > MOST_STRANGE_IDS) throw new MalformedInput('the profile has more than a million strange ids');
  }

  #keepMapping(place: number): void {
    let fileName = -1;
    const cursor = this.#enter(place);
    let id: number | string = 0;
    while (!cursor.isAtEnd) {
      const tag = cursor.tag();
      if (tag === 8) id = cursor.id();
      else if (tag === 8 * 5) fileName = cursor.varint();
      else cursor.skip(tag);
    }
    this.#mappings.set(id, fileName);
    if (this.#mappings.size > MOST_STRANGE_IDS)
      throw new MalformedInput('the profile has more than a million mappings');
  }

  #idOf(place: number): number | string {
    const cursor = this.#enter(place, this.#cursor);
    while (!cursor.isAtEnd) {
      const tag = cursor.tag();
      if (tag === 8) return cursor.id();
      cursor.skip(tag);
    }
    return 0;
  }

  /** A cursor in the message whose length stands at `place`. @throws {Damaged} */
  #enter(place: number, cursor = new Cursor(this.#bytes)): Cursor {
    cursor.enter(place, this.#bytes.length);
    cursor.end = cursor.length();
    return cursor;
  }

  #wellFormed<T>(place: number, read: (cursor: Cursor) => T): T {
    try {
      return read(this.#enter(place));
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      throw new MalformedInput(`not a valid profile: ${error.message}`, { cause: error });
    }
  }
}

function readLabel(cursor: Cursor, labels: number[]): void {
  let key = -1;
  let text = 0;
  let number = 0;
  while (!cursor.isAtEnd) {
    const tag = cursor.tag();
    if (tag === 8) key = cursor.varint();
    else if (tag === 8 * 2) text = cursor.varint();
    else if (tag === 8 * 3) number = cursor.varint();
    else cursor.skip(tag);
  }
  labels.push(key, text, number);
}
