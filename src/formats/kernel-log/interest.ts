/**
 * Beginnings of lines that mean something where no trace is open: of headings, processes and frames, and of what may be
 * a prefix of an unknown form. All other lines are passed over without being looked at.
 */
const BEGINNINGS = [
  // frames, markers, prefixes, dropped messages, rules and chains of lockdep
  ...[' ', '\t', '[', '<', '(', '{', '*', '-', '.', '=', '|', '>', '@', '\x1b'],
  // headings of traces, registers and processes
  ...['Ca', 'Ba', 'RI', 'EI', 'PC', 'NI', 'CP', 'Pi', 'ta', 'To', 'Mi'],
  // reports
  ...['BU', 'IN', 'WA', 'UB', 'ke', 'Un', 'In', 'Oo', 'ge', 'di', 'st', 'in', 'PA', 'Ke', 'NM', 'sy', 'Sy', 'Ta', 'FA'],
  ...['Wa', 'wa', 'rc', 'x8', 'un', 'ir', 'ER'],
  // what is told by the kernel's checkers
  ...['re', 'wr', 'ra', 'as', 'Ou', 'Us', 'Co', 'ba', 'Pa', 'pa', 'Al', 'Fr', 'al', 'fr', 'kf', 'La', 'Se', 'Re', 'or'],
  ...['Lo', 'Th', 'pc'],
];

const ANY = 256;
const interesting = new Uint8Array(1 << 16);
for (const beginning of BEGINNINGS) {
  const first = beginning.charCodeAt(0) << 8;
  if (beginning.length === 2) interesting[first | beginning.charCodeAt(1)] = 1;
  else interesting.fill(1, first, first + ANY);
}

/** Whether a line may mean something by its first two bytes. */
export function isInteresting(buffer: Buffer, at: number): boolean {
  return interesting[((buffer[at] as number) << 8) | (buffer[at + 1] as number)] === 1;
}
