import { READERS } from '../../src/formats/registry.ts';
import { caseSeed, Dice } from './dice.ts';
import { grow, mutate } from './mutate.ts';
import { PACKERS } from './pack.ts';
import type { Seeds } from './seeds.ts';

/** One input and how it is to be read. */
export interface Case {
  readonly bytes: Buffer;
  /** Name of the reader that is to take it; null: told by the content. */
  readonly reader: string | null;
  /** Size of the pieces in which it comes. */
  readonly chunk: number;
  /** What is looked at besides reading: it takes longer, so not always. */
  readonly depth: 'read' | 'report' | 'all';
}

/** Large ones are few, because one of them takes as long as a thousand small ones. */
const SIZES = [
  [0.01, 100_000],
  [0.0006, 1_000_000],
  [0.00006, 10_000_000],
] as const;

/** How cases are chosen. */
export interface CaseOptions {
  readonly seed: number;
  /** Only inputs for this reader. */
  readonly format: string | null;
}

/** Case `number` of a run: the same for the same seed and the same recordings. */
export function makeCase(seeds: Seeds, { seed, format }: CaseOptions, number: number): Case {
  const dice = new Dice(caseSeed(seed, number));
  const name = format ?? dice.pick(READERS).name;
  const own = seeds.ofReader.get(name) ?? [];
  const pool = own.length > 0 ? own : seeds.all;
  let bytes = dice.chance(0.03) ? dice.pick(seeds.all) : dice.pick(pool);
  const size = SIZES.find(([probability]) => dice.chance(probability))?.[1];
  if (size !== undefined) bytes = grow(dice, bytes, dice.few(size));
  for (let changes = dice.below(5); changes > 0 && bytes.length > 0; changes--) bytes = mutate(dice, bytes, pool);
  if (dice.chance(0.03)) {
    bytes = dice.pick(PACKERS)(bytes);
    if (dice.chance(0.3)) bytes = mutate(dice, bytes, pool);
  }
  return {
    bytes,
    reader: format !== null || dice.chance(0.6) ? name : null,
    chunk: dice.chance(0.5) || bytes.length > 100_000 ? 1 << 20 : dice.few(1000),
    depth: dice.chance(0.03) ? 'all' : dice.chance(0.1) ? 'report' : 'read',
  };
}
