// Lays the packed map from functions to source files out for looking single functions up: src/atlas/function-map.ts
// describes what comes of it. The packed map lists the names of one file after the other, because that compresses best;
// finding a name in it would mean to read all of it first.
//
// The packed map (written by tools/atlas-functions.ts, all text Latin-1):
//   u32 length of the header, header = JSON { kernels, names, files: [path, module, …] }
//   then for every file its names in byte order, each: versions, kept, rest; and 0 at the end of the file
//     versions  one byte, 1 + bit set of `kernels` that define the function there (never 0)
//     kept      one byte, 32 + number of leading characters shared with the name before
//     rest      the other characters; ended by the next byte below 32 (names hold none)

interface PackedHeader {
  readonly kernels: readonly string[];
  /** How many names there are. */
  readonly names: number;
  /** Path and module of each file, one after the other. */
  readonly files: readonly string[];
}

/** The packed map, as the program reads it. */
export function indexFunctions(packed: Buffer): Buffer {
  const length = packed.readUInt32LE(0);
  const { kernels, names, files } = JSON.parse(packed.toString('latin1', 4, 4 + length)) as PackedHeader;
  const fileCount = files.length / 2;
  if (fileCount > 0xffff) throw new Error('more files than two bytes can number');
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(1.5 * names)));
  const headings = new Uint32Array(fileCount);
  let header = JSON.stringify({ kernels, files: fileCount, slots: slots.length });
  header = header.padEnd(header.length + (-header.length & 3));
  let position = 4 + header.length + 4 * (headings.length + slots.length);
  const sections: string[] = [];
  const add = (text: string) => {
    sections.push(text);
    position += text.length;
  };
  let at = 4 + length;
  for (let file = 0; file < fileCount; file++) {
    headings[file] = position;
    add(`${files[2 * file]}\0${files[2 * file + 1]}\0`);
    for (let name = ''; packed[at] !== 0; ) {
      const end = endOfRest(packed, at + 2);
      name = name.slice(0, (packed[at + 1] ?? 32) - 32) + packed.toString('latin1', at + 2, end);
      insert(slots, name, position);
      add(String.fromCharCode(packed[at] ?? 0, file & 0xff, file >> 8) + name);
      at = end;
    }
    add('\0');
    at++;
  }
  const prefix = Buffer.alloc(4 + header.length);
  prefix.writeUInt32LE(header.length);
  prefix.write(header, 4, 'latin1');
  return Buffer.concat([prefix, words(headings), words(slots), Buffer.from(sections.join(''), 'latin1')]);
}

function endOfRest(packed: Buffer, from: number): number {
  let at = from;
  while ((packed[at] ?? 0) >= 32) at++;
  return at;
}

function insert(slots: Uint32Array, name: string, position: number): void {
  let hash = 0x2545f491;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  let slot = (hash ^ (hash >>> 15)) & (slots.length - 1);
  while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
  slots[slot] = position;
}

function words(array: Uint32Array): Buffer {
  const bytes = Buffer.alloc(4 * array.length);
  for (const [i, word] of array.entries()) bytes.writeUInt32LE(word, 4 * i);
  return bytes;
}
