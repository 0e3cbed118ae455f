/** What a {@link Histogram} has counted, as plain data that can be handed to another thread. Values are microseconds. */
export interface HistogramCounts {
  readonly buckets: Float64Array;
  least: number;
  most: number;
  count: number;
  sum: number;
  squares: number;
}

/**
 * LevelDB's latency histogram: 154 buckets of about two significant digits, printed with percentages and bars.
 * Values are microseconds.
 */
export class Histogram {
  readonly counts: HistogramCounts;

  /** @param counts what was counted before, on another thread for example */
  constructor(counts: HistogramCounts = nothing()) {
    this.counts = counts;
  }

  add(micros: number): void {
    const { counts } = this;
    const bucket = bucketOf(micros);
    counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + 1;
    counts.least = Math.min(counts.least, micros);
    counts.most = Math.max(counts.most, micros);
    counts.count += 1;
    counts.sum += micros;
    counts.squares += micros * micros;
  }

  merge({ counts: other }: Histogram): void {
    const { counts } = this;
    for (const [bucket, count] of other.buckets.entries())
      counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + count;
    counts.least = Math.min(counts.least, other.least);
    counts.most = Math.max(counts.most, other.most);
    counts.count += other.count;
    counts.sum += other.sum;
    counts.squares += other.squares;
  }

  /** The value below which `percent` of all values lie, spread evenly within a bucket. */
  percentile(percent: number): number {
    const { buckets, count: all, least, most } = this.counts;
    const wanted = (all * percent) / 100;
    let below = 0;
    for (const [bucket, count] of buckets.entries()) {
      if (count > 0 && below + count >= wanted) {
        const left = lowerLimit(bucket);
        const value = left + ((LIMITS[bucket] ?? left) - left) * ((wanted - below) / count);
        return Math.min(Math.max(value, least), most);
      }
      below += count;
    }
    return most;
  }

  toString(): string {
    const { buckets, count: n, sum, squares, most, least: smallest } = this.counts;
    const mean = n === 0 ? 0 : sum / n;
    const deviation = n === 0 ? 0 : Math.sqrt(Math.max(0, (squares * n - sum * sum) / (n * n)));
    const least = n === 0 ? 0 : smallest;
    let text = `Count: ${n}  Average: ${mean.toFixed(4)}  StdDev: ${deviation.toFixed(2)}\n`;
    text += `Min: ${least.toFixed(4)}  Median: ${this.percentile(50).toFixed(4)}  Max: ${most.toFixed(4)}\n`;
    text += `${'-'.repeat(54)}\n`;
    let cumulative = 0;
    for (const [bucket, count] of buckets.entries()) {
      if (count === 0) continue;
      cumulative += count;
      const range = `[ ${whole(lowerLimit(bucket))}, ${whole(LIMITS[bucket] ?? 0)} ) ${whole(count)}`;
      const bar = '#'.repeat(Math.trunc((20 * count) / n + 0.5));
      text += `${range} ${percentage(count / n)} ${percentage(cumulative / n)} ${bar}\n`;
    }
    return text;
  }
}

/** Upper limits: 1 … 10, then 12, 14, 16, 18, 20, 25 … 50, 60 … 100 and so on per decade up to 9 000 000 000. */
const LIMITS: readonly number[] = bucketLimits();

function nothing(): HistogramCounts {
  return {
    buckets: new Float64Array(LIMITS.length),
    least: Number.POSITIVE_INFINITY,
    most: 0,
    count: 0,
    sum: 0,
    squares: 0,
  };
}

function bucketLimits(): number[] {
  const steps = [12, 14, 16, 18, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100];
  const limits = Array.from({ length: 10 }, (_, i) => i + 1);
  for (let decade = 1; decade <= 1e8; decade *= 10) limits.push(...steps.map((step) => step * decade));
  limits.length = 153; // the last decade stops at 9e9
  limits.push(1e200);
  return limits;
}

function bucketOf(micros: number): number {
  let low = 0;
  let high = LIMITS.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((LIMITS[middle] ?? 0) <= micros) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lowerLimit(bucket: number): number {
  return bucket === 0 ? 0 : (LIMITS[bucket - 1] ?? 0);
}

function whole(value: number): string {
  return value.toFixed(0).padStart(7);
}

function percentage(share: number): string {
  return `${(share * 100).toFixed(3).padStart(7)}%`;
}
