import type { CallKey } from '../../census/call-key.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { CensusBuilder } from '../builder.ts';
import { CountedStacks, type Sum } from '../counted-stacks.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { internFrame } from '../kernel-log/frame.ts';
import { feedLines, isBinary, SingleLines } from '../lines.ts';
import { type ByteStream, type FormatReader, MalformedInput, type SniffResult } from '../reader.ts';
import {
  HIST_FRAMES,
  type HistEntry,
  type HistListener,
  HistText,
  type HistTotals,
  type HistTrigger,
  taskIn,
} from './text.ts';

const SIGNS =
  /^[ \t]*(?:# (?:event histogram\r?$|trigger info: hist:)|\{ (?:[^\n]{0,500}, )?(?:\w{1,64}\.)?(?:common_)?stacktrace(?::|[ \t]))/m;

/** Histograms of the kernel by stack: `cat /sys/kernel/tracing/events/SYSTEM/EVENT/hist`, several after each other too. */
export const histReader: FormatReader = {
  name: 'hist',
  summary: "the kernel's hist triggers with stacktrace keys (tracefs' hist files)",
  carries: ['targets', 'process', 'pid', 'CPU', 'argument', 'measures', 'losses', 'offsets', 'modules'],

  sniff(head: Buffer): SniffResult {
    return !isBinary(head) && SIGNS.test(head.toString('latin1')) ? 'yes' : 'no';
  },

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const parser = new HistParser(builder, diagnostics);
    await feedLines(bytes, parser, diagnostics);
    parser.finish();
  },
};

class HistParser extends SingleLines implements HistListener {
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #text = new HistText(this);
  readonly #stacks: CountedStacks;
  readonly #names = new Set<string>();
  #trigger: HistTrigger | null = null;
  /** The histogram was shown before, by another event. */
  #isShownAgain = false;
  #histograms = 0;
  /** Hits in entries of the histogram. */
  #sum = 0;
  #withoutStack = 0;
  #withoutCount = 0;
  #callerOnly = 0;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics) {
    super();
    builder.loseEmptyStacksAs({ code: 'hist-without-stack' });
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    this.#stacks = new CountedStacks(builder);
  }

  protected override readLine(buffer: Buffer, start: number, newline: number): void {
    this.#text.line(buffer.toString('latin1', start, newline).trimEnd());
  }

  finish(): void {
    this.#text.end();
    const { census } = this.#builder;
    if (census.attributed === 0 && this.#withoutStack > 0) throw new MalformedInput(NO_STACKS);
    if (census.attributed === 0 && this.#withoutCount > 0) throw new MalformedInput(NO_COUNTS);
    if (this.#histograms > 1) census.note({ code: 'several-histograms', histograms: this.#histograms });
    if (this.#callerOnly > 0) census.note({ code: 'caller-only', calls: this.#callerOnly });
  }

  trigger(trigger: HistTrigger): void {
    this.#trigger = trigger;
    this.#sum = 0;
    this.#isShownAgain = trigger.name !== '' && this.#names.has(trigger.name);
    if (this.#isShownAgain) this.#builder.census.note({ code: 'histogram-shown-again', name: trigger.name });
    else this.#histograms += 1;
    this.#names.add(trigger.name);
  }

  entry({ frames: printed, keys, values }: HistEntry): void {
    if (this.#isShownAgain) return;
    const hits = values.find(([name]) => name === 'hitcount')?.[1];
    if (hits === undefined || !Number.isSafeInteger(hits)) {
      this.#withoutCount += 1;
      this.#diagnostics.skip(this.line, keys.map((key) => key.join(': ')).join(', '), 'an entry without a hitcount');
      return;
    }
    this.#sum += hits;
    const frames = printed?.map((frame) => internFrame(this.#builder.census.symbols, frame)) ?? this.#callSite(keys);
    if (frames === null) {
      this.#withoutStack += hits;
      return;
    }
    if (printed === null) this.#callerOnly += hits;
    else if (printed.length === HIST_FRAMES) this.#builder.census.note({ code: 'hist-depth', frames: HIST_FRAMES });
    const sums = values
      .filter(([name]) => name !== 'hitcount')
      .map(([name, value]): Sum => [this.#measure(name), value]);
    this.#stacks.add(frames, keyOf(keys), hits, sums);
  }

  totals({ hits, dropped }: HistTotals): void {
    if (this.#isShownAgain) return;
    const { census } = this.#builder;
    this.#stacks.book();
    const size = this.#trigger?.size ?? 0;
    census.lose({ code: 'hist-full', ...(size > 0 && { size }) }, dropped);
    if (this.#withoutStack > 0 && census.attributed === 0) return;
    if (hits > this.#sum) census.lose({ code: 'hist-without-stack' }, hits - this.#sum);
    else if (hits >= 0 && hits < this.#sum) census.note({ code: 'total-ignored', stated: hits, counted: this.#sum });
  }

  unread(line: string, why: string): void {
    this.#diagnostics.skip(this.line, line, why);
  }

  #measure(name: string): number {
    return this.#builder.census.measure({ name, unit: name.includes('bytes') ? 'bytes' : '', of: 'histogram' });
  }

  /** A key that is printed as a function (`.sym`) tells the caller, where there is no stack: `call_site: [ffffffffa0] f`. */
  #callSite(keys: HistEntry['keys']): Frame[] | null {
    for (const [, value] of keys) {
      const [, raw, offset, module = ''] =
        /^\[[0-9a-f]+\] ([^\s+]+)(?:\+0x([0-9a-f]{1,7})\/\S+)?(?:\s+\[([\w-]+)\])?$/.exec(value) ?? [];
      if (raw === undefined) continue;
      const symbol = this.#builder.census.symbols.intern(raw, module);
      return [{ symbol, offset: offset === undefined ? -1 : Number.parseInt(offset, 16) }];
    }
    return null;
  }
}

const NO_STACKS =
  'none of its histograms has a stack among its keys; hist:keys=common_stacktrace counts by stack (before 6.3: hist:keys=stacktrace)';
const NO_COUNTS = 'its histograms show percentages or no hitcount; leave .percent, .graph and nohitcount out';

/** Keys that the census knows; others are the recorded argument. */
function keyOf(keys: HistEntry['keys']): Partial<CallKey> {
  let task: Partial<CallKey> = {};
  const others: string[] = [];
  for (const [name, value] of keys) {
    const { comm, pid } = taskIn(value);
    if (name === 'common_pid' && pid >= 0) task = { ...task, pid, ...(comm !== '' && { comm: utf8(comm) }) };
    else if (name === 'common_cpu' && pid >= 0) task = { ...task, cpu: pid };
    else others.push(`${name} ${utf8(value)}`);
  }
  return others.length === 0 ? task : { ...task, argument: others.join(', ') };
}

function utf8(latin1: string): string {
  return /[\x80-\xff]/.test(latin1) ? Buffer.from(latin1, 'latin1').toString('utf8') : latin1;
}
