/**
 * LevelDB's latency histogram: 154 buckets of about two significant digits, printed with percentages and bars.
 * Values are microseconds.
 */
export class Histogram {
  readonly #buckets = new Float64Array(LIMITS.length);
  #least = Number.POSITIVE_INFINITY;
  #most = 0;
  #count = 0;
  #sum = 0;
  #squares = 0;

  add(micros: number): void {
    this.#buckets[bucketOf(micros)] = (this.#buckets[bucketOf(micros)] ?? 0) + 1;
    this.#least = Math.min(this.#least, micros);
    this.#most = Math.max(this.#most, micros);
    this.#count += 1;
    this.#sum += micros;
    this.#squares += micros * micros;
  }

  merge(other: Histogram): void {
    for (const [bucket, count] of other.#buckets.entries())
      this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + count;
    this.#least = Math.min(this.#least, other.#least);
    this.#most = Math.max(this.#most, other.#most);
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#squares += other.#squares;
  }

  /** The value below which `percent` of all values lie, spread evenly within a bucket. */
  percentile(percent: number): number {
    const wanted = (this.#count * percent) / 100;
    let below = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      if (count > 0 && below + count >= wanted) {
        const left = lowerLimit(bucket);
        const value = left + ((LIMITS[bucket] ?? left) - left) * ((wanted - below) / count);
        return Math.min(Math.max(value, this.#least), this.#most);
      }
      below += count;
    }
    return this.#most;
  }

  toString(): string {
    const n = this.#count;
    const mean = n === 0 ? 0 : this.#sum / n;
    const deviation = n === 0 ? 0 : Math.sqrt(Math.max(0, (this.#squares * n - this.#sum * this.#sum) / (n * n)));
    const least = n === 0 ? 0 : this.#least;
    let text = `Count: ${n}  Average: ${mean.toFixed(4)}  StdDev: ${deviation.toFixed(2)}\n`;
    text += `Min: ${least.toFixed(4)}  Median: ${this.percentile(50).toFixed(4)}  Max: ${this.#most.toFixed(4)}\n`;
    text += `${'-'.repeat(54)}\n`;
    let cumulative = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
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
