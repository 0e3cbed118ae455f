/** How many things of a kind a sentence names. */
const MOST_NAMED = 4;

/** `a, b, c, d and 3 more` */
export function some(words: readonly string[]): string {
  const more = words.length - MOST_NAMED;
  return more > 0 ? `${words.slice(0, MOST_NAMED).join(', ')} and ${more} more` : words.join(', ');
}
