import { NO_TARGET } from '../../census/row-table.ts';
import type { Frame } from '../../census/stack-table.ts';
import { NO_OFFSET } from '../../census/stack-table.ts';
import type { CensusBuilder } from '../builder.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { lossFromText } from '../loss-text.ts';
import { originOf } from '../origin.ts';
import { type ByteStream, type FormatReader, MalformedInput, type SniffResult, TruncatedInput } from '../reader.ts';
import { wholeText } from '../whole-text.ts';
import {
  DOUBTED,
  type EventedProfile,
  KERNEL_FILE,
  LOST_PROFILE,
  PROCESS_PREFIX,
  type SampledProfile,
  type SpeedscopeFrame,
} from './file.ts';

/** Deeper stacks are damage. */
const DEEPEST = 65_536;

/** Profiles in the format of speedscope, of whatever tool. */
export const speedscopeReader: FormatReader = {
  name: 'speedscope',
  summary: 'profiles of speedscope, sampled or as events (JSON)',
  carries: ['targets', 'process', 'measures', 'losses', 'modules', 'user frames', 'source lines', 'unreliable frames'],

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    const text = head.toString('latin1');
    if (!/^\s*\{/.test(text)) return text.trim() === '' && !isWhole ? 'more' : 'no';
    if (text.includes('speedscope.app/file-format-schema.json')) return 'yes';
    // The schema may stand at the end.
    return /"shared"\s*:|"profiles"\s*:/.test(text) && !isWhole ? 'more' : 'no';
  },

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const text = await wholeText(bytes);
    let file: unknown;
    try {
      file = JSON.parse(text);
    } catch (error) {
      throw new TruncatedInput('the JSON is damaged or ends too early', { cause: error });
    }
    const { shared, profiles, exporter } = isObject(file) ? file : {};
    const frames = isObject(shared) && Array.isArray(shared.frames) ? shared.frames : null;
    if (frames === null || !Array.isArray(profiles)) throw new MalformedInput('has no frames or no profiles');
    const isOwn = typeof exporter === 'string' && exporter.startsWith('whocalls ');
    new SpeedscopeBooks(frames, builder, diagnostics, isOwn).add(profiles);
  },
};

class SpeedscopeBooks {
  readonly #frames: readonly unknown[];
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #isOwn: boolean;
  #unread = 0;

  constructor(frames: readonly unknown[], builder: CensusBuilder, diagnostics: Diagnostics, isOwn: boolean) {
    this.#frames = frames;
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    this.#isOwn = isOwn;
  }

