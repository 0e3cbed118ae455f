import { Profile } from 'pprof-format';
import { type CallKey, KEY_COLUMN_LIST, type KeyId } from '../../census/call-key.ts';
import type { TargetId } from '../../census/row-table.ts';
import type { Frame } from '../../census/stack-table.ts';
import { messageOf } from '../../errors.ts';
import type { CensusBuilder } from '../builder.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { lossFromText } from '../loss-text.ts';
import { originOf } from '../origin.ts';
import { type ByteStream, type FormatReader, MalformedInput, type SniffResult, TruncatedInput } from '../reader.ts';
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
import { outermostFields, sniffProfile } from './fields.ts';
import { foreignValues, ownValues } from './values.ts';

/** The library holds a profile in memory as a whole. */
const MAXIMUM_SIZE = 512 << 20;

/** Each becomes an object, also where it has but two bytes. */
const MOST_MESSAGES = 4_000_000;

/** No stack is so deep; a few bytes can stand for one that is, for locations are repeated and have many lines. */
const DEEPEST_STACK = 1 << 16;

/** pprof profiles: the census files of this tool, from which everything comes back, and those of others. */
export const pprofReader: FormatReader = {
  name: 'pprof',
  summary: 'pprof profile, such as a census file',

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    return sniffProfile(head, isWhole);
  },

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const profile = decode(await readWhole(bytes));
    new ProfileConverter(profile, builder, diagnostics).convert();
  },
};

async function readWhole(bytes: ByteStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > MAXIMUM_SIZE) throw new MalformedInput('the profile is larger than 512 MiB');
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer): Profile {
  const { cut, fields } = outermostFields(bytes);
  if (fields > MOST_MESSAGES) {
    throw new MalformedInput(
      `the profile has ${fields} samples, functions and names; at most ${MOST_MESSAGES} are read`,
    );
  }
  // The names come last: without them nothing of a profile can be kept.
  if (cut !== null) throw new TruncatedInput(`the profile is cut off at byte ${cut}`);
  try {
    return Profile.decode(bytes);
  } catch (error) {
    throw new MalformedInput(`not a valid profile: ${messageOf(error)}`, { cause: error });
  }
}

class ProfileConverter {
  readonly #profile: Profile;
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #frames = new Map<string, readonly Frame[]>();
  readonly #text: (index: unknown) => string;

  constructor(profile: Profile, builder: CensusBuilder, diagnostics: Diagnostics) {
    this.#profile = profile;
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    const { strings } = profile.stringTable;
    this.#text = (index) => strings[Number(index)] ?? '';
  }

