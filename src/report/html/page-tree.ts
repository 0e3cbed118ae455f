import type { Census } from '../../census/census.ts';
import type { ClassifiedCall, Classifier } from '../../census/classify.ts';
import type { KernelKnowledge } from '../../census/knowledge.ts';
import type { Path } from '../../census/paths.ts';
import type { Row } from '../../census/row-table.ts';
import type { StackId } from '../../census/stack-table.ts';
import type { SymbolId } from '../../census/symbol-table.ts';
import { TupleTable } from '../../census/tuple-table.ts';

/** Bits of a node. */
export const NODE_FLAGS = {
  /** A context ends before this node: it is the first that was interrupted, or of the program that made the call. */
  border: 1,
  /** What an inner context happened to interrupt: no cause of the call. */
  interrupted: 2,
  /** The compiler put the function into its caller. */
  inlined: 4,
} as const;

/** Index of a node; 0 is the root, which stands for all calls. */
export type NodeId = number;

/** What all wrappers of a system call are called once normalised. */
const SYSCALL = /^(?:compat_)?sys_/;

/**
 * The tree of callers as the page shows it: the functions of a path as the classifier reads it, and beyond it, marked,
 * what was interrupted or the program that called. Unlike the stack table it knows no offsets and no compiler suffixes,
 * so that what is one function for the reader is one box.
 */
export class PageTree {
  readonly #census: Census;
  readonly #knowledge: KernelKnowledge;
  readonly #nodes = new TupleTable(3);
  readonly #inlined: boolean[] = [];
  readonly #symbols = new Map<string, number>();
  /** A census symbol that stands for each symbol of the page. */
  readonly #examples: SymbolId[] = [];
  readonly #symbolIds: (number | undefined)[] = [];
  readonly #paths = new Map<Path, NodeId>();
  /** Ends of whole stacks, by node of their path and whether the rest is a program. */
  readonly #ends = new Map<NodeId, Map<StackId, NodeId>>();

  constructor(census: Census, knowledge: KernelKnowledge) {
    this.#census = census;
    this.#knowledge = knowledge;
    this.#nodes.intern([-1, 0, 0]);
  }

  /** Nodes; a parent's number is below its children's. */
  get size(): number {
    return this.#nodes.size;
  }

  /** For each symbol but the first, which is the root's: a symbol of the census that is the same function. */
  get symbols(): readonly SymbolId[] {
    return this.#examples;
  }

  parent(node: NodeId): NodeId {
    return this.#nodes.value(node, 0);
  }

  /** 0 for the root, else 1 + index in {@link symbols}. */
  symbol(node: NodeId): number {
    return this.#nodes.value(node, 1);
  }

  flags(node: NodeId): number {
    return this.#nodes.value(node, 2) | (this.#inlined[node] ? NODE_FLAGS.inlined : 0);
  }

  /** The node in which a row's stack ends. */
  nodeOf(row: Row, call: ClassifiedCall, classifier: Classifier): NodeId {
    const { path } = call;
    let end = this.#paths.get(path);
    if (end === undefined) {
      end = 0;
      for (let i = 0; i < path.symbols.length; i++) {
        end = this.#child(end, path.symbols[i] as SymbolId, 0, path.frames[i]?.inlined === true);
      }
      this.#paths.set(path, end);
    }
    if (path.isDoubted || row.stack === path.stack) return end;
    const isProgram = classifier.programOf(row, call) !== null;
    const key = end * 2 + (isProgram ? 1 : 0);
    let known = this.#ends.get(key);
    if (!known) {
      known = new Map();
      this.#ends.set(key, known);
    }
    let node = known.get(row.stack);
    if (node === undefined) {
      node = this.#beyond(end, row.stack, path.stack, isProgram);
      known.set(row.stack, node);
    }
    return node;
  }

  /** Continues outwards from the end of a path: every context that was interrupted begins with a border. */
  #beyond(end: NodeId, stack: StackId, pathEnd: StackId, isProgram: boolean): NodeId {
    const { stacks, symbols } = this.#census;
    const outer: StackId[] = [];
    for (let at = stack; at !== pathEnd; at = stacks.inner(at)) outer.push(at);
    let node = end;
    let isBorder = true;
    let isInterrupted = false;
    let before: SymbolId | undefined;
    for (let i = outer.length - 1; i >= 0; i--) {
      const at = outer[i] as StackId;
      const symbol = stacks.symbol(at);
      const space = symbols.space(symbol);
      if (space === 'marker') isBorder = true;
      if (space === 'marker' || stacks.isUnreliable(at) || this.#isWrapper(symbol, before)) continue;
      if (before === undefined) isInterrupted = !(isProgram && space === 'user');
      else if (space === 'user' && symbols.space(before) !== 'user') isBorder = true;
      const flags = (isBorder ? NODE_FLAGS.border : 0) | (isInterrupted ? NODE_FLAGS.interrupted : 0);
      node = this.#child(node, symbol, flags, stacks.isInlined(at));
      before = symbol;
      isBorder = space === 'kernel' && this.#knowledge.role(symbols.name(symbol))?.boundary !== undefined;
    }
    return node;
  }

