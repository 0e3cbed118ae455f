import { Profile } from 'pprof-format';
import { type CallKey, KEY_COLUMN_LIST, type KeyId } from '../../census/call-key.ts';
import type { TargetId } from '../../census/row-table.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { SymbolSpace } from '../../census/symbol-table.ts';
import { messageOf } from '../../errors.ts';
import type { CensusBuilder } from '../builder.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { lossFromText } from '../loss-text.ts';
import { type ByteStream, type FormatReader, MalformedInput, type SniffResult, TruncatedInput } from '../reader.ts';
import {
  CENSUS_COMMENT,
  type CensusComment,
  LABEL,
  OLD_CENSUS_COMMENT,
  parseCensusComment,
  placeOfFile,
  UNRELIABLE,
} from './encoding.ts';

/** The library holds a profile in memory as a whole. */
const MAXIMUM_SIZE = 512 << 20;

/** pprof profiles: the census files of this tool, from which everything comes back, and those of others. */
export const pprofReader: FormatReader = {
  name: 'pprof',
  summary: 'pprof profile, such as a census file',

  sniff(head: Buffer): SniffResult {
    return looksLikeProfile(head) ? 'yes' : 'no';
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
  const cut = endsInField(bytes);
  // The names come last: without them nothing of a profile can be kept.
  if (cut !== null) throw new TruncatedInput(`the profile is cut off at byte ${cut}`);
  try {
    return Profile.decode(bytes);
  } catch (error) {
    throw new MalformedInput(`not a valid profile: ${messageOf(error)}`, { cause: error });
  }
}

/** Walks the outermost fields of a protobuf message; false at the first that no profile has. */
function looksLikeProfile(head: Buffer): boolean {
  // A profile begins with its sample types: field 1, a message of two numbers.
  if (head[0] !== 0x0a || (head[1] ?? 255) > 32) return false;
  const inner = head.subarray(2, 2 + (head[1] ?? 0));
  if (inner[0] !== 0x08 && inner[0] !== 0x10) return false;
  let at = 0;
  for (let fields = 0; fields < 16 && at < head.length; fields++) {
    const next = nextField(head, at);
    if (next === null) return false;
    at = next;
  }
  return true;
}

/** Where the field at `at` ends, which may be beyond the bytes; null if no profile has such a field. */
function nextField(bytes: Buffer, at: number): number | null {
  const tag = bytes[at] ?? 0;
  const field = tag >> 3;
  if (field < 1 || field > 15) return null;
  if ((tag & 7) === 0) {
    let end = at + 1;
    while (end < bytes.length && ((bytes[end] ?? 0) & 0x80) !== 0) end += 1;
    return end - at > 11 ? null : end + 1;
  }
  if ((tag & 7) !== 2) return null;
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
  return p + 1 + length;
}

/** Where the field begins in which the bytes end; null if they end with a field or are no profile. */
function endsInField(bytes: Buffer): number | null {
  let at = 0;
  while (at < bytes.length) {
    const next = nextField(bytes, at);
    if (next === null) return null;
    if (next > bytes.length) return at;
    at = next;
  }
  return null;
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
    const { count: counts, others } = this.#values(own);
    let damaged = 0;
    for (const sample of this.#profile.sample) {
      const count = Number(sample.value[counts] ?? 0);
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
      const frames = sample.locationId.flatMap((id) => this.#frames.get(String(id)) ?? []);
      const target = this.#builder.targetId(String(labels.get(LABEL.target) ?? ''));
      const task = this.#builder.task(own ? keyOf(labels) : foreignKey(labels));
      const row = own ? this.#addExactly(frames, task, count, target) : this.#builder.call(frames, task, count, target);
      for (const { measure, column } of row < 0 ? [] : others) {
        const sum = Number(sample.value[column] ?? 0);
        if (Number.isSafeInteger(sum) && sum >= 0) census.rows.addSum(row, measure, sum);
      }
    }
    if (damaged > 0) this.#diagnostics.skip(0, `${damaged} samples`, 'a count that is no number of calls');
    if (!own) this.#builder.inferTarget();
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

  /** Which of the values per sample counts the calls; the others are sums. */
  #values(own: CensusComment | null): { count: number; others: { measure: number; column: number }[] } {
    const { census } = this.#builder;
    const types = this.#profile.sampleType.map((type) => ({
      name: this.#text(type.type),
      unit: this.#text(type.unit),
    }));
    const calls = types.findIndex(
      ({ name, unit }) => unit === 'count' && /^(?:calls|samples|events|contentions)$/.test(name),
    );
    const count = own ? 0 : Math.max(0, calls);
    const others = types.flatMap(({ name, unit }, column) => {
      if (column === count) return [];
      const measure = own?.measures[column - 1] ?? { name, unit, of: 'profile' };
      return [{ measure: census.measure(measure), column }];
    });
    return { count, others };
  }

  #labels(labels: readonly { key: unknown; str: unknown; num: unknown }[]): Map<string, string | number> {
    const result = new Map<string, string | number>();
    for (const { key, str, num } of labels)
      result.set(this.#text(key), Number(str) !== 0 ? this.#text(str) : Number(num));
    return result;
  }

  #readLocations(isOwn: boolean): void {
    const functions = new Map(this.#profile.function.map((f) => [String(f.id), f]));
    const files = new Map(this.#profile.mapping.map((m) => [String(m.id), this.#text(m.filename)]));
    for (const location of this.#profile.location) {
      const file = files.get(String(location.mappingId)) ?? '';
      const offset = isOwn ? Number(location.address) - 1 : -1;
      // Several lines of one location are functions inlined into each other, innermost first.
      const frames: Frame[] = [];
      for (const line of location.line) {
        const f = functions.get(String(line.functionId));
        const name = f ? this.#text(f.systemName) || this.#text(f.name) : '';
        const source = f ? this.#text(f.filename) : '';
        if (name !== '') frames.push(this.#frame(name, file, source, offset, isOwn, Number(line.line) === 1));
      }
      if (location.line.length === 0) {
        frames.push(this.#frame(`0x${BigInt(location.address).toString(16)}`, file, '', offset, isOwn, false));
      }
      this.#frames.set(String(location.id), frames);
    }
  }

  #frame(name: string, file: string, source: string, offset: number, isOwn: boolean, isFirstLine: boolean): Frame {
    const unreliable = isOwn && isFirstLine && name.startsWith(UNRELIABLE);
    const raw = unreliable ? name.slice(UNRELIABLE.length) : name;
    const [space, module] = isOwn ? placeOfFile(file) : foreignPlace(file);
    // Functions without a source file have that of their mapping. Others' file names have paths of the build machine.
    const sourceFile = isOwn && space === 'kernel' && source !== file ? source : '';
    const symbol = this.#builder.census.symbols.intern(raw, module, space, sourceFile);
    return { symbol, offset: Number.isInteger(offset) && offset <= 0x7fffffff ? offset : -1, unreliable };
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

/** Others call the task what they like, and their time is none of ours. */
function foreignKey(labels: ReadonlyMap<string, string | number>): Partial<CallKey> {
  const { bucket: _, comm, ...key } = keyOf(labels);
  return { ...key, comm: comm || String(labels.get('thread') ?? labels.get('process') ?? '') };
}

function integerOf(value: string | number | undefined): number {
  const number = Number(value ?? -1);
  return Number.isInteger(number) && number >= -1 && number <= 0x7fffffff ? number : -1;
}

/** Where other programs' mappings lie: perf and parca name the kernel and its modules in brackets. */
function foreignPlace(file: string): readonly [SymbolSpace, string] {
  if (file === '' || /(?:^|\/)vmlinux|^\[(?:guest\.)?kernel/.test(file)) return ['kernel', ''];
  if (/^\[(?:vdso|vsyscall|stack|heap|anon|unknown)/.test(file)) return ['user', file];
  const module = /^\[(.+)\]$/.exec(file)?.[1] ?? /([^/]+)\.ko(?:\.\w+)?$/.exec(file)?.[1]?.replaceAll('-', '_');
  return module === undefined ? ['user', file] : ['kernel', module];
}
