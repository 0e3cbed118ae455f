import { NO_KEY } from '../../census/call-key.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { Workload } from '../../census/workload.ts';
import type { CensusBuilder } from '../builder.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { endsContext, internFrame, parseMarker, parsePrintedFrame } from '../kernel-log/frame.ts';
import { splitLogLine } from '../kernel-log/line.ts';
import { feedLines, SingleLines } from '../lines.ts';
import type { ByteStream, FormatReader, SniffResult } from '../reader.ts';

const TOTAL = /^\s*Total\s+(\S+?)\s*:\s*(\d{1,15})\s*$/;
const TRACE = /^\s*Trace\s*(\d+)(?:\s{1,20}:|:)?\s+(\d{1,15})\s*$/;

/**
 * Call traces sorted and counted by hand, in the form of the founding case: facts about the workload, the total,
 * then for every distinct trace its number and count, its stack as the kernel printed it, and free text about it.
 *
 *     Total rbinsert: 1203418
 *     Trace1 614697
 *     119[   54.901272]  enqueue_task_fair+0x586/0x1300
 */
export const countedTracesReader: FormatReader = {
  name: 'counted-traces',
  summary: 'call traces counted by hand (Total NAME: N, then TraceK N and a stack)',
  carries: ['targets', 'losses', 'offsets', 'modules', 'unreliable frames'],

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    const lines = head.toString('latin1').split(/\r?\n/);
    if (lines.some((line) => TRACE.test(line))) return 'yes';
    return !isWhole && lines.some((line) => TOTAL.test(line)) ? 'more' : 'no';
  },

  async read(bytes: ByteStream, builder: CensusBuilder, diagnostics: Diagnostics): Promise<void> {
    const parser = new CountedTracesParser(builder, diagnostics);
    await feedLines(bytes, parser, diagnostics);
    parser.finish();
  },
};

class CountedTracesParser extends SingleLines {
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #facts: [key: string, value: string | number][] = [];
  #program = '';
  /** The count of the trace being read; 0 before the first. */
  #calls = 0;
  #traceLine = 0;
  #frames: Frame[] = [];
  /** Free text follows the stack of a trace. */
  #isInText = false;
  #hasTotal = false;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics) {
    super();
    builder.loseEmptyStacksAs({ code: 'trace-without-frames' });
    this.#builder = builder;
    this.#diagnostics = diagnostics;
  }

  finish(): void {
    this.#close();
    const { facts } = this.#builder.census;
    if (this.#program !== '' || this.#facts.length > 0) {
      const name = this.#program.split('/').at(-1) || 'unknown';
      const workload: Workload = { ...Object.fromEntries(this.#facts), name };
      facts.workloads.push(workload);
      if (this.#program !== '') facts.commands.push(this.#program.split(/\s+/));
    }
  }

  protected override readLine(buffer: Buffer, start: number, newline: number): void {
    this.#read(buffer.toString('utf8', start, newline).replace(/\r$/, ''));
  }

  #read(line: string): void {
    const total = TOTAL.exec(line);
    if (total) {
      this.#close();
      this.#hasTotal = true;
      this.#builder.declareTotal(total[1] ?? '', Number(total[2]), { code: 'not-listed' });
      return;
    }
    const trace = TRACE.exec(line);
    if (trace) {
      this.#close();
      this.#calls = Number(trace[2]);
      this.#traceLine = this.line;
      return;
    }
    if (this.#calls === 0) {
      if (!this.#hasTotal) this.#head(line);
      return;
    }
    this.#inTrace(line);
  }

  /** `./db_bench` and `- Keys:  16B each`: what ran, and with what. */
  #head(line: string): void {
    const fact = /^(?:-\s*)?([A-Za-z][\w /]*):\s*(\S.*)$/.exec(line.trim());
    if (fact) {
      const [, key = '', value = ''] = fact;
      this.#facts.push([camelCase(key.trimEnd()), /^\d+$/.test(value) ? Number(value) : value]);
    } else if (this.#program === '' && /^\s*\S/.test(line)) this.#program = line.trim();
  }

  #inTrace(line: string): void {
    if (line.trim() === '') {
      if (this.#frames.length > 0) this.#isInText = true;
      return;
    }
    let text = line.slice(splitLogLine(line).text);
    const { symbols } = this.#builder.census;
    const marker = parseMarker(text);
    if (marker && !this.#isInText) {
      if (endsContext(marker.marker)) {
        this.#frames.push({ symbol: symbols.intern(marker.marker, '', 'marker'), offset: -1 });
      }
      if (marker.rest === '') return;
      text = marker.rest;
    }
    const frame = parsePrintedFrame(text);
    if (!frame) {
      if (this.#frames.length > 0) this.#isInText = true;
      return;
    }
    if (this.#isInText) {
      this.#diagnostics.skip(this.line, line, 'a frame after the end of its trace');
      return;
    }
    if (!frame.isPointer) this.#frames.push(internFrame(symbols, frame));
  }

  #close(): void {
    if (this.#calls === 0) return;
    if (this.#frames.length === 0) {
      this.#diagnostics.skip(this.#traceLine, `Trace … ${this.#calls}`, 'no frame follows');
    }
    this.#builder.call(this.#frames, NO_KEY, this.#calls);
    this.#calls = 0;
    this.#frames = [];
    this.#isInText = false;
  }
}

/** `CPU cache` is `cpuCache`, `Raw size` is `rawSize`. */
function camelCase(words: string): string {
  return words
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word, i) => (i === 0 ? word.toLowerCase() : word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()))
    .join('');
}