  #isWrapper(symbol: SymbolId, inner: SymbolId | undefined): boolean {
    if (inner === undefined || inner === symbol) return false;
    const { symbols } = this.#census;
    const name = symbols.name(symbol);
    return name === symbols.name(inner) && SYSCALL.test(name) && symbols.raw(symbol) !== symbols.raw(inner);
  }

  #child(parent: NodeId, symbol: SymbolId, flags: number, isInlined: boolean): NodeId {
    const size = this.#nodes.size;
    const node = this.#nodes.intern([parent, this.#symbol(symbol), flags]);
    if (node === size) this.#inlined[node] = isInlined;
    return node;
  }

  #symbol(id: SymbolId): number {
    let found = this.#symbolIds[id];
    if (found === undefined) {
      const { symbols } = this.#census;
      const key = `${symbols.name(id)}\0${symbols.module(id)}\0${symbols.space(id)}\0${symbols.file(id)}`;
      found = this.#symbols.get(key) ?? this.#examples.push(id);
      this.#symbols.set(key, found);
      this.#symbolIds[id] = found;
    }
    return found;
  }
}

/** A tree in the order of the page: preorder, of the callers of one function the one with the most calls first. */
export interface OrderedTree {
  /** How many levels one steps back from the node before, before going down one. */
  readonly up: Uint32Array;
  readonly symbol: Uint32Array;
  readonly flags: Uint8Array;
  readonly total: Float64Array;
  readonly parent: Int32Array;
  /** Position by number of the node in the {@link PageTree}. */
  readonly position: Uint32Array;
}

/** @param own calls whose stack ends in the node, by node */
export function orderTree(tree: PageTree, own: Float64Array): OrderedTree {
  const size = tree.size;
  const totals = own.slice(0, size);
  for (let node = size - 1; node > 0; node--) {
    const parent = tree.parent(node);
    totals[parent] = (totals[parent] as number) + (totals[node] as number);
  }
  const { first, children } = childLists(tree, totals);
  const up = new Uint32Array(size);
  const symbol = new Uint32Array(size);
  const flags = new Uint8Array(size);
  const total = new Float64Array(size);
  const parent = new Int32Array(size);
  const position = new Uint32Array(size);
  const depth = new Uint32Array(size);
  parent[0] = -1;
  const open = [0];
  let before = -1;
  for (let at = 0; open.length > 0; at++) {
    const node = open.pop() as NodeId;
    position[node] = at;
    if (node > 0) {
      const inner = position[tree.parent(node)] as number;
      parent[at] = inner;
      depth[at] = (depth[inner] as number) + 1;
      up[at] = before - (depth[at] as number) + 1;
    }
    before = depth[at] as number;
    symbol[at] = tree.symbol(node);
    flags[at] = tree.flags(node);
    total[at] = totals[node] as number;
    for (let i = (first[node + 1] as number) - 1; i >= (first[node] as number); i--) open.push(children[i] as number);
  }
  return { up, symbol, flags, total, parent, position };
}

/** The children of each node, heaviest first: those of node n stand from first[n] to first[n + 1]. */
function childLists(tree: PageTree, totals: Float64Array): { first: Uint32Array; children: Uint32Array } {
  const size = tree.size;
  const first = new Uint32Array(size + 2);
  for (let node = 1; node < size; node++) {
    const at = tree.parent(node) + 2;
    first[at] = (first[at] as number) + 1;
  }
  for (let node = 0; node < size; node++) first[node + 2] = (first[node + 2] as number) + (first[node + 1] as number);
  const children = new Uint32Array(size);
  for (let node = 1; node < size; node++) {
    const at = tree.parent(node) + 1;
    children[first[at] as number] = node;
    first[at] = (first[at] as number) + 1;
  }
  for (let node = 0; node < size; node++) {
    const list = children.subarray(first[node], first[node + 1]);
    if (list.length > 1) list.sort((a, b) => (totals[b] as number) - (totals[a] as number) || a - b);
  }
  return { first, children };
}
