// Families of subsystems in words, for legend, card and table.

const WORDS: Readonly<Record<string, string>> = {
  scheduling: 'scheduling',
  time: 'time',
  interrupts: 'interrupts, entry',
  filesystems: 'filesystems',
  block: 'block I/O',
  memory: 'memory',
  network: 'network',
  locking: 'locking',
  tasks: 'tasks, ipc, cgroups',
  drivers: 'drivers, virt, power',
  security: 'security, tracing',
  core: 'core, lib, unknown',
  user: 'programs',
};

/** `block` is block I/O. */
export function familyWords(family: string): string {
  return WORDS[family] ?? family;
}
