/** Type of the note that holds the build id, of the vendor `GNU`. */
const GNU_BUILD_ID = 3;

/** The build id among ELF notes (elf(5)), in hexadecimal digits; '' where there is none. */
export function buildIdOfNotes(notes: Buffer): string {
  for (let at = 0; at + 16 <= notes.length; ) {
    const nameSize = (notes.readUInt32LE(at) + 3) & ~3;
    const size = notes.readUInt32LE(at + 4);
    const start = at + 12 + nameSize;
    const isGnu = notes.toString('latin1', at + 12, at + 16) === 'GNU\0';
    if (isGnu && notes.readUInt32LE(at + 8) === GNU_BUILD_ID) return notes.toString('hex', start, start + size);
    const next = start + ((size + 3) & ~3);
    if (next <= at) break;
    at = next;
  }
  return '';
}
