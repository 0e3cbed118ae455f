import type { KeyId } from '../../census/call-key.ts';
import { NO_TARGET, type TargetId } from '../../census/row-table.ts';
import type { Frame } from '../../census/stack-table.ts';
import type { SymbolSpace } from '../../census/symbol-table.ts';
import type { CensusBuilder, PeeledStack } from '../builder.ts';
import { ByteIntern, hashSample } from '../byte-intern.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { feedLines, SingleLines } from '../lines.ts';
import { lossFromText } from '../loss-text.ts';
import { type ByteStream, type FormatReader, MalformedInput, type ReaderOptions, type SniffResult } from '../reader.ts';
import { targetByFrame, targetInElement } from './target-element.ts';

const LINE = /^(.*\S)\s+(\d+(?:\.\d+)?)$/;
/** Two counts at the end, looked for in the last so many characters: the time must not grow with the square of the line. */
const TWO_COUNTS = /\s\d+(?:\.\d+)?\s+\d+(?:\.\d+)?$/;
const LONGEST_COUNTS = 80;

/** What the exporter writes besides stacks: `[lost];[not printed] 66` and, counting nothing, `[target];[vfs_write] 0`. */
const LOST = /^\[lost\];\[(.+)\]$/;
const TARGET = /^\[target\];\[(.+)\]$/;

/** A boundary between contexts, as kernel logs print them. */
const MARKER = /^<<?\/?[A-Z#][A-Z#0-9]*>>?$/;

/**
 * Folded stacks, as flame graph tools read and write them: one stack a line, frames joined by semicolons, outermost
 * first, then the count. The outermost element may be the process; kernel frames may end in `_[k]`.
 *
 *     db_bench;write;do_syscall_64_[k];ksys_write_[k] 12
 */
export const foldedReader: FormatReader = {
  name: 'folded',
  summary: 'folded stacks (a;b;c 12)',
  carries: ['targets', 'process', 'losses', 'offsets', 'modules', 'user frames', 'unreliable frames'],
  options: [{ name: 'leafFirst', flag: '--leaf-first', summary: 'folded stacks are written innermost frame first' }],

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    const text = head.toString('latin1');
    const lines = (isWhole ? text : text.slice(0, text.lastIndexOf('\n') + 1))
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '' && !line.startsWith('#'));
    const folded = lines.filter(
      (line) => LINE.test(line) && (line.includes(';') || /^[\w/.:-]+(_\[k\])? \d+$/.test(line)),
    );
    const hasStack = folded.some((line) => line.includes(';'));
    return folded.length > 0 && hasStack && folded.length >= lines.length * 0.6 ? 'yes' : 'no';
  },

  async read(
    bytes: ByteStream,
    builder: CensusBuilder,
    diagnostics: Diagnostics,
    options: ReaderOptions,
  ): Promise<void> {
    const parser = new FoldedParser(builder, diagnostics, options.leafFirst === true);
    await feedLines(bytes, parser, diagnostics);
    parser.finish();
  },
};

/** Stands for a process that is not known. */
const NOBODY = '-';

/** A stack with its process. */
interface FoldedStack {
  readonly stack: PeeledStack;
  readonly task: KeyId;
  /** What the line itself says; '' for none, null where it says nothing. */
  readonly target: string | null;
}

class FoldedParser extends SingleLines {
  readonly #builder: CensusBuilder;
  readonly #diagnostics: Diagnostics;
  readonly #leafFirst: boolean;
  readonly #texts = new ByteIntern();
  /** By text: the stack as printed. Read at the end, when it is known whether the file marks its kernel frames. */
  readonly #stacks: string[] = [];
  readonly #calls: number[] = [];
  #isAnnotated = false;

  constructor(builder: CensusBuilder, diagnostics: Diagnostics, leafFirst: boolean) {
    super();
    builder.loseEmptyStacksAs({ code: 'line-without-frame' });
    this.#builder = builder;
    this.#diagnostics = diagnostics;
    this.#leafFirst = leafFirst;
  }

  finish(): void {
    const stacks = this.#stacks.map((text) => this.#stack(text));
    if (stacks.some(({ target }) => target !== null)) this.#builder.keepTargetsApart();
    for (const [id, { stack, task, target }] of stacks.entries()) {
      const own = target === null ? this.#targetOf(stack) : this.#builder.targetId(target);
      this.#builder.add(stack, task, this.#calls[id] ?? 0, own);
    }
    this.#builder.inferTarget();
  }

