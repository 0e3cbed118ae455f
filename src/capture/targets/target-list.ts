import type { KernelFunction } from '../symbols/function-map.ts';
import type { FunctionTarget, Target } from './target.ts';

/** Gathers targets such that no place in the code is counted twice and each target has a name of its own. */
export class TargetList {
  /** Targets that are nothing but other names of what is counted already, with the names it is counted by. */
  readonly aliases = new Map<string, string>();
  readonly #targets: Target[] = [];
  /** The target that counts a place, by place. */
  readonly #counted = new Map<string, string>();

  /** Adds what of a target is not counted yet. */
  add(target: Target): void {
    const places = placesOf(target);
    const rest = atPlaces(target, (place) => !this.#counted.has(place));
    if (rest) {
      this.#targets.push(rest);
      for (const place of placesOf(rest)) this.#counted.set(place, rest.name);
      return;
    }
    const counted = this.#counted.get(places[0] ?? '');
    if (counted === undefined) return;
    if (counted !== target.name) this.aliases.set(target.name, counted);
    if (target.pattern === undefined) this.#name(places);
  }

  /** What is counted at some places has been named now. */
  #name(places: readonly string[]): void {
    for (const [index, target] of this.#targets.entries()) {
      if (target.pattern === undefined || !placesOf(target).some((place) => places.includes(place))) continue;
      const { pattern, ...named } = target;
      this.#targets[index] = named;
    }
  }

  get size(): number {
    return this.#targets.length;
  }

  /** Names of the targets, of which several may have one. */
  names(): string[] {
    return this.#targets.map(({ name }) => name);
  }

  /**
   * The targets in the order they came. Those of one name are called by their modules, else as the compiler calls them.
   */
  all(): Target[] {
    return this.#targets.map((target) => {
      const rivals = this.#targets.filter((other) => other !== target && other.name === target.name);
      if (rivals.length === 0 || target.kind !== 'function') return target;
      const modules = modulesOf(target);
      const isApart = rivals.flatMap(modulesOf).every((module) => !modules.includes(module));
      return { ...target, name: isApart ? nameInModule(target) : (target.functions[0]?.name ?? target.name) };
    });
  }
}

function placesOf(target: Target): string[] {
  if (target.kind === 'function') return target.functions.map(placeOfFunction);
  if (target.kind === 'user') return target.offsets.map((offset) => `${target.file}@${offset}`);
  return [target.name];
}

/** Where addresses are hidden all of them are 0. */
function placeOfFunction({ address, module, name }: KernelFunction): string {
  return address === 0 ? `${module}:${name}` : `${address}`;
}

/** What of a target lies at some places, each of them once; null where nothing does. */
function atPlaces(target: Target, isWanted: (place: string) => boolean): Target | null {
  const places = placesOf(target);
  const isKept = (_: unknown, index: number) => {
    const place = places[index] ?? '';
    return isWanted(place) && places.indexOf(place) === index;
  };
  if (!places.some((place) => isWanted(place))) return null;
  if (target.kind === 'function') return { ...target, functions: target.functions.filter(isKept) };
  if (target.kind === 'user') return { ...target, offsets: target.offsets.filter(isKept) };
  return target;
}

function modulesOf(target: Target): readonly string[] {
  return target.kind === 'function' ? target.functions.map(({ module }) => module) : [];
}

function nameInModule(target: FunctionTarget): string {
  const [module, ...others] = new Set(modulesOf(target));
  return others.length > 0 ? target.name : `${module || 'vmlinux'}:${target.name}`;
}
