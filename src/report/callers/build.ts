import { glossOf } from '../../atlas/gloss.ts';
import { kernelKnowledge } from '../../atlas/knowledge.ts';
import { placeInPath, subsystemInPath } from '../../atlas/places.ts';
import { normaliseSymbol } from '../../census/symbol-name.ts';
import type { AddressHolder, CallerFinder, CallSite, FunctionCallers } from '../../image/callers.ts';
import type { TargetCoverage } from '../coverage.ts';
import { wayUp } from './way-up.ts';

/** A function that can call, with its sites. */
export interface CallingFunction {
  /** As the image names it. */
  readonly symbol: string;
  /** The normalised name. */
  readonly name: string;
  readonly module: string;
  readonly file: string | null;
  readonly subsystem: string;
  /** What it does, in words that continue "it …"; null where the atlas has none. */
  readonly gloss: string | null;
  readonly sites: readonly CallSite[];
}

/** Functions of one part of the kernel that can call. */
export interface CallingPart {
  readonly subsystem: string;
  readonly sites: number;
  readonly functions: readonly CallingFunction[];
}

/** A function further out that leads to the one asked for, with those that lead to it. */
export interface CallerNode {
  readonly name: string;
  readonly module: string;
  readonly sites: number;
  /** It starts a path: a system call, an interrupt; nothing further out is looked for. */
  readonly isEntry: boolean;
  /** It stands elsewhere in the tree already, with its callers. */
  readonly isShown: boolean;
  readonly callers: readonly CallerNode[];
  /** Callers that are not listed. */
  readonly more: number;
  /** Objects that hold its address; nobody is known to call it directly where there are no callers. */
  readonly heldBy: readonly AddressHolder[];
}

/** Who can call one function. */
export interface FunctionReport extends FunctionCallers {
  readonly file: string | null;
  readonly gloss: string | null;
  /** Largest first. */
  readonly parts: readonly CallingPart[];
  /** Where more than one level was asked for. */
  readonly tree: readonly CallerNode[] | null;
  /** Where there are recordings to compare with. */
  readonly covered: CoverageReport | null;
}

/** Which of a function's call sites recordings used. */
export interface CoverageReport {
  readonly coverage: TargetCoverage;
  /** The parts of the kernel, with the way up from each function that was not used. */
  readonly parts: readonly (CallingPart & { readonly ways: ReadonlyMap<CallingFunction, string> })[];
}

/** What was looked at. */
export interface LookedAt {
  readonly release: string;
  readonly architecture: string;
  readonly buildId: string;
  /** The image's file. */
  readonly image: string;
  /** Modules that were read. */
  readonly modules: number;
  /** Modules that the kernel has and nobody looked at. */
  readonly otherModules: number;
  /** What the reader should know of it. */
  readonly remarks: readonly string[];
}

/** Who can call functions of a kernel. */
export interface CallersReport {
  readonly lookedAt: LookedAt;
  readonly functions: readonly FunctionReport[];
}

/** Callers of one function that a tree lists. */
const MOST_CALLERS = 12;
/** Functions of a whole tree. */
const MOST_NODES = 2000;

/** Describes who can call a function, with a tree of `depth` levels where that is more than one. */
export function functionReport(
  found: FunctionCallers,
  finder: CallerFinder,
  release: string,
  depth: number,
  coverage?: TargetCoverage,
): FunctionReport {
  const place = placeInPath([{ name: found.name, module: found.module }], 0, release);
  const parts = partsOf(found.sites, release);
  return {
    ...found,
    file: place?.file ?? null,
    gloss: glossOf(found.name),
    parts,
    tree: depth > 1 ? new TreeBuilder(finder).callersOf(found, depth) : null,
    covered: coverage ? { coverage, parts: parts.map((part) => withWays(part, finder)) } : null,
  };
}

