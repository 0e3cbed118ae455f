// Which of several functions of one name this is, told by what lies beside it in memory.
//
// A compiler keeps the functions of one source file together, and the linker keeps what the compiler made of one file
// together. So a static function whose name several files define is of the file to which the functions before and
// behind it belong, as far as their own names are of one file only.

import { filesOf } from './places.ts';

/** The function so many places behind (or before, where negative) in the order of addresses; null beyond the ends. */
export type NeighbourAt = (distance: number) => { readonly name: string; readonly module: string } | null;

/** How many neighbours on each side are looked at. */
const REACH = 12;

/**
 * The source file of a function whose name is ambiguous; null where its name settles it, or its neighbours do not.
 * `name` and the neighbours' names are normalised.
 */
export function fileByNeighbours(name: string, module: string, neighbourAt: NeighbourAt): string | null {
  const candidates = new Set(filesOf(name, module));
  if (candidates.size < 2) return null;
  const before = firstCertain(module, (distance) => neighbourAt(-distance));
  const behind = firstCertain(module, neighbourAt);
  if (before === behind) return before !== null && candidates.has(before) ? before : null;
  // At the first or the last function of a file only one side can speak for it; if both do, nothing is settled.
  const likely = [before, behind].filter((file) => file !== null && candidates.has(file));
  return likely.length === 1 ? (likely[0] ?? null) : null;
}

/** The file of the closest function on one side that only one file defines. */
function firstCertain(module: string, neighbourAt: NeighbourAt): string | null {
  for (let distance = 1; distance <= REACH; distance += 1) {
    const neighbour = neighbourAt(distance);
    if (!neighbour || neighbour.module !== module) return null;
    const files = filesOf(neighbour.name, module);
    const [only] = files;
    // What a header defines may be anywhere.
    if (only && files.length === 1 && !only.endsWith('.h')) return only;
  }
  return null;
}
