import { normaliseSymbol } from '../census/symbol-name.ts';
import { append } from '../text/lists.ts';
import type { CallGraph, CallPlace } from './call-graph.ts';
import type { CallKind } from './direct-calls.ts';
import type { ModuleCalls, ModulePlace } from './module-calls.ts';

/** How a call site reaches a function. */
export type SiteKind =
  | 'call'
  /** A jump as the last thing the function does: it leaves no frame. */
  | 'jump'
  /** A call that the kernel patches to go to one of several functions (static_call): this one is where it goes at first. */
  | 'static call';

/** An instruction that reaches a function. */
export interface CallSite {
  /** The function it stands in, as the image names it: with what the compiler appended. */
  readonly symbol: string;
  /** '' for the kernel image. */
  readonly module: string;
  /** Bytes from the start of that function. */
  readonly offset: number;
  readonly kind: SiteKind;
  /** The function it reaches, as the image names it: one of the compiler's copies, perhaps. */
  readonly target: string;
}

/** Where the address of a function is kept, to be called by whoever holds the object. */
export interface AddressHolder {
  /** The object of the kernel's data, or the function whose code takes the address. */
  readonly object: string;
  readonly module: string;
  readonly offset: number;
  readonly isCode: boolean;
}

/** Who can call a function. */
export interface FunctionCallers {
  /** The function's normalised name. */
  readonly name: string;
  /** '' where it is in the kernel image, or nowhere that was looked at. */
  readonly module: string;
  readonly sites: readonly CallSite[];
  readonly holders: readonly AddressHolder[];
}

/** A module that was looked at. */
export interface LookedAtModule {
  readonly name: string;
  readonly calls: ModuleCalls;
}

/** Begins the names of the trampolines by which static calls go. */
const STATIC_CALL = '__SCT__';

/** Names by which a function may be reached in an image: its own, the compiler's copies, trampolines to it. */
export function reachableNames(graph: CallGraph, name: string): Set<string> {
  const { functions } = graph.image;
  const names = new Set([name]);
  for (const index of functions.named(name)) {
    for (const one of functions.names(index)) names.add(one);
    for (const { trampoline } of trampolinesTo(graph, index)) names.add(trampoline);
  }
  return names;
}

/** Finds who can call functions of a kernel image and the modules that were looked at. */
export class CallerFinder {
  readonly #graph: CallGraph;
  /** Places and holders of modules by the name of what they reach. */
  readonly #places = new Map<string, { readonly module: string; readonly place: ModulePlace }[]>();
  readonly #holders = new Map<
    string,
    { readonly module: string; readonly object: string; readonly offset: number }[]
  >();
  /** Modules by the functions they have; of several of one name the first. */
  readonly #homes = new Map<string, string>();

