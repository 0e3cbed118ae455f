import { type CallKey, KEY_COLUMN_LIST, type KeyId } from '../../census/call-key.ts';
import type { TargetId } from '../../census/row-table.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { CensusBuilder } from '../builder.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { lossFromText } from '../loss-text.ts';
import { originOf } from '../origin.ts';
import { type ByteStream, CARRIED, type FormatReader, MalformedInput, type SniffResult } from '../reader.ts';
import {
  CENSUS_COMMENT,
  type CensusComment,
  flagsOf,
  LABEL,
  OLD_CENSUS_COMMENT,
  OLD_UNRELIABLE,
  parseCensusComment,
  placeOfFile,
} from './encoding.ts';
import { sniffProfile } from './fields.ts';
import { DEEPEST_STACK, ProfileBytes, type ProfiledFunction, type ProfiledLocation, type Sample } from './profile.ts';
import { foreignValues, ownValues, type Values } from './values.ts';

/** A profile is held as a whole, because its names come last. */
const MAXIMUM_SIZE = 192 << 20;

/** pprof profiles: the census files of this tool, from which everything comes back, and those of others. */
export const pprofReader: FormatReader = {
  name: 'pprof',
  summary: 'pprof profile, such as a census file',
  carries: CARRIED,

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    return sniffProfile(head, isWhole);
  },

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const profile = new ProfileBytes(await readWhole(bytes));
    new ProfileConverter(profile, builder, diagnostics).convert();
  },
};

async function readWhole(bytes: ByteStream): Promise<Buffer> {
  let whole = Buffer.allocUnsafe(1 << 14);
  let size = 0;
  for await (const chunk of bytes) {
    if (size + chunk.length > MAXIMUM_SIZE) throw new MalformedInput('the profile is larger than 192 MiB');
    if (size + chunk.length > whole.length) {
      // What is not written to takes no memory.
      const larger = Buffer.allocUnsafeSlow(Math.min(4 * (size + chunk.length), MAXIMUM_SIZE));
      whole.copy(larger, 0, 0, size);
      whole = larger;
    }
    size += chunk.copy(whole, size);
  }
  return whole.subarray(0, size);
}

class ProfileConverter {
  readonly #profile: ProfileBytes;
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  /** By index of the location. */
  readonly #frames = new Map<number, readonly Frame[]>();

  constructor(profile: ProfileBytes, builder: CensusBuilder, diagnostics: Diagnostics) {
    this.#profile = profile;
    this.#builder = builder;
    this.#diagnostics = diagnostics;
  }

