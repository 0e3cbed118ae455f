import type { KeyId } from '../../census/call-key.ts';
import { NO_TARGET, type TargetId } from '../../census/row-table.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { SymbolId } from '../../census/symbol-table.ts';
import type { CensusBuilder, PeeledStack } from '../builder.ts';
import { type Period, periodOf, targetName } from './event.ts';
import { type PerfFrame, parseComment, parseRecord } from './grammar.ts';

/** An event as its name tells it, and what was seen of it. */
export interface KnownEvent {
  readonly name: string;
  readonly period: Period;
  isUsed: boolean;
  /** A period was printed with it. */
  hasPeriod: boolean;
  /** The target of its last sample, and the innermost frame it was found by: mostly the next one's too. */
  innermost: SymbolId | undefined;
  target: TargetId;
}

/** A sample without its stack. */
export interface Sample {
  readonly task: KeyId;
  readonly event: KnownEvent;
  readonly calls: number;
  /** What stands behind the event: its own format, or the one frame of a recording without call chains. */
  readonly rest: string;
}

/** Books the samples of a `perf script` as calls. */
export class SampleBooks {
  readonly #builder: CensusBuilder;
  readonly #events = new Map<string, KnownEvent>();
  #withoutStack = 0;
  #hasStacks = false;

  constructor(builder: CensusBuilder) {
    this.#builder = builder;
  }

  /** The event of a name, '' where none is printed. */
  event(name: string): KnownEvent {
    let event = this.#events.get(name);
    if (!event) {
      const unseen = { isUsed: false, hasPeriod: false, innermost: undefined, target: NO_TARGET };
      event = { name, period: periodOf(name), ...unseen };
      this.#events.set(name, event);
    }
    return event;
  }

  /** A sample of an event; `period` is -1 where it is not printed. */
  sample(task: KeyId, event: KnownEvent, period: number, rest: string): Sample {
    event.isUsed = true;
    if (period < 0) return { task, event, calls: 1, rest };
    event.hasPeriod = true;
    const counts = event.period !== 'time or work' && Number.isSafeInteger(period);
    return { task, event, calls: counts ? Math.max(1, period) : 1, rest };
  }

  /** Counts a sample with its stack. */
  add(stack: PeeledStack, { task, event, calls }: Sample): void {
    const { innermost } = stack;
    if (innermost !== undefined && innermost !== event.innermost) {
      const { census } = this.#builder;
      event.innermost = innermost;
      event.target = census.target(targetName(event.name, census.symbols.name(innermost)));
    }
    if (innermost !== undefined) this.#hasStacks = true;
    this.#builder.add(stack, task, calls, innermost === undefined ? NO_TARGET : event.target);
  }

  /** Counts a sample that has none. */
  addWithoutStack({ calls }: Sample): void {
    this.#withoutStack += calls;
  }

  /** Interns a frame. The line was read as latin1; names are UTF-8. */
  frame({ raw, module, space, offset }: PerfFrame): Frame {
    return { symbol: this.#builder.census.symbols.intern(utf8(raw), utf8(module), space), offset };
  }

  /** `PERF_RECORD_LOST lost 12` and other records that are no samples; false for any other text. */
  record(text: string): boolean {
    const record = parseRecord(text);
    if (record && record.lost > 0) this.#builder.census.lose({ code: 'ring-buffer-full' }, record.lost);
    return record !== null;
  }

  /** Comments say what was recorded where. */
  comment(line: string): void {
    const { facts } = this.#builder.census;
    const { key, value } = parseComment(line) ?? {};
    if (key === undefined || value === undefined) return;
    if (key === 'os release' && !facts.kernels.includes(value)) facts.kernels.push(value);
    if (key === 'nrcpus online') facts.cpus = /^\d{1,6}$/.test(value) ? Number(value) || null : null;
    if (key === 'cmdline') facts.commands.push(value.split(/\s+/));
    const architecture = key === 'arch' ? architectureOf(value) : undefined;
    if (architecture !== undefined && !facts.architectures.includes(architecture)) {
      facts.architectures.push(architecture);
    }
  }

  finish(): void {
    const { census } = this.#builder;
    census.lose({ code: 'sample-without-stack' }, this.#withoutStack);
    if (!this.#hasStacks && this.#withoutStack > 0) census.note({ code: 'no-sample-has-stack' });
    const used = [...this.#events.values()].filter(
      ({ name, isUsed, hasPeriod }) => isUsed && (name !== '' || hasPeriod),
    );
    const sampled = used.filter(({ period }) => period === 'time or work');
    if (sampled.length > 0) census.note({ code: 'samples-counted', events: names(sampled) });
    const unsaid = used.filter(({ period, hasPeriod }) => period === 'varying calls' && !hasPeriod);
    if (unsaid.length > 0) census.note({ code: 'period-not-printed', events: names(unsaid) });
  }
}

/** More are not told. */
const MOST_NAMED = 20;

function names(events: readonly KnownEvent[]): string[] {
  return events.map(({ name }) => targetName(name, '')).slice(0, MOST_NAMED);
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'x86-64', aarch64: 'arm64' };

/** An architecture by what `uname -m` calls it; undefined for one that is not known. */
export function architectureOf(machine: string): string | undefined {
  return Object.hasOwn(ARCHITECTURES, machine) ? ARCHITECTURES[machine] : undefined;
}

function utf8(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}
