import { glossOf } from '../../atlas/gloss.ts';
import { placeOfFrame } from '../../atlas/labeller.ts';
import { placesOf } from '../../atlas/places.ts';
import { subsystemGroupOf, subsystemOf } from '../../atlas/subsystems.ts';
import { syscallSummary } from '../../atlas/syscalls.ts';
import type { Census } from '../../census/census.ts';
import type { FrameRole, KernelKnowledge, PathFrame } from '../../census/knowledge.ts';
import type { SymbolId } from '../../census/symbol-table.ts';
import { FAMILIES, type Family, familyOfGroup } from './families.ts';
import { NODE_FLAGS, type OrderedTree } from './page-tree.ts';

/** Bits of what a function is on a path. */
export const SYMBOL_FLAGS = {
  /** It only passes calls on. */
  helper: 1,
  /** It belongs to the code by which a context is entered. */
  entry: 2,
  /** Its calls were counted. */
  target: 4,
  /** A function of a program. */
  user: 8,
} as const;

/** How the page numbers the contexts a function is the outermost of; 0 is none. */
export const BOUNDARIES = ['', 'task', 'softirq', 'hardirq', 'exception', 'nmi'] as const;

/** What the page says of functions: lists of one length, the first of all is the root's. */
export interface PageSymbols {
  /** Texts that occur more than once; lists of numbers point into it. */
  readonly texts: readonly string[];
  readonly names: readonly string[];
  /** What a function does, in words that continue "it …"; '' where unknown. */
  readonly glosses: readonly string[];
  readonly modules: readonly number[];
  readonly files: readonly number[];
  /** 0 where unknown. */
  readonly lines: readonly number[];
  readonly subsystems: readonly number[];
  /** Into {@link FAMILIES}. */
  readonly families: readonly number[];
  readonly flags: readonly number[];
  /** Into {@link BOUNDARIES}. */
  readonly boundaries: readonly number[];
}

/**
 * Says of every symbol what there is to say.
 *
 * @param examples a symbol of the census for each of the page's but the first
 */
export function describeSymbols(
  census: Census,
  knowledge: KernelKnowledge,
  examples: readonly SymbolId[],
  tree: OrderedTree,
): PageSymbols {
  const texts = new Texts();
  const heaviest = heaviestNodes(tree, examples.length + 1);
  const describe = (id: SymbolId, index: number) =>
    describeSymbol(census, knowledge, id, heaviest[index + 1], tree, examples);
  const all = [ROOT, ...examples.map(describe)];
  return {
    names: all.map(({ name }) => name),
    glosses: all.map(({ gloss }) => gloss),
    modules: all.map(({ module }) => texts.intern(module)),
    files: all.map(({ file }) => texts.intern(file)),
    lines: all.map(({ line }) => line),
    subsystems: all.map(({ subsystem }) => texts.intern(subsystem)),
    families: all.map(({ family }) => FAMILIES.indexOf(family)),
    flags: all.map(({ flags }) => flags),
    boundaries: all.map(({ boundary }) => BOUNDARIES.indexOf(boundary)),
    texts: texts.all,
  };
}

interface Described {
  readonly name: string;
  readonly gloss: string;
  readonly module: string;
  readonly file: string;
  readonly line: number;
  readonly subsystem: string;
  readonly family: Family;
  readonly flags: number;
  readonly boundary: (typeof BOUNDARIES)[number];
}

const ROOT: Described = {
  name: '',
  gloss: '',
  module: '',
  file: '',
  line: 0,
  subsystem: '',
  family: 'core',
  flags: 0,
  boundary: '',
};

function describeSymbol(
  census: Census,
  knowledge: KernelKnowledge,
  id: SymbolId,
  node: number | undefined,
  tree: OrderedTree,
  examples: readonly SymbolId[],
): Described {
  const { symbols } = census;
  const name = symbols.name(id);
  const module = symbols.module(id);
  const isUser = symbols.space(id) === 'user';
  const target = isTarget(census, name, module) ? SYMBOL_FLAGS.target : 0;
  if (isUser) {
    const own = { file: symbols.file(id), line: symbols.line(id), flags: SYMBOL_FLAGS.user | target };
    return { ...ROOT, name, module, ...own, family: 'user' };
  }
  const role = knowledge.role(name);
  const file = symbols.file(id) || fileOf(census, id, node, tree, examples);
  return {
    name,
    gloss: glossOf(name) ?? syscallGloss(name),
    module,
    file,
    line: symbols.line(id),
    subsystem: file === '' ? '' : subsystemOf(file),
    family: file === '' ? 'core' : familyOfGroup(subsystemGroupOf(file)),
    flags: roleFlags(role) | target,
    boundary: role?.boundary ?? '',
  };
}

function roleFlags(role: FrameRole | undefined): number {
  const isEntry = role?.boundary !== undefined || role?.entry !== undefined;
  return (role?.helper ? SYMBOL_FLAGS.helper : 0) | (isEntry ? SYMBOL_FLAGS.entry : 0);
}

function isTarget({ targets }: Census, name: string, module: string): boolean {
  return targets.some((target) => target === name || target === `${module || 'vmlinux'}:${name}`);
}

function syscallGloss(name: string): string {
  const syscall = /^(?:compat_)?sys_(\w+)$/.exec(name)?.[1];
  return (syscall === undefined ? null : syscallSummary(syscall)) ?? '';
}

/** A name that several files define is looked up on the commonest path through the function. */
function fileOf(
  census: Census,
  id: SymbolId,
  node: number | undefined,
  tree: OrderedTree,
  examples: readonly SymbolId[],
): string {
  const { symbols } = census;
  const places = placesOf(symbols.name(id), symbols.module(id));
  if (places.length < 2) return places[0]?.file ?? '';
  if (node === undefined) return '';
  const path: number[] = [];
  for (let at = node; at > 0; at = tree.parent[at] as number) path.unshift(at);
  const index = path.length - 1;
  // The heaviest caller follows its function; a node that steps back is none.
  for (let at = node + 1; tree.up[at] === 0 && ((tree.flags[at] as number) & NODE_FLAGS.border) === 0; at++)
    path.push(at);
  const frames = path.map((at): PathFrame => {
    const symbol = examples[(tree.symbol[at] as number) - 1] as SymbolId;
    return { name: symbols.name(symbol), module: symbols.module(symbol) };
  });
  return (
    placeOfFrame({ frames, kernel: census.facts.kernels.length === 1 ? census.facts.kernels[0] : '' }, index)?.file ??
    ''
  );
}

/** The node with the most calls, by symbol. */
function heaviestNodes(tree: OrderedTree, symbols: number): (number | undefined)[] {
  const heaviest = new Array<number | undefined>(symbols);
  for (let node = 1; node < tree.symbol.length; node++) {
    const symbol = tree.symbol[node] as number;
    const known = heaviest[symbol];
    if (known === undefined || (tree.total[node] as number) > (tree.total[known] as number)) heaviest[symbol] = node;
  }
  return heaviest;
}

/** Texts by number; 0 is ''. */
class Texts {
  readonly all: string[] = [''];
  readonly #ids = new Map<string, number>([['', 0]]);

  intern(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.all.push(text) - 1;
      this.#ids.set(text, id);
    }
    return id;
  }
}
