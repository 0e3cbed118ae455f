/** One figure of repeated runs. Of a single run all of it is the one value. */
export interface Spread {
  /** The value of each run, in the order the runs were given. */
  readonly runs: readonly number[];
  /** The middle value; of an even number of runs the mean of the two in the middle. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** How one figure changed from one set of runs to another. */
export interface Difference {
  /** Between the medians. */
  readonly absolute: number;
  /** `absolute` as a share of the base's median: 0.05 for 5 % more; null where that is 0. */
  readonly relative: number | null;
  /**
   * Whether the runs of the two sides do not overlap: every run of one is above every run of the other. null where both
   * sides are of one run, of which nobody knows how far another would lie off.
   */
  readonly beyondSpread: boolean | null;
}

/** @throws {RangeError} no value */
export function spreadOf(runs: readonly number[]): Spread {
  const sorted = [...runs].sort((a, b) => a - b);
  const [least] = sorted;
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) throw new RangeError('the spread of no runs');
  const above = sorted[sorted.length >> 1] ?? most;
  const below = sorted[(sorted.length - 1) >> 1] ?? least;
  return { runs, median: (above + below) / 2, least, most };
}

export function differenceOf(base: Spread, other: Spread): Difference {
  const absolute = other.median - base.median;
  const isRepeated = base.runs.length > 1 || other.runs.length > 1;
  return {
    absolute,
    relative: base.median === 0 ? null : absolute / base.median,
    beyondSpread: isRepeated ? other.least > base.most || other.most < base.least : null,
  };
}
