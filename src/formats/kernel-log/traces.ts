import { type KeyId, NO_KEY } from '../../census/call-key.ts';
import { reportOf } from '../../census/instrumentation.ts';
import { NO_TARGET, type TargetId } from '../../census/row-table.ts';
import { enlarge, type Frame, NO_OFFSET, UNREAD_FRAME } from '../../census/stack-table.ts';
import type { SymbolId } from '../../census/symbol-table.ts';
import type { CensusBuilder, PeeledStack } from '../builder.ts';
import { ByteIntern, hashBytes } from '../byte-intern.ts';
import { LineTrie } from '../line-trie.ts';
import { type Meaning, type Task, UNRELATED } from './text.ts';

/** Lost calls: a trace was begun, and nothing of it can be read. */
export const WITHOUT_FRAMES = { code: 'trace-without-frames' } as const;

/**
 * The address of a rotate callback (`RB_DECLARE_CALLBACKS()`, include/linux/rbtree_augmented.h), which is an argument of
 * `__rb_insert_augmented()`. It is printed as the end of the padding before it.
 */
const CALLBACK = /^__pfx_(\w+_rotate)$/;
/** So many frames of the probed function and its trap lie before its registers. */
const BEFORE_REGISTERS = 2;

/** Lists of tasks refer to those before them. */
const MAXIMUM_TASKS = 4096;

/** What is known of a trace by its lines. */
interface ReadTrace {
  readonly stack: PeeledStack;
  readonly target: TargetId;
  /** The argument of a call that was probed, '' where it did not lie on the stack. */
  readonly argument: string;
  /** What its own frames say the kernel reported, '' where they do not. */
  readonly report: string;
}

/** No stack goes on beyond these, besides entries of tasks that the atlas knows. */
const OUTERMOST =
  /^(?:ret_from_fork|ret_fast_syscall|ret_from_kernel_thread|ret_to_user|secondary_startup|x86_64_start_|start_here|system_call$|el0t?_|0xf{16}$)/;

/**
 * Traces of a log as paths through a trie of its lines. A trace that was seen before costs one comparison per line;
 * its stack is made once.
 */
export class LogTraces {
  /** Texts of lines that mean something, with their newline. */
  readonly texts = new ByteIntern();
  readonly meanings: Meaning[] = [];
  readonly trie = new LineTrie();
  /** Stands for any line of a trace that cannot be read. */
  readonly unreadLine: number;
  readonly #builder: CensusBuilder;
  /** By node: the number of the trace that ends there plus one, 0 where none was read. */
  #numbers: Int32Array = new Int32Array(1 << 7);
  readonly #read: ReadTrace[] = [];
  /** By line: whether it is the outermost of any stack. */
  readonly #isOutermost: (boolean | undefined)[] = [];
  /** Traces of tasks that were looked at, by pid. */
  readonly #ofTask = new Map<number, number>();
  #hasReports = false;

  constructor(builder: CensusBuilder) {
    this.#builder = builder;
    builder.loseEmptyStacksAs(WITHOUT_FRAMES);
    // No line of a log is this one.
    const text = Buffer.from('\0unread\n');
    this.unreadLine = this.learn(text, 0, text.length, { kind: 'unread' });
  }

  /** Whether any trace was one of the kernel's reports, which are calls of nothing in particular. */
  get hasReports(): boolean {
    return this.#hasReports;
  }

  /** The line of this text, made if it is new. */
  learn(buffer: Buffer, from: number, end: number, meaning: Meaning): number {
    const hash = hashBytes(buffer, from, end);
    let line = this.texts.find(buffer, from, end, hash);
    if (line < 0) {
      line = this.texts.add(buffer, from, end, hash);
      this.meanings[line] = meaning;
    }
    return line;
  }

  meaning(line: number): Meaning {
    return this.meanings[line] ?? UNRELATED;
  }

  /** Whether nothing can follow the last line of a trace. */
  isComplete(node: number): boolean {
    const line = this.trie.lines[node] as number;
    let isLast = this.#isOutermost[line];
    if (isLast === undefined) {
      isLast = this.#endsStack(this.meaning(line));
      this.#isOutermost[line] = isLast;
    }
    return isLast;
  }

