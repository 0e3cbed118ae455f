// The map from functions to source files, as the build lays it out (tools/function-index.ts) for looking single functions
// up: a report asks for some dozens of 200,000, and reading all of it would take longer than everything else.
//
// Layout, all text Latin-1:
//   u32 length of the header, header = JSON { kernels, files, slots }, a multiple of 4 bytes with the length
//   u32 for every file: position of its path 0 module 0
//   u32 for every slot of a hash table: position of a name, 0 where free; collisions go to the next slot
//   paths and modules, and names: versions, u16 number of the file, name; and 0 at the end
//     versions  one byte, 1 + bit set of `kernels` that define the function there (never 0, below 32 as no byte of a name is)

/** One definition of a function. */
export interface Definition {
  /** Path in the kernel source. */
  readonly file: string;
  /** The module the file is built into where the kernel has it as a module, '' where it always belongs to the image. */
  readonly module: string;
  /** Bit set over `FunctionMap.kernels`: which of them define the function there. */
  readonly versions: number;
}

/** Gives bytes of a file: fewer than asked for at its end. */
export type ReadAt = (position: number, length: number) => Buffer;

/** Slots that are read at once; it takes two or three to find a name. */
const SLOTS_AT_ONCE = 16;
/** Where the name begins behind its position. */
const NAME_AT = 3;
/** Bytes that surely hold the path and the module of a file. */
const LONGEST_HEADING = 256;

export class FunctionMap {
  /** The kernel versions the map was made from, such as `6.1`. */
  readonly kernels: readonly string[];
  readonly #read: ReadAt;
  readonly #filesAt: number;
  readonly #slotsAt: number;
  readonly #slotCount: number;
  /** Those that were asked for. */
  readonly #files = new Map<number, Pick<Definition, 'file' | 'module'>>();

  constructor(read: ReadAt) {
    const headerLength = read(0, 4).readUInt32LE(0);
    const { kernels, files, slots } = JSON.parse(read(4, headerLength).toString('latin1'));
    this.kernels = kernels;
    this.#read = read;
    this.#filesAt = 4 + headerLength;
    this.#slotsAt = this.#filesAt + 4 * files;
    this.#slotCount = slots;
  }

  /** Every definition of a function; none where the map does not know it. */
  find(name: string): Definition[] {
    const wanted = Buffer.from(name, 'latin1');
    const found: Definition[] = [];
    for (const position of this.#candidates(wanted)) {
      const definition = this.#definitionAt(position, wanted);
      if (definition) found.push(definition);
    }
    return found.reverse();
  }

  /** Positions of the names whose hash may be that of this one. */
  *#candidates(name: Buffer): Generator<number> {
    const mask = this.#slotCount - 1;
    for (let slot = hashOf(name) & mask, count: number; ; slot = (slot + count) & mask) {
      count = Math.min(SLOTS_AT_ONCE, this.#slotCount - slot);
      const slots = this.#read(this.#slotsAt + 4 * slot, 4 * count);
      for (let i = 0; i < count; i++) {
        const position = slots.readUInt32LE(4 * i);
        if (position === 0) return;
        yield position;
      }
    }
  }

  /** What stands at the position of a name; null where it is another name. */
  #definitionAt(position: number, wanted: Buffer): Definition | null {
    const end = NAME_AT + wanted.length;
    const entry = this.#read(position, end + 1);
    // The file ends before a name as long as this one.
    if (entry.length < end) return null;
    if ((entry[end] ?? 0) >= 32 || wanted.compare(entry, NAME_AT, end) !== 0) return null;
    return { ...this.#file(entry.readUInt16LE(1)), versions: (entry[0] ?? 1) - 1 };
  }

  #file(number: number): Pick<Definition, 'file' | 'module'> {
    let found = this.#files.get(number);
    if (!found) {
      const position = this.#read(this.#filesAt + 4 * number, 4).readUInt32LE(0);
      const [file = '', module = ''] = this.#read(position, LONGEST_HEADING).toString('latin1').split('\0');
      found = { file, module };
      this.#files.set(number, found);
    }
    return found;
  }
}

/** The hash the build places names by. */
function hashOf(name: Buffer): number {
  let hash = 0x2545f491;
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash ^ (hash >>> 15);
}
