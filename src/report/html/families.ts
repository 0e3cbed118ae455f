/**
 * Families of subsystems, as many as colours that can be told apart. The page gives each a colour and a button.
 * Unknown functions count as `core`.
 */
export const FAMILIES = [
  'scheduling',
  'time',
  'interrupts',
  'filesystems',
  'block',
  'memory',
  'network',
  'locking',
  'tasks',
  'drivers',
  'security',
  'core',
  'user',
] as const;

export type Family = (typeof FAMILIES)[number];

/** From the groups of `atlas/subsystems.tsv`, where these differ from the family. */
const FAMILY_OF_GROUP: Readonly<Record<string, Family>> = {
  entry: 'interrupts',
  fs: 'filesystems',
  net: 'network',
  ipc: 'tasks',
  cgroups: 'tasks',
  virt: 'drivers',
  power: 'drivers',
  tracing: 'security',
  debug: 'security',
  crypto: 'security',
  lib: 'core',
  arch: 'core',
};

/** The family of a group of subsystems; `core` for a group nobody knows. */
export function familyOfGroup(group: string): Family {
  const family = FAMILY_OF_GROUP[group] ?? FAMILIES.find((name) => name === group);
  return family ?? 'core';
}