  constructor(graph: CallGraph, modules: readonly LookedAtModule[]) {
    this.#graph = graph;
    for (const { name: module, calls } of modules) {
      for (const place of calls.places) append(this.#places, place.target, { module, place });
      for (const { target, object, offset } of calls.holders) append(this.#holders, target, { module, object, offset });
      for (const name of calls.functions) if (!this.#homes.has(name)) this.#homes.set(name, module);
    }
  }

  /**
   * Who can call a function.
   *
   * @param module only the function of this module; '' for the kernel's, undefined for whichever has the name
   */
  callersOf(name: string, module?: string): FunctionCallers {
    const { functions } = this.#graph.image;
    const sites: CallSite[] = [];
    const holders: AddressHolder[] = [];
    const indices = module ? [] : functions.named(name);
    for (const index of indices) this.#addImageSites(index, name, sites, holders);
    const home = indices.length > 0 ? '' : (module ?? this.#homes.get(name) ?? '');
    for (const symbol of indices.length > 0 ? reachableNames(this.#graph, name) : this.#copies(name)) {
      this.#addModuleSites(symbol, name, home, sites, holders);
    }
    return { name, module: home, sites: sites.sort(bySymbol), holders };
  }

  #copies(name: string): string[] {
    return [...this.#homes.keys()].filter((symbol) => symbol === name || normaliseSymbol(symbol) === name);
  }

  #addImageSites(index: number, name: string, sites: CallSite[], holders: AddressHolder[]): void {
    const graph = this.#graph;
    const target = graph.image.functions.name(index);
    const trampolines = trampolinesTo(graph, index);
    const isTrampoline = new Set(trampolines.map(({ place }) => place.address));
    for (const place of graph.placesOf(index)) {
      if (isTrampoline.has(place.address)) continue;
      const site = this.#siteAt(place, target);
      if (!site) continue;
      // What belongs to one function of the source is no call of it: `f` goes on in `f.part.0` and in `f.cold`.
      const isOwn = normaliseSymbol(site.symbol) === name && site.symbol !== target;
      if (place.kind === 'address') {
        if (!isOwn) holders.push({ object: site.symbol, module: '', offset: site.offset, isCode: true });
      } else if (!isOwn && isDirect(place.kind)) sites.push({ ...site, kind: place.kind });
    }
    for (const { trampoline, index: at } of trampolines) {
      for (const place of graph.placesOf(at)) {
        const site = this.#siteAt(place, target);
        if (site && isDirect(place.kind)) sites.push({ ...site, kind: 'static call' });
      }
      for (const { module, place } of this.#places.get(trampoline) ?? []) {
        if (isDirect(place.kind)) sites.push({ ...moduleSite(place, module), kind: 'static call', target });
      }
    }
    for (const address of graph.keptOf(index)) {
      const { object, offset } = graph.image.dataAt(address);
      const section = graph.image.sectionAt(address);
      holders.push({ object: object || section, module: '', offset, isCode: false });
    }
  }

  #siteAt({ address }: CallPlace, target: string): Omit<CallSite, 'kind'> | null {
    const { functions } = this.#graph.image;
    const index = functions.at(address);
    if (index < 0) return null;
    return { symbol: functions.name(index), module: '', offset: address - functions.address(index), target };
  }

  #addModuleSites(symbol: string, name: string, home: string, sites: CallSite[], holders: AddressHolder[]): void {
    if (symbol.startsWith(STATIC_CALL)) return;
    for (const { module, place } of this.#places.get(symbol) ?? []) {
      // A module's own function hides one of the same name elsewhere.
      if (place.isExternal ? home !== '' && module === home : module !== home) continue;
      if (place.kind === 'address') {
        holders.push({ object: place.function, module, offset: place.offset, isCode: true });
      } else if (isDirect(place.kind) && (normaliseSymbol(place.function) !== name || place.function === symbol)) {
        sites.push({ ...moduleSite(place, module), kind: place.kind });
      }
    }
    for (const { module, object, offset } of this.#holders.get(symbol) ?? []) {
      if (home === '' || module === home) holders.push({ object, module, offset, isCode: false });
    }
  }
}

function isDirect(kind: CallKind): kind is 'call' | 'jump' {
  return kind === 'call' || kind === 'jump';
}

function moduleSite({ function: symbol, offset, target }: ModulePlace, module: string): Omit<CallSite, 'kind'> {
  return { symbol, module, offset, target };
}

/** The trampolines of static calls that go to a function as the image is, with the jump that goes there. */
function trampolinesTo(graph: CallGraph, index: number): { trampoline: string; index: number; place: CallPlace }[] {
  const { functions } = graph.image;
  return graph.placesOf(index).flatMap((place) => {
    const at = place.kind === 'jump' ? functions.at(place.address) : -1;
    const trampoline = at < 0 ? undefined : functions.names(at).find((name) => name.startsWith(STATIC_CALL));
    return trampoline === undefined ? [] : [{ trampoline, index: at, place }];
  });
}

function bySymbol(a: CallSite, b: CallSite): number {
  if (a.module !== b.module) return a.module < b.module ? -1 : 1;
  if (a.symbol !== b.symbol) return a.symbol < b.symbol ? -1 : 1;
  return a.offset - b.offset;
}
