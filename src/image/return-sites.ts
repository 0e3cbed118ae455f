import type { CallGraph, CallPlace } from './call-graph.ts';
import type { LookedAtModule } from './callers.ts';
import type { ModulePlace } from './module-calls.ts';
import { BRANCH, stepX86, type X86Instruction } from './x86-length.ts';

/** A frame as stacks have it: the function, and where in it the call returns to. */
export interface ReturnFrame {
  /** As the image names the function. */
  readonly symbol: string;
  /** '' for the kernel image. */
  readonly module: string;
  readonly offset: number;
}

/** An instruction that reached the target, as {@link CallSite} names it, with the functions jumped through on the way. */
export interface ReachedSite {
  readonly symbol: string;
  readonly module: string;
  readonly offset: number;
  /** Functions that left no frame, from the caller inwards; the last is the one the site stands in. */
  readonly through: readonly string[];
}

/** What a return address tells of the call that it is of. */
export type Return =
  | { readonly kind: 'site'; readonly site: ReachedSite }
  /** One of several jumps, of which none leaves a frame. */
  | { readonly kind: 'one of'; readonly sites: readonly ReachedSite[] }
  /** The call went through a pointer. */
  | { readonly kind: 'pointer' }
  /** The function is in nothing that was looked at. */
  | { readonly kind: 'unknown function' }
  /** No call of the target returns there: the stack is wrong, or the image is another. */
  | { readonly kind: 'no site' };

/** Jumps that are followed one after another. */
const MOST_JUMPS = 4;
/** Longest call instruction, in bytes. */
const LONGEST = 15;
/** What calls and jumps through pointers go to where processors are not to guess (retpolines). */
const THUNK = /^__x86_indirect_/;

/** A branch of a function, wherever that is. */
interface Branch {
  readonly symbol: string;
  readonly module: string;
  readonly offset: number;
  /** '' through a pointer. */
  readonly target: string;
}

/** Finds the call that a frame's return address is of. */
export class ReturnSites {
  readonly #graph: CallGraph;
  /** By module and function. */
  readonly #inModules = new Map<string, ModulePlace[]>();
  readonly #modules: ReadonlySet<string>;
  readonly #jumps = new Map<string, readonly Branch[]>();

  /** @param modules looked at whole */
  constructor(graph: CallGraph, modules: readonly LookedAtModule[]) {
    this.#graph = graph;
    this.#modules = new Set(modules.map(({ name }) => name));
    for (const { name, calls } of modules) {
      for (const place of calls.places) {
        const key = `${name} ${place.function}`;
        const known = this.#inModules.get(key);
        if (known) known.push(place);
        else this.#inModules.set(key, [place]);
      }
    }
  }

  /**
   * What called a target.
   *
   * @param targets names of the target in the image: its own, the compiler's copies, static call trampolines to it
   */
  siteOf(frame: ReturnFrame, targets: ReadonlySet<string>): Return {
    const call = this.#callBefore(frame);
    if (call === 'unknown function') return { kind: call };
    if (call === null) return { kind: 'no site' };
    const { symbol, module, offset, target } = call;
    if (target === '') return { kind: 'pointer' };
    if (targets.has(target)) return { kind: 'site', site: { symbol, module, offset, through: [] } };
    const sites: ReachedSite[] = [];
    const hasPointer = this.#follow(target, this.#homeOf(target, module), targets, [], sites);
    if (sites.length === 1 && sites[0]) return { kind: 'site', site: sites[0] };
    if (sites.length > 1) return { kind: 'one of', sites };
    return { kind: hasPointer ? 'pointer' : 'no site' };
  }