  #endsStack(meaning: Meaning): boolean {
    const last = meaning.kind === 'frames' ? meaning.frames.at(-1) : undefined;
    if (!last || last.unreliable) return false;
    const { census, knowledge } = this.#builder;
    const name = census.symbols.name(last.symbol);
    return OUTERMOST.test(name) || knowledge.role(name)?.boundary === 'task';
  }

  /** The trace with a line that cannot be read at its end. */
  unread(node: number): number {
    const isUnread = node > 0 && this.trie.lines[node] === this.unreadLine;
    return isUnread ? node : this.trie.child(node, this.unreadLine);
  }

  /** Registers as the beginning of a trace; those of an inlined function stand before those of its caller. */
  afterRegisters(before: number, line: number): number {
    const last = before > 0 ? this.meaning(this.trie.lines[before] as number) : UNRELATED;
    const isInlined = last.kind === 'rip' && last.frames.at(-1)?.inlined === true;
    return this.trie.child(isInlined ? before : 0, line);
  }

  /** Whether a function of arm32 prints stacks: it is the innermost of a trace. */
  isUnwinder(callee: SymbolId): boolean {
    return /^(?:dump|unwind)_backtrace$/.test(this.#builder.census.symbols.name(callee));
  }

  /** Books the trace that ends at a node. `report` is what was announced, '' where nothing was. */
  count(node: number, task: Task | null, report: string): void {
    const number = this.#numbers[node] ?? 0;
    const read = number > 0 ? (this.#read[number - 1] as ReadTrace) : this.#resolve(node);
    const kind = report || read.report;
    if (task?.isLookedAt) this.#remember(task.columns.pid ?? -1, node);
    let key: KeyId = task?.key ?? NO_KEY;
    if (kind !== '') this.#hasReports = true;
    if (kind !== '' || read.argument !== '') {
      key = this.#builder.task({ ...task?.columns, report: kind, argument: read.argument });
    }
    this.#builder.add(read.stack, key, 1, read.target);
  }

  #remember(pid: number, node: number): void {
    if (this.#ofTask.size >= MAXIMUM_TASKS) this.#ofTask.clear();
    this.#ofTask.set(pid, node);
  }

  /** The trace of a task that was looked at before; 0 where there is none. */
  sameAs(pid: number): number {
    return this.#ofTask.get(pid) ?? 0;
  }

  /** The frames of a trace, innermost first, as they were printed. */
  frames(node: number): Frame[] {
    const meanings = this.trie.path(node).map((line) => this.meaning(line));
    const frames: Frame[] = [];
    const { symbols } = this.#builder.census;
    for (const meaning of meanings) {
      if (meaning.kind === 'unread') {
        frames.push({ symbol: symbols.intern(UNREAD_FRAME), offset: NO_OFFSET, unreliable: true });
      } else if ('frames' in meaning) {
        if (meaning.kind === 'frames' && meaning.callee !== null) this.#addCallee(frames, meaning.callee);
        for (const frame of meaning.frames) frames.push(frame);
      }
    }
    return meanings[0]?.kind === 'rip' ? this.#fromRegisters(frames, meanings) : frames;
  }

  /** What a frame of arm32 called, unless the line before has it. */
  #addCallee(frames: Frame[], callee: SymbolId): void {
    const { symbols } = this.#builder.census;
    const last = frames.at(-1);
    if (last && symbols.name(last.symbol) === symbols.name(callee)) return;
    frames.push({ symbol: callee, offset: NO_OFFSET });
  }

  /**
   * A trace that begins with saved registers goes on where these were saved: doubted frames and markers up to there are
   * of the interrupt that saved them.
   */
  #fromRegisters(frames: readonly Frame[], meanings: readonly Meaning[]): Frame[] {
    const { symbols } = this.#builder.census;
    const isMarker = ({ symbol }: Frame) => symbols.space(symbol) === 'marker';
    const registers = meanings.reduce((sum, one) => sum + (one.kind === 'rip' ? one.frames.length : 0), 0);
    const sure = frames.findIndex((frame, i) => i >= registers && !frame.unreliable && !isMarker(frame));
    return frames.filter((frame, i) => i >= sure || !isMarker(frame));
  }

  #resolve(node: number): ReadTrace {
    const { census, knowledge } = this.#builder;
    const frames = this.frames(node);
    const { symbols } = census;
    const isRead = frames.some(
      ({ symbol }) => symbols.space(symbol) === 'kernel' && symbols.name(symbol) !== UNREAD_FRAME,
    );
    const stack = this.#builder.stack(isRead ? frames : [], true);
    const peeled = stack.peeled?.symbols ?? [];
    const isProbe = peeled.some((symbol) => knowledge.role(symbols.name(symbol))?.instrumentation === 'handler');
    const read: ReadTrace = {
      stack,
      target: isProbe ? this.#probed(stack) : NO_TARGET,
      argument: isProbe ? this.#callback(node, peeled.length + BEFORE_REGISTERS) : '',
      report: isProbe ? '' : reportOf(peeled, symbols, knowledge),
    };
    if (node >= this.#numbers.length) this.#numbers = enlarge(this.#numbers, 2 * node);
    this.#numbers[node] = this.#read.push(read);
    return read;
  }

  /** The callback to which an address among the first frames of a trace points. */
  #callback(node: number, frames: number): string {
    let seen = 0;
    for (const line of this.trie.path(node)) {
      const meaning = this.meaning(line);
      if (!('frames' in meaning)) continue;
      const name = meaning.kind === 'frames' ? CALLBACK.exec(meaning.pointer)?.[1] : undefined;
      if (name !== undefined) return name;
      seen += meaning.frames.length;
      if (seen > frames) break;
    }
    return '';
  }

  /**
   * A probe's handler called dump_stack: the innermost frame left is the function that was probed. A doubted one only
   * where all are, behind a trampoline without unwind data.
   */
  #probed({ stack, innermost }: PeeledStack): TargetId {
    const { stacks, symbols } = this.#builder.census;
    if (innermost === undefined) return NO_TARGET;
    const prefixes = stacks.prefixes(stack);
    const [first] = prefixes;
    const isSure = first !== undefined && !stacks.isUnreliable(first);
    const isAny = prefixes.some((at) => !stacks.isUnreliable(at) && symbols.space(stacks.symbol(at)) === 'kernel');
    if (!isSure && isAny) return NO_TARGET;
    this.#builder.keepTargetsApart();
    return this.#builder.targetId(symbols.name(innermost));
  }
}