  convert(): void {
    const own = this.#comment();
    const { census } = this.#builder;
    if (own) {
      this.#builder.isExact = true;
      for (const target of own.targets) census.target(target);
      Object.assign(census.facts, own.facts);
    }
    this.#readLocations(own !== null);
    const { calls, others, areSamples } = own ? ownValues(own, census) : foreignValues(this.#profile, census);
    let damaged = 0;
    for (const sample of this.#profile.sample) {
      const count = calls(sample);
      if (count === 0 && !own) continue;
      // A negative number, as in differences of profiles, comes out as a very large one.
      if (!(count >= 0 && Number.isSafeInteger(count))) {
        damaged += 1;
        continue;
      }
      const labels = this.#labels(sample.label);
      const lost = labels.get(LABEL.lost);
      if (lost !== undefined && own) {
        census.lose(lossFromText(String(lost)), count);
        continue;
      }
      const locations = sample.locationId.map((id) => this.#frames.get(String(id)) ?? []);
      if (locations.reduce((depth, frames) => depth + frames.length, 0) > DEEPEST_STACK) {
        census.lose({ code: 'stack-too-deep', frames: DEEPEST_STACK }, count);
        continue;
      }
      const frames = locations.flat();
      const target = this.#builder.targetId(String(labels.get(LABEL.target) ?? ''));
      const task = this.#builder.task(own ? ownKey(labels, own) : foreignKey(labels));
      const row = own ? this.#addExactly(frames, task, count, target) : this.#builder.call(frames, task, count, target);
      for (const { measure, column } of row < 0 ? [] : others) {
        const sum = Number(sample.value[column] ?? 0);
        if (Number.isSafeInteger(sum) && sum >= 0) census.rows.addSum(row, measure, sum);
      }
    }
    if (damaged > 0) this.#diagnostics.skip(0, `${damaged} samples`, 'a count that is no number of calls');
    // What runs in every sample is not called by what runs there too.
    if (!own && !areSamples) this.#builder.inferTarget();
  }

  /** Stacks of a census file are as they were kept: nothing is to be taken off. */
  #addExactly(frames: readonly Frame[], task: KeyId, count: number, target: TargetId): number {
    const { census } = this.#builder;
    if (frames.length > 0) return census.addCalls(census.stack(frames), target, task, count);
    census.lose({ code: 'sample-without-stack' }, count);
    return -1;
  }

  #comment(): CensusComment | null {
    for (const index of this.#profile.comment) {
      const text = this.#text(index);
      const start = [CENSUS_COMMENT, OLD_CENSUS_COMMENT].find((one) => text.startsWith(one));
      if (start === undefined) continue;
      const comment = parseCensusComment(text.slice(start.length));
      if (comment) return comment;
      this.#diagnostics.note({ code: 'facts-damaged' });
    }
    return null;
  }

  #labels(labels: readonly { key: unknown; str: unknown; num: unknown }[]): Map<string, string | number> {
    const result = new Map<string, string | number>();
    for (const { key, str, num } of labels)
      result.set(this.#text(key), Number(str) !== 0 ? this.#text(str) : Number(num));
    return result;
  }

  #readLocations(isOwn: boolean): void {
    // Some writers leave the numbers out and mean the order.
    const functions = new Map(this.#profile.function.map((f, i) => [String(Number(f.id) === 0 ? i + 1 : f.id), f]));
    const files = new Map(this.#profile.mapping.map((m) => [String(m.id), this.#text(m.filename)]));
    for (const location of this.#profile.location) {
      const file = files.get(String(location.mappingId)) ?? '';
      const offset = isOwn ? Number(location.address) - 1 : -1;
      // Several lines of one location are functions inlined into each other, innermost first.
      const frames: Frame[] = [];
      for (const [i, line] of location.line.entries()) {
        const f = functions.get(String(line.functionId));
        if (!f) continue;
        const printed = {
          name: this.#text(f.name),
          systemName: this.#text(f.systemName),
          source: this.#text(f.filename),
        };
        if (printed.name === '' && printed.systemName === '') continue;
        frames.push(
          isOwn
            ? this.#ownFrame(printed, file, offset, Number(line.line))
            : this.#foreignFrame(printed.systemName || printed.name, file, i < location.line.length - 1),
        );
      }
      if (location.line.length === 0) {
        frames.push(this.#foreignFrame(`0x${BigInt(location.address).toString(16)}`, file, false));
      }
      this.#frames.set(String(location.id), frames);
    }
  }

  /** Others' file names have paths of the build machine, and their addresses are not offsets in functions. */
  #foreignFrame(name: string, file: string, inlined: boolean): Frame {
    const { space, module } = originOf(file);
    return { symbol: this.#builder.census.symbols.intern(name, module, space), offset: -1, inlined };
  }

  /** A frame as `write.ts` wrote it. Functions without a source file have that of their mapping. */
  #ownFrame({ name, systemName, source }: FunctionNames, file: string, offset: number, line: number): Frame {
    const { symbols } = this.#builder.census;
    const [space, module] = placeOfFile(file);
    const sourceFile = space === 'kernel' && source !== file ? source : '';
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

/** Texts of a function of a profile. */
interface FunctionNames {
  readonly name: string;
  readonly systemName: string;
  readonly source: string;
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