  /** Collects the jumps to the targets that a function may end in. @returns whether one goes through a pointer */
  #follow(
    symbol: string,
    module: string,
    targets: ReadonlySet<string>,
    through: readonly string[],
    sites: ReachedSite[],
  ): boolean {
    if (through.length >= MOST_JUMPS || through.includes(symbol)) return false;
    let hasPointer = false;
    for (const { offset, target } of this.#jumpsOf(symbol, module)) {
      const way = [...through, symbol];
      if (target === '') hasPointer = true;
      else if (targets.has(target)) sites.push({ symbol, module, offset, through: way });
      else if (this.#follow(target, this.#homeOf(target, module), targets, way, sites)) hasPointer = true;
    }
    return hasPointer;
  }

  /** Where a function lives that code of a module names: there, else in the kernel. */
  #homeOf(symbol: string, module: string): string {
    return module !== '' && this.#inModules.has(`${module} ${symbol}`) ? module : '';
  }

  #callBefore({ symbol, module, offset }: ReturnFrame): Branch | null | 'unknown function' {
    if (module !== '') {
      if (!this.#modules.has(module)) return 'unknown function';
      const places = this.#inModules.get(`${module} ${symbol}`) ?? [];
      const place = places.find((one) => one.offset + one.length === offset && isCall(one.kind));
      return place ? branchOf(place, module) : null;
    }
    const { functions } = this.#graph.image;
    const indices = functions.named(symbol).filter((index) => functions.names(index).includes(symbol));
    if (indices.length === 0) return 'unknown function';
    for (const index of indices) {
      const end = functions.address(index) + offset;
      const place = this.#graph
        .placesWithin(end - LONGEST, end)
        .findLast((one) => isCall(one.kind) && one.address + this.#lengthAt(one.address) === end);
      if (place) return this.#branchAt(place, symbol, functions.address(index));
    }
    return null;
  }

  #branchAt({ address, target }: CallPlace, symbol: string, start: number): Branch {
    const name = target < 0 ? '' : this.#graph.image.functions.name(target);
    return {
      symbol,
      module: '',
      offset: address - start,
      target: THUNK.test(name) ? '' : name,
    };
  }

  #lengthAt(address: number): number {
    const { image } = this.#graph;
    if (image.architecture === 'arm64') return 4;
    const bytes = image.bytesAt(address, LONGEST);
    if (!bytes) return 0;
    // An alternative is as long as what it replaces: those of calls are calls of five bytes.
    const found: X86Instruction = { branch: BRANCH.none, displacement: 0, field: 0 };
    const length = stepX86(bytes, 0, bytes.length, found);
    return this.#graph.isMoved(address) && found.branch !== BRANCH.call ? CALL_LENGTH : length;
  }

  #jumpsOf(symbol: string, module: string): readonly Branch[] {
    const key = `${module} ${symbol}`;
    let jumps = this.#jumps.get(key);
    if (!jumps) {
      jumps = module === '' ? this.#imageJumps(symbol) : this.#moduleJumps(key, module);
      this.#jumps.set(key, jumps);
    }
    return jumps;
  }

  #moduleJumps(key: string, module: string): Branch[] {
    return (this.#inModules.get(key) ?? []).filter(({ kind }) => isJump(kind)).map((place) => branchOf(place, module));
  }

  #imageJumps(symbol: string): Branch[] {
    const { functions } = this.#graph.image;
    return functions
      .named(symbol)
      .filter((index) => functions.names(index).includes(symbol))
      .flatMap((index) => {
        const start = functions.address(index);
        const end = functions.addresses[index + 1] ?? start;
        return this.#graph
          .placesWithin(start, end)
          .filter(({ kind }) => isJump(kind))
          .map((place) => this.#branchAt(place, symbol, start));
      });
  }
}

const CALL_LENGTH = 5;

function isCall(kind: string): boolean {
  return kind === 'call' || kind === 'pointer call';
}

function isJump(kind: string): boolean {
  return kind === 'jump' || kind === 'pointer jump';
}

function branchOf({ function: symbol, offset, target }: ModulePlace, module: string): Branch {
  return { symbol, module, offset, target: THUNK.test(target) ? '' : target };
}
