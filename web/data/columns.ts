// The calls of a census, as the page holds them. docs/page-data.md describes the form they come in.
import { DamagedData } from './damaged.ts';

/** Bits of {@link Nodes.flags}. */
export const NODE = {
  /** A context ends before this node: it is the first that was interrupted, or of the program that made the call. */
  border: 1,
  /** What an inner context happened to interrupt: no cause of the call. */
  interrupted: 2,
  /** The compiler put the function into its caller. */
  inlined: 4,
} as const;

/** Bits of {@link Symbols.flags}. */
export const SYMBOL = { helper: 1, entry: 2, target: 4, user: 8 } as const;

/**
 * Kinds of contexts, by number in {@link Symbols.boundaries}.
 *
 * @public
 */
export const CONTEXTS = ['', 'task', 'softirq', 'hardirq', 'exception', 'nmi'] as const;

/**
 * Values of {@link Rows.doubt}.
 *
 * @public
 */
export const DOUBT = { none: 0, doubted: 1, partial: 2 } as const;

/** How sure something is, by number. */
export const CONFIDENCES = ['certain', 'likely', 'unknown'] as const;

/** The tree of callers in preorder: node 0 stands for all calls, targets are its children, callers theirs. */
export interface Nodes {
  readonly count: number;
  /** -1 for node 0; else below the node's own number. */
  readonly parent: Int32Array;
  readonly symbol: Uint32Array;
  readonly flags: Uint8Array;
}

/** What is known of functions, by number; 0 is that of node 0. */
export interface Symbols {
  readonly count: number;
  readonly names: readonly string[];
  /** What a function does, in words that continue "it …"; '' where unknown. */
  readonly glosses: readonly string[];
  /** '' for the kernel image; of a user function its program or library. */
  readonly module: (symbol: number) => string;
  /** Source file, '' where unknown. */
  readonly file: (symbol: number) => string;
  /** 0 where unknown. */
  readonly line: (symbol: number) => number;
  /** '' where unknown. */
  readonly subsystem: (symbol: number) => string;
  /** Into {@link PageData.families}. */
  readonly family: Uint8Array;
  readonly flags: Uint8Array;
  /** Into {@link CONTEXTS}: of which context the function is the outermost. */
  readonly boundary: Uint8Array;
}

/** One thing calls are told apart by. */
export interface Dimension {
  readonly name: string;
  readonly summary: string;
  /** Every value and, for those that are not known, what is printed instead. */
  readonly values: readonly string[];
  /** By value: whether it stands for one that is not known. */
  readonly isUnknown: readonly boolean[];
  /** By value: the id of a subject or tree, '' where there is none. */
  readonly ids: readonly string[] | null;
  /** By value: the kind of an entry. */
  readonly kinds: readonly string[] | null;
  /** Number of the value, by row. */
  readonly of: Uint32Array;
}

/** Calls that have everything in common; sorted by node. */
export interface Rows {
  readonly count: number;
  /** Where the stack ends. */
  readonly node: Uint32Array;
  /** Which of the distinct stacks (by function and offset) it is. */
  readonly stack: Uint32Array;
  readonly calls: Float64Array;
  /** Sums of measures, in the order of {@link PageData.measures}. */
  readonly sums: readonly Float64Array[];
  /** How much the path can be trusted: {@link DOUBT}. */
  readonly doubt: Uint8Array;
  /** What happened: into {@link PageData.decisions}. */
  readonly decision: Uint32Array;
  /** How sure that is: {@link CONFIDENCES}. */
  readonly decisionConfidence: Uint8Array;
  /** How sure the subject is; `unknown` where there is none. */
  readonly subjectConfidence: Uint8Array;
  /** Number of the time bucket, -1 where unknown; null where the census has none. */
  readonly bucket: Int32Array | null;
}