function withWays(part: CallingPart, finder: CallerFinder): CoverageReport['parts'][number] {
  const ways = part.functions.map((one): [CallingFunction, string] => {
    const way = wayUp(one.name, one.module, finder);
    const steps = way ? [...way.functions, ...(way.heldBy === '' ? [] : [way.heldBy])] : [];
    return [one, steps.map((step) => `<- ${step}`).join(' ')];
  });
  return { ...part, ways: new Map(ways) };
}

function partsOf(sites: readonly CallSite[], release: string): CallingPart[] {
  const functions = new Map<string, CallSite[]>();
  for (const site of sites) {
    const key = `${site.module}\0${site.symbol}`;
    const known = functions.get(key);
    if (known) known.push(site);
    else functions.set(key, [site]);
  }
  const parts = new Map<string, CallingFunction[]>();
  for (const own of functions.values()) {
    const described = callingFunction(own as [CallSite, ...CallSite[]], release);
    const known = parts.get(described.subsystem);
    if (known) known.push(described);
    else parts.set(described.subsystem, [described]);
  }
  return [...parts]
    .map(([subsystem, own]) => ({
      subsystem,
      functions: own,
      sites: own.reduce((sum, one) => sum + one.sites.length, 0),
    }))
    .sort((a, b) => b.sites - a.sites || (a.subsystem < b.subsystem ? -1 : 1));
}

function callingFunction(sites: readonly [CallSite, ...CallSite[]], release: string): CallingFunction {
  const [{ symbol, module, target }] = sites;
  const name = normaliseSymbol(symbol);
  // What it calls tells which of several functions of the name it is.
  const frames = [
    { name: normaliseSymbol(target), module: '' },
    { name, module },
  ];
  return {
    symbol,
    name,
    module,
    file: placeInPath(frames, 1, release)?.file ?? null,
    subsystem: subsystemInPath(frames, 1) ?? (module === '' ? 'unknown' : `module ${module}`),
    gloss: glossOf(name),
    sites,
  };
}

/** Builds the tree of callers, breadth first up to a number of functions, each with its callers once. */
class TreeBuilder {
  readonly #finder: CallerFinder;
  readonly #shown = new Set<string>();
  #left = MOST_NODES;

  constructor(finder: CallerFinder) {
    this.#finder = finder;
  }

  callersOf({ sites }: FunctionCallers, depth: number): CallerNode[] {
    return this.#nodes(sites, depth).nodes;
  }

  #nodes(sites: readonly CallSite[], depth: number): { nodes: CallerNode[]; more: number } {
    const callers = new Map<string, { name: string; module: string; sites: number }>();
    for (const { symbol, module } of sites) {
      const name = normaliseSymbol(symbol);
      const key = `${module}\0${name}`;
      const known = callers.get(key);
      if (known) known.sites++;
      else callers.set(key, { name, module, sites: 1 });
    }
    const listed = [...callers].slice(0, Math.max(0, Math.min(MOST_CALLERS, this.#left)));
    this.#left -= listed.length;
    const isFirst = listed.map(([key]) => !this.#shown.has(key) && this.#shown.add(key) !== undefined);
    return {
      nodes: listed.map(([, caller], i) => this.#node(caller, depth, !isFirst[i])),
      more: callers.size - listed.length,
    };
  }

  #node(caller: { name: string; module: string; sites: number }, depth: number, isShown: boolean): CallerNode {
    const role = kernelKnowledge().role(caller.name);
    const isEntry = role?.entry !== undefined || role?.boundary !== undefined;
    if (isEntry || isShown) return { ...caller, isEntry, isShown, callers: [], more: 0, heldBy: [] };
    const found = this.#finder.callersOf(caller.name, caller.module);
    const { nodes, more } =
      depth > 1
        ? this.#nodes(found.sites, depth - 1)
        : { nodes: [], more: new Set(found.sites.map(({ symbol }) => symbol)).size };
    return { ...caller, isEntry, isShown, callers: nodes, more, heldBy: found.holders };
  }
}
