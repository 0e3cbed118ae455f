import type { Census } from '../census/census.ts';
import type { TargetId } from '../census/row-table.ts';
import { NO_OFFSET, type StackId } from '../census/stack-table.ts';
import type { CallSite, FunctionCallers } from '../image/callers.ts';
import type { ReachedSite, Return, ReturnSites } from '../image/return-sites.ts';

/** A call site of a target, and what a census says of it. */
export interface CoveredSite extends CallSite {
  readonly state: 'used' | 'not used' | 'not told apart';
  /** Calls that came through it for certain. */
  readonly calls: number;
}

/** Calls whose return address is no call of the target. */
export interface StrangeFrame {
  /** `insert_vmap_area+0xae`. */
  readonly frame: string;
  readonly calls: number;
}

/** Which of the sites of one target a census exercised. */
export interface TargetCoverage {
  readonly name: string;
  readonly sites: readonly CoveredSite[];
  /** All calls of the target that have a stack. */
  readonly calls: number;
  /** Calls through one site, for certain. */
  readonly throughSites: number;
  /** Calls through one of several jumps that leave no frame. */
  readonly notToldApart: number;
  /** Calls through a pointer. */
  readonly throughPointers: number;
  /** Calls by functions of modules, or of programs, that nobody looked at. */
  readonly notLookedAt: number;
  /** Calls whose stack ends before the caller, or does not say where in it. */
  readonly noOffset: number;
  /** Calls that return to where nothing calls the target: wrong stacks, or another kernel image. */
  readonly strange: number;
  /** Most calls first. */
  readonly strangeFrames: readonly StrangeFrame[];
}

/** A target with the names it has in the image, and who can call it. */
export interface CoveredTarget {
  readonly callers: FunctionCallers;
  /** Its own, those of the compiler's copies, and of static call trampolines to it. */
  readonly names: ReadonlySet<string>;
}

/** Says for each target which call sites a census exercised. Rows without a known target are left out. */
export function coverageOf(census: Census, targets: readonly CoveredTarget[], lookup: CallerLookup): TargetCoverage[] {
  return targets.map((target) => new TargetCounter(census, target, lookup).count());
}

/** Finds the caller of the target on stacks of a census, and the call site it returns to; each stack once. */
export class CallerLookup {
  readonly #census: Census;
  readonly #returns: ReturnSites;
  readonly #targets = new Map<string, CoveredTarget>();
  readonly #found = new Map<string, Return>();

  constructor(census: Census, targets: readonly CoveredTarget[], returns: ReturnSites) {
    this.#census = census;
    this.#returns = returns;
    for (const target of targets) {
      const { name, module } = target.callers;
      this.#targets.set(name, target);
      this.#targets.set(`${module || 'vmlinux'}:${name}`, target);
    }
  }

  /** The target that a row counts; undefined where it is none of those that are looked for. */
  targetOf(target: TargetId): CoveredTarget | undefined {
    return this.#targets.get(this.#census.targets[target] ?? '');
  }

  /** What the stack's return address tells; null where it tells nothing. */
  of(stack: StackId, target: TargetId): Return | null {
    const covered = this.targetOf(target);
    const caller = this.callerOf(stack, target);
    if (!covered || caller === null) return null;
    const key = `${caller} ${covered.callers.name}`;
    let found = this.#found.get(key);
    if (!found) {
      found = this.#returns.siteOf(this.frameAt(caller), covered.names);
      this.#found.set(key, found);
    }
    return found;
  }

  /** The prefix of a stack that ends with the caller of the target; null where the stack does not tell it. */
  callerOf(stack: StackId, target: TargetId): StackId | null {
    const names = this.targetOf(target)?.names;
    const { stacks, symbols } = this.#census;
    for (const [i, at] of stacks.prefixes(stack).entries()) {
      const symbol = stacks.symbol(at);
      if (stacks.isUnreliable(at)) continue;
      if (symbols.space(symbol) !== 'kernel') return null;
      if (i === 0 && names?.has(symbols.raw(symbol))) continue;
      // What the compiler put into its caller has no frame of its own.
      if (stacks.isInlined(at)) continue;
      return stacks.offset(at) === NO_OFFSET ? null : at;
    }
    return null;
  }

  /** The outermost frame of a stack. */
  frameAt(at: StackId): { symbol: string; module: string; offset: number } {
    const { stacks, symbols } = this.#census;
    const symbol = stacks.symbol(at);
    const module = symbols.module(symbol).replaceAll('-', '_');
    return { symbol: symbols.raw(symbol), module, offset: stacks.offset(at) };
  }
}

class TargetCounter {
  readonly #census: Census;
  readonly #target: CoveredTarget;
  readonly #lookup: CallerLookup;
  readonly #bySite = new Map<string, { calls: number; mayBe: boolean }>();
  readonly #strange = new Map<string, number>();
  readonly #sums = { calls: 0, site: 0, 'one of': 0, pointer: 0, 'unknown function': 0, 'no site': 0, noOffset: 0 };

  constructor(census: Census, target: CoveredTarget, lookup: CallerLookup) {
    this.#census = census;
    this.#target = target;
    this.#lookup = lookup;
  }

  count(): TargetCoverage {
    const { callers } = this.#target;
    for (let number = 0; number < this.#census.rows.size; number++) {
      const { stack, target, count } = this.#census.rows.row(number);
      if (this.#lookup.targetOf(target) === this.#target) this.#add(stack, target, count);
    }
    const sites = callers.sites.map((site): CoveredSite => {
      const own = this.#bySite.get(keyOf(site));
      const state = (own?.calls ?? 0) > 0 ? 'used' : own?.mayBe ? 'not told apart' : 'not used';
      return { ...site, state, calls: own?.calls ?? 0 };
    });
    return {
      name: callers.name,
      sites,
      calls: this.#sums.calls,
      throughSites: this.#sums.site,
      notToldApart: this.#sums['one of'],
      throughPointers: this.#sums.pointer,
      notLookedAt: this.#sums['unknown function'],
      noOffset: this.#sums.noOffset,
      strange: this.#sums['no site'],
      strangeFrames: [...this.#strange].map(([frame, calls]) => ({ frame, calls })).sort((a, b) => b.calls - a.calls),
    };
  }

  #add(stack: StackId, target: TargetId, count: number): void {
    this.#sums.calls += count;
    const found = this.#lookup.of(stack, target);
    if (found === null) {
      this.#sums.noOffset += count;
      return;
    }
    this.#sums[found.kind] += count;
    if (found.kind === 'site') this.#siteOf(found.site).calls += count;
    else if (found.kind === 'one of') for (const site of found.sites) this.#siteOf(site).mayBe = true;
    else if (found.kind === 'no site') {
      const { symbol, module, offset } = this.#lookup.frameAt(this.#lookup.callerOf(stack, target) as StackId);
      const frame = `${symbol}+0x${offset.toString(16)}${module === '' ? '' : ` [${module}]`}`;
      this.#strange.set(frame, (this.#strange.get(frame) ?? 0) + count);
    }
  }

  #siteOf(site: ReachedSite): { calls: number; mayBe: boolean } {
    const key = keyOf(site);
    let own = this.#bySite.get(key);
    if (!own) {
      own = { calls: 0, mayBe: false };
      this.#bySite.set(key, own);
    }
    return own;
  }
}

function keyOf({ module, symbol, offset }: { module: string; symbol: string; offset: number }): string {
  return `${module}\0${symbol}\0${offset}`;
}
