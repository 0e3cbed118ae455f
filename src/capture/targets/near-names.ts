const MOST = 5;
/** How many letters may be wrong. */
const MOST_EDITS = 2;
/** Names shorter than this are too many others with two letters wrong. */
const SHORT = 5;

/** The names closest to a mistyped one, nearest first; at most five. */
export function nearNames(wanted: string, names: Iterable<string>): string[] {
  const found = new Map<string, number>();
  const lower = wanted.toLowerCase();
  for (const name of names) {
    if (found.has(name)) continue;
    const score = closeness(lower, name.toLowerCase());
    if (score !== null) found.set(name, score);
  }
  return [...found]
    .sort((a, b) => a[1] - b[1] || a[0].length - b[0].length || (a[0] < b[0] ? -1 : 1))
    .slice(0, MOST)
    .map(([name]) => name);
}

/** 0 the closest, null too far. Underscores before a name and missing parts are likelier slips than wrong letters. */
function closeness(wanted: string, name: string): number | null {
  const bare = name.replace(/^_+/, '');
  if (bare === wanted.replace(/^_+/, '')) return 0;
  if (Math.abs(name.length - wanted.length) <= MOST_EDITS) {
    const edits = editDistance(wanted, name);
    if (edits <= (wanted.length < SHORT ? 1 : MOST_EDITS)) return edits;
  }
  // `rb_insert` for rb_insert_color; a very short name stands in too many others
  if (wanted.length >= SHORT && (bare.startsWith(`${wanted}_`) || bare.endsWith(`_${wanted}`))) return MOST_EDITS + 1;
  return null;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours between two words; more than {@link MOST_EDITS} is not
 * told apart.
 */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > MOST_EDITS) return MOST_EDITS + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? MOST_EDITS + 1;
}
