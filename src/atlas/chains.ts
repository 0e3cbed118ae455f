/** Stands for any functions in between. */
const ANY = '…';

/** Whether a chain of callers (`a`, `…`, `c`) fits the functions of a path, from the site outwards. */
export function fitsChain(chain: readonly string[], names: readonly string[]): boolean {
  let at = 0;
  for (let i = 0; i < chain.length; i++) {
    const wanted = chain[i] as string;
    if (wanted === ANY) {
      at = names.indexOf(chain[i + 1] ?? '', at);
      if (at < 0) return false;
    } else if (names[at] !== wanted) return false;
    else at += 1;
  }
  return true;
}
