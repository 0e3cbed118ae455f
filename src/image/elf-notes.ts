/** A note of an ELF file. */
interface ElfNote {
  /** Who made it: `GNU`, `Xen`. */
  readonly vendor: string;
  readonly type: number;
  readonly content: Buffer;
}

/** Type of the note that holds the build id, of the vendor `GNU`. */
const GNU_BUILD_ID = 3;

/** The notes of a section or segment of them (elf(5)), as far as they are whole. */
export function* elfNotes(bytes: Buffer): Generator<ElfNote> {
  for (let at = 0; at + 12 <= bytes.length; ) {
    const nameLength = bytes.readUInt32LE(at);
    const start = at + 12 + padded(nameLength);
    const end = start + bytes.readUInt32LE(at + 4);
    yield {
      vendor: bytes.toString('latin1', at + 12, at + 12 + nameLength).split('\0', 1)[0] ?? '',
      type: bytes.readUInt32LE(at + 8),
      content: bytes.subarray(start, end),
    };
    at = start + padded(end - start);
  }
}

/** The build id among notes, in hexadecimal digits; '' where there is none. */
export function buildIdOfNotes(notes: Buffer): string {
  for (const { vendor, type, content } of elfNotes(notes)) {
    if (vendor === 'GNU' && type === GNU_BUILD_ID) return content.toString('hex');
  }
  return '';
}

/** Names and contents begin at multiples of four bytes. */
function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