export interface PageData {
  readonly targets: readonly string[];
  readonly total: number;
  readonly attributed: number;
  readonly bucketMilliseconds: number | null;
  readonly measures: readonly { readonly name: string; readonly unit: string; readonly of: string }[];
  readonly families: readonly string[];
  readonly nodes: Nodes;
  readonly symbols: Symbols;
  readonly rows: Rows;
  /** How many distinct stacks there are. */
  readonly stacks: number;
  readonly dimensions: readonly Dimension[];
  /** Clauses without a full stop. */
  readonly decisions: readonly string[];
}

interface Head {
  readonly form: number;
  readonly targets: readonly string[];
  readonly total: number;
  readonly attributed: number;
  readonly bucketMilliseconds: number | null;
  readonly measures: PageData['measures'];
  readonly nodes: number;
  readonly symbols: number;
  readonly rows: number;
  readonly classes: number;
  readonly stacks: number;
  readonly families: readonly string[];
  readonly dimensions: readonly {
    readonly name: string;
    readonly summary: string;
    readonly values: readonly string[];
    readonly unknown: readonly number[];
    readonly ids?: readonly string[];
    readonly kinds?: readonly string[];
  }[];
  readonly decisions: readonly string[];
  readonly texts: readonly string[];
  readonly names: readonly string[];
  readonly glosses: readonly string[];
  readonly columns: readonly { readonly name: string; readonly kind: string; readonly bytes: number }[];
}

const FORM = 1;

/**
 * Reads unpacked columns.
 *
 * @throws {DamagedData} they are of another form, or do not add up
 */
export function readColumns(bytes: Uint8Array): PageData {
  const columns = new ColumnReader(bytes);
  const { head } = columns;
  if (head.form !== FORM)
    throw new DamagedData(`The data of this page are of form ${head.form}, which it cannot read.`);
  const nodes = readNodes(columns);
  return {
    targets: head.targets,
    total: head.total,
    attributed: head.attributed,
    bucketMilliseconds: head.bucketMilliseconds,
    measures: head.measures,
    families: head.families,
    nodes,
    symbols: readSymbols(columns),
    rows: readRows(columns),
    stacks: head.stacks,
    dimensions: readDimensions(columns),
    decisions: head.decisions,
  };
}

function readNodes(columns: ColumnReader): Nodes {
  const count = columns.head.nodes;
  const up = columns.read('node:up', new Uint32Array(count));
  const parent = new Int32Array(count);
  parent[0] = -1;
  for (let node = 1; node < count; node++) {
    let at = node - 1;
    for (let steps = up[node] as number; steps > 0; steps--) at = parent[at] as number;
    if (!(at >= 0)) throw new DamagedData('The data of this page are damaged: the tree of callers has no root.');
    parent[node] = at;
  }
  const symbol = columns.read('node:symbol', new Uint32Array(count));
  return { count, parent, symbol, flags: columns.read('node:flags', new Uint8Array(count)) };
}

function readSymbols(columns: ColumnReader): Symbols {
  const { symbols: count, texts, names, glosses } = columns.head;
  const module = columns.read('symbol:modules', new Uint32Array(count));
  const file = columns.read('symbol:files', new Uint32Array(count));
  const line = columns.read('symbol:lines', new Uint32Array(count));
  const subsystem = columns.read('symbol:subsystems', new Uint32Array(count));
  const text = (column: Uint32Array) => (symbol: number) => texts[column[symbol] ?? 0] ?? '';
  return {
    count,
    names,
    glosses,
    module: text(module),
    file: text(file),
    line: (symbol) => line[symbol] ?? 0,
    subsystem: text(subsystem),
    family: columns.read('symbol:families', new Uint8Array(count)),
    flags: columns.read('symbol:flags', new Uint8Array(count)),
    boundary: columns.read('symbol:boundaries', new Uint8Array(count)),
  };
}

