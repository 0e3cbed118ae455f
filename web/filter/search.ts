// What is typed into the search field: a text, or `/regex/`.

/** What is looked for. */
export interface Search {
  /** Whether a text contains it, whatever the case of its letters. */
  readonly matches: (text: string) => boolean;
  /** What is wrong with a regular expression; null for one that is right. Nothing matches a wrong one. */
  readonly problem: string | null;
}

const EVERYTHING: Search = { matches: () => true, problem: null };

/** Reads a search: `ext4`, `/^ext4_(da|mb)_/`. The empty one matches everything. */
export function parseSearch(text: string): Search {
  const wanted = text.trim();
  if (wanted === '') return EVERYTHING;
  const [, source] = /^\/(.+)\/$/s.exec(wanted) ?? [];
  if (source === undefined) {
    const lower = wanted.toLowerCase();
    return { matches: (candidate) => candidate.toLowerCase().includes(lower), problem: null };
  }
  try {
    const pattern = new RegExp(source, 'i');
    return { matches: (candidate) => pattern.test(candidate), problem: null };
  } catch {
    return { matches: () => false, problem: `${wanted} is not a regular expression` };
  }
}
