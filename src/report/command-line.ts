const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** Words of a command as they would be typed into a shell: `sh -c 'head -c 3; cat'`. */
export function commandLine(words: readonly string[]): string {
  return words.map((word) => (PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