  convert(): void {
    const own = this.#comment();
    const { census } = this.#builder;
    if (own) {
      this.#builder.isExact = true;
      for (const target of own.targets) census.target(target);
      Object.assign(census.facts, own.facts);
    }
    const values = own ? ownValues(own, census) : foreignValues(this.#profile, census);
    let noCounts = 0;
    const damaged = this.#profile.forEachSample((sample) => {
      const count = values.calls(sample);
      // A negative number, as in differences of profiles, comes out as a very large one.
      if (!(count >= 0 && Number.isSafeInteger(count))) noCounts += 1;
      else if (count > 0 || own) this.#add(sample, count, own, values);
    });
    this.#tellUnread(damaged, 'damaged');
    this.#tellUnread(noCounts, 'a count that is no number of calls');
    // What runs in every sample is not called by what runs there too.
    if (!own && !values.areSamples) this.#builder.inferTarget();
  }

  #tellUnread(samples: number, why: string): void {
    if (samples === 0) return;
    this.#diagnostics.skip(0, `${samples} samples`, why);
    this.#builder.census.warn({ code: 'samples-unread', samples });
  }

  #add(sample: Sample, count: number, own: CensusComment | null, { others }: Values): void {
    const { census } = this.#builder;
    const labels = this.#labels(sample.labels);
    const lost = labels.get(LABEL.lost);
    if (lost !== undefined && own) {
      census.lose(lossFromText(typeof lost === 'string' ? lost : ''), count);
      return;
    }
    const frames = this.#stack(sample.locations, own !== null);
    if (frames === null) {
      census.lose({ code: 'stack-too-deep', frames: DEEPEST_STACK }, count);
      return;
    }
    const target = this.#builder.targetId(String(labels.get(LABEL.target) ?? ''));
    const task = this.#builder.task(own ? ownKey(labels, own) : foreignKey(labels));
    const row = own ? this.#addExactly(frames, task, count, target) : this.#builder.call(frames, task, count, target);
    for (const { measure, column } of row < 0 ? [] : others) {
      const sum = sample.values[column] ?? 0;
      if (Number.isSafeInteger(sum) && sum >= 0) census.rows.addSum(row, measure, sum);
    }
  }

  /** The frames of locations, innermost first; null where they are too many. */
  #stack(locations: Sample['locations'], isOwn: boolean): Frame[] | null {
    const frames: Frame[] = [];
    for (const id of locations) {
      const own = this.#framesOf(this.#profile.locationIndex(id), isOwn);
      if (frames.length + own.length > DEEPEST_STACK) return null;
      for (const frame of own) frames.push(frame);
    }
    return locations.length > DEEPEST_STACK ? null : frames;
  }

  /** Stacks of a census file are as they were kept: nothing is to be taken off. */
  #addExactly(frames: readonly Frame[], task: KeyId, count: number, target: TargetId): number {
    const { census } = this.#builder;
    if (frames.length > 0) return census.addCalls(census.stack(frames), target, task, count);
    census.lose({ code: 'sample-without-stack' }, count);
    return -1;
  }

  #comment(): CensusComment | null {
    for (const text of this.#profile.comments) {
      const start = [CENSUS_COMMENT, OLD_CENSUS_COMMENT].find((one) => text.startsWith(one));
      if (start === undefined) continue;
      const comment = parseCensusComment(text.slice(start.length));
      if (comment) return comment;
      this.#diagnostics.note({ code: 'facts-damaged' });
    }
    return null;
  }

  #labels(labels: readonly number[]): Map<string, string | number> {
    const result = new Map<string, string | number>();
    for (let i = 0; i < labels.length; i += 3) {
      const text = labels[i + 1] ?? 0;
      result.set(this.#profile.text(labels[i] ?? -1), text === 0 ? (labels[i + 2] ?? 0) : this.#profile.text(text));
    }
    return result;
  }

  #framesOf(index: number, isOwn: boolean): readonly Frame[] {
    if (index < 0) return [];
    let frames = this.#frames.get(index);
    if (!frames) {
      frames = this.#readFrames(this.#profile.location(index), isOwn);
      this.#frames.set(index, frames);
    }
    return frames;
  }

  /** Several lines of one location are functions inlined into each other, innermost first. */
  #readFrames({ file, address, lines }: ProfiledLocation, isOwn: boolean): Frame[] {
    if (lines.length === 0) return [this.#foreignFrame(`0x${address.toString(16)}`, file, false)];
    return lines.flatMap(({ function: names, line }, i) => {
      if (names === null || (names.name === '' && names.systemName === '')) return [];
      if (isOwn) return this.#ownFrame(names, file, Number(address) - 1, line);
      return this.#foreignFrame(names.systemName || names.name, file, i < lines.length - 1);
    });
  }

  /** Others' file names have paths of the build machine, and their addresses are not offsets in functions. */
  #foreignFrame(name: string, file: string, inlined: boolean): Frame {
    const { space, module } = originOf(file);
    return { symbol: this.#builder.census.symbols.intern(name, module, space), offset: -1, inlined };
  }

  /** A frame as `write.ts` wrote it. Functions without a source file have that of their mapping. */
  #ownFrame({ name, systemName, fileName }: ProfiledFunction, file: string, offset: number, line: number): Frame {
    const { symbols } = this.#builder.census;
    const [space, module] = placeOfFile(file);
    const sourceFile = space === 'kernel' && fileName !== file ? fileName : '';
    const isOld = name === systemName && line === 1 && name.startsWith(OLD_UNRELIABLE);
    const raw = isOld ? systemName.slice(OLD_UNRELIABLE.length) : systemName || name;
    const at = Number.isInteger(line) && line > 0 && line <= 0x7fffffff && !isOld ? line : 0;
    const symbol = symbols.intern(raw, module, space, sourceFile, at);
    const flags = flagsOf(name, symbols.name(symbol));
    return {
      symbol,
      offset: Number.isInteger(offset) && offset <= 0x7fffffff ? offset : -1,
      unreliable: isOld || flags.unreliable,
      inlined: flags.inlined,
    };
  }
}

/** The columns of a key, from labels that `write.ts` made of them. */
function keyOf(labels: ReadonlyMap<string, string | number>): Partial<CallKey> {
  return Object.fromEntries(
    KEY_COLUMN_LIST.map(([column, { kind, label }]) => {
      const value = labels.get(label);
      return [column, kind === 'text' ? String(value ?? '') : integerOf(value)];
    }),
  );
}

/** Times of which nobody says how wide they are tell nothing. */
function ownKey(labels: ReadonlyMap<string, string | number>, { facts }: CensusComment): Partial<CallKey> {
  const { bucket, ...key } = keyOf(labels);
  return facts.bucketMilliseconds === null || bucket === undefined ? key : { ...key, bucket };
}

/** Others call the task what they like, and their time is none of ours. */
function foreignKey(labels: ReadonlyMap<string, string | number>): Partial<CallKey> {
  const { bucket: _, comm, ...key } = keyOf(labels);
  return { ...key, comm: comm || String(labels.get('thread') ?? labels.get('process') ?? '') };
}

function integerOf(value: string | number | undefined): number {
  const number = Number(value ?? -1);
  return Number.isInteger(number) && number >= -1 && number <= 0x7fffffff ? number : -1;
}
