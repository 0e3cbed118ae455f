import type { Census } from '../../census/census.ts';
import type { CensusComment } from './encoding.ts';
import type { ProfileBytes, Sample } from './profile.ts';

/** What the values of samples mean. */
export interface Values {
  /** How many calls a sample is. */
  readonly calls: (sample: Sample) => number;
  /** Measures of the census, and the values that are added up in them. */
  readonly others: readonly { readonly measure: number; readonly column: number }[];
  /** Samples were taken now and then: they are no calls. */
  readonly areSamples: boolean;
}

/** Values of a census file: the calls, then the measures. */
export function ownValues({ measures }: CensusComment, census: Census): Values {
  const others = measures.map((measure, i) => ({ measure: census.measure(measure), column: i + 1 }));
  return { calls: (sample) => at(sample, 0), others, areSamples: false };
}

/** Counts of the samples themselves, which are to be preferred to those of objects. */
const SAMPLES = /^(?:calls|samples|events|contentions|alloc[-_]samples)$/;
const TIME = /^(?:nano|micro|milli)?seconds$/;

/**
 * Values of a profile of another program, which may have several kinds: the one that counts is the calls, the others are
 * sums. Time and bytes are no number of calls. A note says what was taken for the calls where it is not told.
 */
export function foreignValues(profile: ProfileBytes, census: Census): Values {
  const { sampleTypes, periodType, period } = profile;
  const isUsed = sampleTypes.map(() => false);
  profile.forEachSample(({ values }) => {
    for (let column = 0; column < isUsed.length; column++) isUsed[column] ||= (values[column] ?? 0) > 0;
  });
  const types = sampleTypes.map(({ name, unit }, column) => ({ name, unit, column, isUsed: isUsed[column] }));
  const used = types.filter(({ isUsed }) => isUsed);
  const counts = used.filter(({ unit }) => unit === 'count' || unit === '');
  const count = counts.find(({ name }) => SAMPLES.test(name)) ?? counts[0];
  const others = types
    .filter(({ column }) => column !== count?.column)
    .map(({ name, unit, column }) => ({ measure: census.measure({ name, unit, of: 'profile' }), column }));
  if (count) {
    const areSamples = count.name === 'samples';
    if (areSamples) census.note({ code: 'samples-counted', events: [periodType.name || count.name] });
    return { calls: (sample) => at(sample, count.column), others, areSamples };
  }
  const sum = used[0] ?? types[0] ?? { name: '', unit: '', column: 0 };
  // Samples were taken every so often: that long in one stack are so many samples.
  const every = TIME.test(sum.unit) && sum.unit === periodType.unit && period > 1 ? period : 0;
  census.note({ code: 'no-sample-counts', value: sum.name, unit: sum.unit, every });
  const calls = (sample: Sample) => {
    const value = at(sample, sum.column);
    if (!(value > 0 && Number.isSafeInteger(value))) return value;
    return every > 0 ? Math.max(1, Math.round(value / every)) : 1;
  };
  return { calls, others, areSamples: true };
}

function at({ values }: Sample, column: number): number {
  return values[column] ?? 0;
}