function readRows(columns: ColumnReader): Rows {
  const { rows: count, measures } = columns.head;
  const bucket = columns.has('row:bucket') ? columns.read('row:bucket', new Int32Array(count)) : null;
  if (bucket) for (let row = 0; row < count; row++) bucket[row] = (bucket[row] as number) - 1;
  return {
    count,
    node: columns.read('row:node', new Uint32Array(count)),
    stack: columns.read('row:stack', new Uint32Array(count)),
    calls: columns.read('row:count', new Float64Array(count)),
    sums: measures.map((_, i) => columns.read(`row:measure:${i}`, new Float64Array(count))),
    doubt: columns.perRow('doubt', new Uint8Array(count)),
    decision: columns.perRow('decision', new Uint32Array(count)),
    decisionConfidence: columns.perRow('decisionConfidence', new Uint8Array(count)),
    subjectConfidence: columns.perRow('subjectConfidence', new Uint8Array(count)),
    bucket,
  };
}

/** The values of a dimension by row are spread out when they are first asked for. */
function readDimensions(columns: ColumnReader): Dimension[] {
  return columns.head.dimensions.map(({ name, summary, values, unknown, ids, kinds }) => {
    let spread: Uint32Array | undefined;
    return {
      name,
      summary,
      values,
      isUnknown: values.map((_, value) => unknown.includes(value)),
      ids: ids ?? null,
      kinds: kinds ?? null,
      get of() {
        spread ??= columns.perRow(name, new Uint32Array(columns.head.rows));
        return spread;
      },
    };
  });
}

type Column = Uint8Array | Uint32Array | Int32Array | Float64Array;

/** Reads columns by name. */
class ColumnReader {
  readonly head: Head;
  readonly #bytes: Uint8Array;
  readonly #places = new Map<string, { readonly from: number; readonly to: number; readonly kind: string }>();
  #classes: Uint32Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
    this.head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    let from = 4 + length;
    for (const { name, kind, bytes: size } of this.head.columns) {
      this.#places.set(name, { from, to: from + size, kind });
      from += size;
    }
    if (from !== bytes.length) throw new DamagedData('The data of this page are damaged: columns do not add up.');
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** Fills `into` with the numbers of a column. @throws {DamagedData} there are more or fewer */
  read<C extends Column>(name: string, into: C): C {
    const place = this.#places.get(name);
    if (!place) throw new DamagedData(`The data of this page are damaged: the column ${name} is missing.`);
    const { from, to, kind } = place;
    const end = kind === 'f64' ? this.#doubles(from, into) : this.#leb(from, to, into, kind === 'delta');
    if (end !== to) throw new DamagedData(`The data of this page are damaged: the column ${name} has a wrong length.`);
    return into;
  }

  /** A column of rows, or one of classes seen through the class of each row. */
  perRow<C extends Column>(name: string, into: C): C {
    if (this.has(`row:${name}`)) return this.read(`row:${name}`, into);
    this.#classes ??= this.read('row:class', new Uint32Array(this.head.rows));
    const values = this.read(`class:${name}`, new Uint32Array(this.head.classes));
    for (let row = 0; row < into.length; row++) into[row] = values[this.#classes[row] as number] as number;
    return into;
  }

  #leb(from: number, to: number, into: Column, isDelta: boolean): number {
    const bytes = this.#bytes;
    let at = from;
    let before = 0;
    for (let i = 0; i < into.length; i++) {
      let byte = bytes[at++] as number;
      let value = byte & 127;
      for (let scale = 128; byte > 127 && at < to; scale *= 128) {
        byte = bytes[at++] as number;
        value += (byte & 127) * scale;
      }
      if (isDelta) {
        before += value % 2 === 1 ? -(value + 1) / 2 : value / 2;
        value = before;
      }
      into[i] = value;
    }
    return at;
  }

  #doubles(from: number, into: Column): number {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    const count = Math.min(into.length, Math.floor((view.byteLength - from) / 8));
    for (let i = 0; i < count; i++) into[i] = view.getFloat64(from + i * 8, true);
    return from + into.length * 8;
  }
}
