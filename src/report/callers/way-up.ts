import { kernelKnowledge } from '../../atlas/knowledge.ts';
import { normaliseSymbol } from '../../census/symbol-name.ts';
import type { CallerFinder } from '../../image/callers.ts';

/** How a function can be reached from where the kernel is entered, or from an object through which it is called. */
export interface WayUp {
  /** From the function's caller outwards; the last one is the entry, or the function whose address is kept. */
  readonly functions: readonly string[];
  /** The object that keeps the last one's address: `dl_sched_class+0x0`; '' for an entry. */
  readonly heldBy: string;
}

/** Functions that are looked at for one way. */
const MOST_LOOKED_AT = 400;

/**
 * The shortest way from a function up to an entry (a system call, an interrupt, a thread) or to data that keep the address
 * of a function on it; null where there is none among the nearest.
 */
export function wayUp(name: string, module: string, finder: CallerFinder): WayUp | null {
  interface Step {
    readonly name: string;
    readonly module: string;
    readonly from: Step | null;
    readonly note: string;
  }
  const seen = new Set([`${module}\0${name}`]);
  const queue: Step[] = [{ name, module, from: null, note: '' }];
  const functionsTo = (step: Step): string[] => {
    const functions: string[] = [];
    for (let at: Step | null = step; at?.from; at = at.from) functions.unshift(at.name + at.note);
    return functions;
  };
  for (let next = 0; next < queue.length && next < MOST_LOOKED_AT; next++) {
    const step = queue[next] as Step;
    const role = kernelKnowledge().role(step.name);
    if (role?.entry || role?.boundary) return { functions: functionsTo(step), heldBy: '' };
    const { sites, holders } = finder.callersOf(step.name, step.module);
    const held = holders.find(({ isCode }) => !isCode);
    if (held) return { functions: functionsTo(step), heldBy: `${held.object}+0x${held.offset.toString(16)}` };
    const add = (symbol: string, of: string, note: string): void => {
      const caller = normaliseSymbol(symbol);
      const key = `${of}\0${caller}`;
      if (seen.has(key)) return;
      seen.add(key);
      queue.push({ name: caller, module: of, from: step, note });
    };
    for (const site of sites) add(site.symbol, site.module, '');
    // A callback: whoever takes its address has it called.
    for (const holder of holders) if (holder.isCode) add(holder.object, holder.module, ' (takes its address)');
  }
  return null;
}
