import { type Dimension, dimensionNamed } from './dimensions.ts';
import type { Group } from './group.ts';

const SEPARATOR = '\0';

/** A site calls about several subjects: `__vma_adjust` inserts into two trees. */
export const SITE_AND_SUBJECT: Dimension = {
  name: 'site',
  summary: 'the function that decided to call, and what the call is about',
  unknown: dimensionNamed('site')?.unknown ?? '',
  valueOf: ({ call: { site, labels } }) =>
    site === null ? null : `${site.name}${SEPARATOR}${labels.subject === null ? '' : labels.subject.id}`,
};

/** What several groups of different censuses have in common; null where a run has none of it. */
export interface Aligned {
  readonly key: string | null;
  readonly label: string;
  readonly groups: (Group | null)[][];
}

/** Puts groups of the same value beside each other. */
export function align(sides: readonly (readonly (readonly Group[])[])[]): Aligned[] {
  const found = new Map<string, Aligned>();
  for (const [side, runs] of sides.entries()) {
    for (const [run, groups] of runs.entries()) {
      for (const group of groups) {
        const id = `${group.key === null ? '?' : '='}${group.label}`;
        let one = found.get(id);
        if (!one) {
          one = { key: group.key, label: group.label, groups: sides.map((all) => all.map(() => null)) };
          found.set(id, one);
        }
        const own = one.groups[side];
        if (own) own[run] = group;
      }
    }
  }
  return joinUnlabelled([...found.values()]);
}

/** One site of which one side knows the subject and another does not is the same group, where no run has both. */
function joinUnlabelled(all: readonly Aligned[]): Aligned[] {
  const bySite = new Map<string, Aligned[]>();
  for (const one of all) {
    const site = one.key?.split(SEPARATOR)[0] ?? '';
    const others = bySite.get(site);
    if (others) others.push(one);
    else bySite.set(site, [one]);
  }
  const gone = new Set<Aligned>();
  for (const [one, other, ...more] of bySite.values()) {
    if (!one || !other || more.length > 0) continue;
    const [plain, named] = one.key?.endsWith(SEPARATOR) ? [one, other] : [other, one];
    const isApart = plain.groups.every((runs, side) =>
      runs.every((group, run) => group === null || !named.groups[side]?.[run]),
    );
    if (!plain.key?.endsWith(SEPARATOR) || named.key === null || !isApart) continue;
    for (const [side, runs] of plain.groups.entries()) {
      for (const [run, group] of runs.entries()) {
        const own = named.groups[side];
        if (own && group !== null) own[run] = group;
      }
    }
    gone.add(plain);
  }
  return all.filter((one) => !gone.has(one));
}
