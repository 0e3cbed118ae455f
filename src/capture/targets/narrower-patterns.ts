/** How many are offered. */
const MOST_SHOWN = 4;

/**
 * Patterns for parts of too many names, the largest part first: `ext4_mb_*` for 61 of those that `ext4_*` matches.
 *
 * @param most so many names a part may have
 */
export function narrowerPatterns(names: readonly string[], most: number): { pattern: string; count: number }[] {
  const start = wordsInCommon(names);
  const parts = new Map<string, number>();
  for (const name of names) {
    const end = name.indexOf('_', start.length + 1);
    if (end < 0) continue;
    const pattern = `${name.slice(0, end + 1)}*`;
    parts.set(pattern, (parts.get(pattern) ?? 0) + 1);
  }
  return Array.from(parts, ([pattern, count]) => ({ pattern, count }))
    .filter(({ count }) => count > 1 && count <= most)
    .sort((a, b) => b.count - a.count || (a.pattern < b.pattern ? -1 : 1))
    .slice(0, MOST_SHOWN);
}

/** The start that all names share, up to an underscore: `ext4_`. */
function wordsInCommon(names: readonly string[]): string {
  let common = names[0] ?? '';
  for (const name of names) while (!name.startsWith(common)) common = common.slice(0, -1);
  return common.slice(0, common.lastIndexOf('_') + 1);
}
