// A path as a story: its functions from the target outwards, the border where its context was entered, and beyond it
// what was interrupted or the program that called.
import { CONTEXTS, NODE, type PageData, SYMBOL } from '../data/columns.ts';
import { nodesTo } from './paths.ts';

/** A function of a path and what is known of it. */
export interface Step {
  readonly kind: 'function';
  readonly name: string;
  /** Of the kernel, '' for its image; of a user function its program or library. */
  readonly module: string;
  /** What it does, in words that continue "it …"; '' where unknown. */
  readonly gloss: string;
  /** Source file with the line where it is known; '' where unknown. */
  readonly place: string;
  readonly subsystem: string;
  readonly family: string;
  readonly isTarget: boolean;
  readonly isSite: boolean;
  readonly isHelper: boolean;
  readonly isUser: boolean;
  readonly isInlined: boolean;
}

/** Where one context ends and what it interrupted begins. */
export interface Border {
  readonly kind: 'border';
  readonly text: string;
}

/** A stack, told in two parts. */
export interface Story {
  /** What caused the call. */
  readonly path: readonly (Step | Border)[];
  /** What comes further out: interrupted, or of the program that called. */
  readonly beyond: readonly (Step | Border)[];
  /** Whether that was interrupted, so that it is no cause. */
  readonly isInterrupted: boolean;
}

const BORDERS: Readonly<Record<(typeof CONTEXTS)[number], string>> = {
  '': 'what follows was interrupted',
  task: 'the task entered the kernel here',
  softirq: 'the softirq began here; what follows was running before',
  hardirq: 'the interrupt came here; what follows was interrupted',
  exception: 'the exception came here; what follows caused it',
  nmi: 'the non-maskable interrupt came here; what follows was interrupted',
};

/**
 * Tells the stack that ends in `node`, whose path ends in `end`.
 *
 * @param site the node of the function that decided to call
 */
export function storyOf(data: PageData, node: number, end: number, site: number | null): Story {
  const path = tell(data, nodesTo(data, end), site);
  const outer = nodesTo(data, node).slice(nodesTo(data, end).length);
  const isInterrupted = outer.some((at) => ((data.nodes.flags[at] as number) & NODE.interrupted) !== 0);
  return { path, beyond: tell(data, outer, null), isInterrupted };
}

function tell(data: PageData, nodes: readonly number[], site: number | null): (Step | Border)[] {
  return nodes.flatMap((node, i) => {
    const symbol = data.nodes.symbol[node] as number;
    const context = CONTEXTS[data.symbols.boundary[symbol] as number] ?? '';
    const step = stepOf(data, node, node === site);
    // A border before the first is told by the path that ends there.
    const isLeft = context === '' && i > 0 && ((data.nodes.flags[node] as number) & NODE.border) !== 0;
    const border: Border[] = context === '' ? [] : [{ kind: 'border', text: BORDERS[context] }];
    return [...(isLeft && !hasBoundary(data, nodes[i - 1]) ? [LEFT] : []), step, ...border];
  });
}

const LEFT: Border = { kind: 'border', text: 'another context' };

function hasBoundary({ nodes, symbols }: PageData, node: number | undefined): boolean {
  return node !== undefined && symbols.boundary[nodes.symbol[node] as number] !== 0;
}

function stepOf({ nodes, symbols, families }: PageData, node: number, isSite: boolean): Step {
  const symbol = nodes.symbol[node] as number;
  const flags = symbols.flags[symbol] as number;
  const file = symbols.file(symbol);
  const line = symbols.line(symbol);
  return {
    kind: 'function',
    name: symbols.names[symbol] ?? '',
    module: symbols.module(symbol),
    gloss: symbols.glosses[symbol] ?? '',
    place: file === '' || line === 0 ? file : `${file}:${line}`,
    subsystem: symbols.subsystem(symbol),
    family: families[symbols.family[symbol] as number] ?? 'core',
    isTarget: (flags & SYMBOL.target) !== 0,
    isSite,
    isHelper: (flags & SYMBOL.helper) !== 0,
    isUser: (flags & SYMBOL.user) !== 0,
    isInlined: ((nodes.flags[node] as number) & NODE.inlined) !== 0,
  };
}