  add(profiles: readonly unknown[]): void {
    if (this.#isOwn) this.#builder.keepTargetsApart();
    for (const profile of profiles) {
      if (isSampled(profile)) this.#addSampled(profile);
      else if (isEvented(profile)) this.#addEvented(profile);
      else this.#unread++;
    }
    if (this.#unread > 0) this.#diagnostics.skip(0, '', `${this.#unread} samples or profiles could not be read`);
    if (!this.#isOwn) this.#builder.inferTarget();
  }

  #addSampled({ name, unit, samples, weights }: SampledProfile): void {
    // Weights without a unit are numbers of samples; time and bytes are added up beside them.
    const isCount = unit === 'none';
    for (const [i, sample] of samples.entries()) {
      const weight = weights[i] ?? (isCount ? 1 : 0);
      if (!Array.isArray(sample) || sample.length > DEEPEST || !Number.isFinite(weight) || weight < 0) this.#unread++;
      else this.#addStack(name ?? '', sample, isCount ? Math.round(weight) : 1, isCount ? 0 : weight, unit);
    }
  }

  /** Between two events lies a stretch of one stack. */
  #addEvented({ name, unit, events }: EventedProfile): void {
    const open: number[] = [];
    let since = Number.NaN;
    for (const event of events) {
      if (!isObject(event) || typeof event.at !== 'number' || typeof event.frame !== 'number') {
        this.#unread++;
        continue;
      }
      const passed = event.at - since;
      if (open.length > 0 && passed > 0) this.#addStack(name ?? '', open, 1, passed, unit);
      since = event.at;
      if (event.type === 'O' && open.length < DEEPEST) open.push(event.frame);
      else if (event.type === 'C' && open.at(-1) === event.frame) open.pop();
      else this.#unread++;
    }
  }

  /** @param sample outermost first */
  #addStack(profile: string, sample: readonly unknown[], count: number, sum: number, unit: string): void {
    const { census } = this.#builder;
    if (count === 0) return;
    if (this.#isOwn && profile === LOST_PROFILE) {
      const cause = this.#described(sample[0])?.name ?? '';
      if (cause === '') this.#unread++;
      else census.lose(lossFromText(cause), count);
      return;
    }
    const described = sample.map((index) => this.#described(index));
    const first = described[0]?.name ?? '';
    const comm = first.startsWith(PROCESS_PREFIX) ? first.slice(PROCESS_PREFIX.length) : '';
    const frames = (comm === '' ? described : described.slice(1)).reverse().map((frame) => this.#frame(frame));
    const task = this.#builder.task({ comm });
    const target = this.#isOwn ? this.#builder.targetId(profile) : NO_TARGET;
    const row =
      this.#isOwn && frames.length > 0
        ? census.addCalls(census.stack(frames), target, task, count)
        : this.#builder.call(frames, task, count, target);
    if (sum <= 0 || row < 0 || unit === 'none') return;
    const measure = census.measure({ name: unit === 'bytes' ? 'bytes' : 'time', unit, of: 'profile' });
    census.rows.addSum(row, measure, Math.round(sum));
  }

  #described(index: unknown): SpeedscopeFrame | null {
    const frame = typeof index === 'number' ? this.#frames[index] : undefined;
    return isObject(frame) && typeof frame.name === 'string' && frame.name !== ''
      ? (frame as unknown as SpeedscopeFrame)
      : null;
  }

  #frame(described: SpeedscopeFrame | null): Frame {
    const { symbols } = this.#builder.census;
    if (!described) return { symbol: symbols.intern('[unknown]'), offset: NO_OFFSET };
    const { name, file, line } = described;
    const unreliable = this.#isOwn && name.startsWith(DOUBTED);
    const raw = (unreliable ? name.slice(DOUBTED.length) : name) || '[unknown]';
    const place = typeof file === 'string' ? file : '';
    const { space, module } = this.#isOwn ? ownOrigin(place) : foreignOrigin(place, raw);
    const isKernelName = !this.#isOwn && /_\[k\]$/.test(raw);
    const symbol = symbols.intern(
      isKernelName ? raw.replace(/_\[k\]$/, '') : raw,
      isKernelName ? '' : module,
      isKernelName ? 'kernel' : space,
      '',
      this.#isOwn && typeof line === 'number' && line > 0 ? line : 0,
    );
    return { symbol, offset: NO_OFFSET, unreliable };
  }
}

function ownOrigin(file: string): { space: 'kernel' | 'user'; module: string } {
  if (file === KERNEL_FILE) return { space: 'kernel', module: '' };
  const module = /^\[(.*)\]$/.exec(file)?.[1];
  return module === undefined ? { space: 'user', module: file } : { space: 'kernel', module };
}

/** perf's and others' files of the kernel are known; without any file a name may be a function of the kernel. */
function foreignOrigin(file: string, name: string): { space: 'kernel' | 'user'; module: string } {
  const module = / \(\[?([\w.-]+)\]?\)$/.exec(name)?.[1] ?? '';
  const { space, module: own } = originOf(file || (module === '' ? '' : `[${module}]`));
  return { space: space === 'marker' ? 'kernel' : space, module: own };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isSampled(profile: unknown): profile is SampledProfile {
  const { type, name, samples, weights } = isObject(profile) ? profile : {};
  return (
    type === 'sampled' &&
    (name === undefined || typeof name === 'string') &&
    Array.isArray(samples) &&
    Array.isArray(weights)
  );
}

function isEvented(profile: unknown): profile is EventedProfile {
  const { type, name, events } = isObject(profile) ? profile : {};
  return type === 'evented' && (name === undefined || typeof name === 'string') && Array.isArray(events);
}