  /** Of several targets that the file names, the one the stack begins with. */
  #targetOf({ innermost }: PeeledStack): TargetId {
    const { targets, symbols } = this.#builder.census;
    if (innermost === undefined) return NO_TARGET;
    return targetByFrame(targets, symbols.name(innermost), symbols.space(innermost)) as TargetId;
  }

  protected override readLine(buffer: Buffer, start: number, newline: number): void {
    const line = buffer.toString('utf8', start, newline).trim();
    // A process may be called #; comments are no stacks with a count.
    if (line === '' || (line.startsWith('#') && !(line.includes(';') && LINE.test(line)))) return;
    if (TWO_COUNTS.test(line.slice(-LONGEST_COUNTS)) && line.includes(';')) {
      throw new MalformedInput(
        `line ${this.line}: a differential folded file (two counts a line) compares two recordings; give the two files it was made from`,
      );
    }
    const parts = LINE.exec(line);
    // Some tools print fractions; calls come whole.
    const count = Math.round(Number(parts?.[2]));
    if (!parts || !Number.isSafeInteger(count)) {
      this.#diagnostics.skip(this.line, line, 'not "frames count"');
      return;
    }
    const text = parts[1] ?? '';
    const loss = LOST.exec(text)?.[1];
    if (loss !== undefined) {
      this.#isAnnotated = true;
      this.#builder.census.lose(lossFromText(loss), count);
      return;
    }
    const target = TARGET.exec(text)?.[1];
    if (target !== undefined && count === 0) {
      this.#isAnnotated = true;
      this.#builder.census.target(target);
      return;
    }
    const bytes = Buffer.from(text);
    const hash = hashSample(bytes, 0, bytes.length);
    let id = this.#texts.find(bytes, 0, bytes.length, hash);
    if (id < 0) {
      id = this.#texts.add(bytes, 0, bytes.length, hash);
      this.#stacks[id] = text;
      this.#isAnnotated ||= text.includes('_[k]');
    }
    this.#calls[id] = (this.#calls[id] ?? 0) + count;
  }

  #stack(text: string): FoldedStack {
    const { knowledge } = this.#builder;
    let names = text.split(';').filter((name) => name !== '');
    if (this.#leafFirst) names.reverse();
    const target = this.#targetTold(names.at(-1));
    if (target !== null) names.pop();
    let comm = '';
    const [root = '', next = ''] = names;
    if (this.#isAnnotated ? !root.endsWith('_[k]') : names.length > 1 && isProcess(root, next, knowledge)) {
      comm = root === NOBODY ? '' : root;
      names = names.slice(1);
    }
    // bcc separates the user part from the kernel part with a frame of dashes.
    const kernelFrom = names.findIndex(isDelimiter) + 1;
    const frames: Frame[] = [];
    for (const [i, name] of names.entries()) {
      if (isDelimiter(name)) continue;
      const isKernel = this.#isAnnotated ? name.endsWith('_[k]') : i >= kernelFrom && !/_\[[ij]\]$/.test(name);
      frames.push(this.#frame(name.replace(/_\[[kij]\]$/, ''), isKernel ? 'kernel' : 'user'));
    }
    return { stack: this.#builder.stack(frames.reverse()), task: this.#builder.task({ comm }), target };
  }

  /** Only where the file lists it: elements of other tools' stacks are frames. */
  #targetTold(element = ''): string | null {
    const name = this.#isAnnotated ? targetInElement(element) : null;
    const { targets } = this.#builder.census;
    return name !== null && targets.length > 0 && (name === '' || targets.includes(name)) ? name : null;
  }

  #frame(name: string, space: SymbolSpace): Frame {
    const { symbols } = this.#builder.census;
    if (MARKER.test(name)) return { symbol: symbols.intern(name, '', 'marker'), offset: -1 };
    const unreliable = name.startsWith('? ');
    const printed = /^(?:\? )?(.+?)(?:\+0x([0-9a-f]{1,7}))?(?: \[(\w+)\])?$/.exec(name);
    const symbol = symbols.intern(printed?.[1] || name || '[unknown]', printed?.[3] ?? '', space);
    return { symbol, offset: printed?.[2] ? Number.parseInt(printed[2], 16) : -1, unreliable };
  }
}

function isDelimiter(name: string): boolean {
  return name === '-' || name === '--';
}

/**
 * Whether the outermost element of an unmarked stack is a process name: it is no C identifier (`swapper/0`,
 * `kworker/0:1`), or the function behind it is one that paths begin with.
 */
function isProcess(root: string, next: string, knowledge: CensusBuilder['knowledge']): boolean {
  if (!/^[A-Za-z_][\w.]*$/.test(root)) return !/^\[|^0x|::|[()+]/.test(root);
  if (root.length > MAXIMUM_COMM) return false;
  if (knowledge.role(root)?.entry || knowledge.role(root)?.boundary) return false;
  return BEGINNINGS.test(next) || knowledge.role(next)?.boundary !== undefined;
}

/** The kernel keeps 15 bytes of a process' name. */
const MAXIMUM_COMM = 15;

/** Outermost functions of kernel stacks. */
const BEGINNINGS =
  /^(?:entry_SYSCALL|ret_from_fork|secondary_startup|start_secondary|do_syscall_64|asm_|x86_64_start_kernel|el0t?_|__libc_start|_start$|clone3?$|start_kernel)/;
