// The names that filters may ask for and that calls are grouped by; a test holds them against src/census/dimensions.ts.

/** Dimensions that calls are grouped by, in the order of the menu, each with what its values are. */
export const GROUPINGS: readonly (readonly [name: string, says: string])[] = [
  ['site', 'the function that decided to call'],
  ['subject', 'what the call is about, such as a red-black tree'],
  ['tree', 'the red-black tree that is inserted into'],
  ['subsystem', 'the part of the kernel that decided to call'],
  ['entry', 'where the path starts: a system call, an interrupt, a kernel thread'],
  ['syscall', 'the system call in which the path starts'],
  ['comm', 'the process name'],
  ['pid', 'the process'],
  ['cpu', 'the CPU'],
  ['target', 'the function that is called'],
  ['stack', 'the whole path'],
  ['argument', 'the recorded argument'],
  ['report', 'what the kernel reported'],
  ['phase', 'the phase of the benchmark'],
];

/** Everything a filter may ask for. */
export const FIELDS: readonly string[] = [...GROUPINGS.map(([name]) => name), 'frame', 'module'];
