import { Profile } from 'pprof-format';
import type { Frame } from '../../census/stack-table.ts';
import type { SymbolSpace } from '../../census/symbol-table.ts';
import { messageOf } from '../../errors.ts';
import type { CensusBuilder } from '../builder.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { type ByteStream, MalformedInput, type SniffResult, type StackReader, TruncatedInput } from '../reader.ts';
import { CENSUS_COMMENT, type CensusComment, LABEL, parseCensusComment, placeOfFile, UNRELIABLE } from './encoding.ts';

/** The library holds a profile in memory as a whole. */
const MAXIMUM_SIZE = 512 << 20;

/** pprof profiles: the census files of this tool, from which everything comes back, and those of others. */
export const pprofReader: StackReader = {
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
    const column = own ? 0 : this.#valueColumn();
    let damaged = 0;
    for (const sample of this.#profile.sample) {
      const count = Number(sample.value[column] ?? 0);
      // A negative number, as in differences of profiles, comes out as a very large one.
      if (!(count >= 0 && Number.isSafeInteger(count))) {
        damaged += 1;
        continue;
      }
      const labels = this.#labels(sample.label);
      const lost = labels.get(LABEL.lost);
      if (lost !== undefined && own) {
        census.lose(String(lost), count);
        continue;
      }
      const frames = sample.locationId.flatMap((id) => this.#frames.get(String(id)) ?? []);
      if (frames.length === 0) {
        census.lose('sample without a stack', count);
        continue;
      }
      const text = (key: string) => String(labels.get(key) ?? '');
      const number = (key: string) => integerOf(labels.get(key));
      census.add(
        {
          stack: own ? census.stack(frames) : this.#builder.stack(frames).stack,
          target: this.#builder.targetId(text(LABEL.target)),
          comm: text(LABEL.comm) || text('thread') || text('process'),
          pid: number(LABEL.pid),
          cpu: number(LABEL.cpu),
          bucket: own ? number(LABEL.bucket) : -1,
          argument: text(LABEL.argument),
        },
        count,
      );
    }
    if (damaged > 0) this.#diagnostics.skip(0, `${damaged} samples`, 'a count that is no number of calls');
    if (!own) this.#builder.inferTarget();
  }

  #comment(): CensusComment | null {
    for (const index of this.#profile.comment) {
      const text = this.#text(index);
      if (!text.startsWith(CENSUS_COMMENT)) continue;
      const comment = parseCensusComment(text.slice(CENSUS_COMMENT.length));
      if (comment) return comment;
      this.#diagnostics.note('The facts of the census file are damaged; only its calls were read.');
    }
    return null;
  }

  /** Of several values per sample the one that counts. */
  #valueColumn(): number {
    const types = this.#profile.sampleType.map((type) => [this.#text(type.type), this.#text(type.unit)].join('/'));
    const calls = types.findIndex((type) => /^(?:calls|samples|events|contentions)\/count$/.test(type));
    const column = Math.max(0, calls);
    if (types.length > 1)
      this.#diagnostics.note(`Of the values ${types.join(', ')} the profile has, ${types[column]} was read.`);
    return column;
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
