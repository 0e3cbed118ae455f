/** The oldest and newest kernels whose sources the atlas was read against. */
const OLDEST_READ = '6.1';
const NEWEST_READ = '6.12';

/** A text that is the same for every kernel, or one per range of kernels: `{ '-6.11': …, '6.12-': … }`. */
export type Versioned = string | Readonly<Record<string, string>>;

/**
 * Whether a kernel lies in a range: `4.14-6.12`, `-6.8`, `6.9-`, `6.1`. Where the sources that were read end, a range
 * that reaches there goes on: nobody has looked further. A release that is not known lies in every range.
 *
 * @param release `6.1.0-56-amd64`, or '' where it is not known
 */
export function isInRange(release: string, range: string): boolean {
  const at = ordinal(release);
  if (at === null) return true;
  const [first = '', last = range.includes('-') ? '' : first] = range.split('-');
  const from = first === OLDEST_READ ? null : ordinal(first);
  const to = last === NEWEST_READ ? null : ordinal(last);
  return (from === null || at >= from) && (to === null || at <= to);
}

/** The text for a kernel; for one that is not known that of the newest. */
export function textFor(text: Versioned, release: string): string {
  if (typeof text === 'string') return text;
  const fitting = Object.entries(text).filter(([range]) => isInRange(release, range));
  return fitting.at(-1)?.[1] ?? '';
}

/** Of releases and ends of ranges, of which there are few and which are asked for all the time. */
const ordinals = new Map<string, number | null>();

/** `6.12.117+deb12-amd64` as a number that versions can be compared by; null where there is none. */
function ordinal(release: string): number | null {
  let number = ordinals.get(release);
  if (number === undefined) {
    const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
    number = major === undefined ? null : Number(major) * 1000 + Number(minor);
    ordinals.set(release, number);
  }
  return number;
}
