// The packed map from functions to source files (written by tools/atlas-functions.ts, unpacked by the build).
//
// Why this shape: the names of one file share prefixes, so listing them file by file and front-coded compresses best,
// but a lookup needs the reverse. Building a Map of 200,000 strings takes longer than everything else at start-up;
// instead one pass hashes the front-coded bytes (hashing only the changed end of each name) into a table of offsets,
// and a lookup decodes the few names whose hash fits.
//
// Layout, before compression by Brotli in atlas/ and as it stands in dist/atlas/, all text Latin-1:
//   u32 length of the header, header = JSON { kernels, names, files: [path, module, …] }
//   then for every file its names in byte order, each: versions, kept, rest, and 0 at the end of the file
//     versions  one byte, 1 + bit set of `kernels` that define the function there (never 0)
//     kept      one byte, 32 + number of leading characters shared with the name before
//     rest      the other characters; ended by the next byte below 32 (names hold none)

/** One definition of a function. */
export interface Definition {
  /** Path in the kernel source. */
  readonly file: string;
  /** The module the file is built into where the kernel has it as a module, '' where it always belongs to the image. */
  readonly module: string;
  /** Bit set over `FunctionMap.kernels`: which of them define the function there. */
  readonly versions: number;
}

/** Names are cut here: no kernel function is longer. */
const MAX_NAME = 200;

export class FunctionMap {
  /** The kernel versions the map was made from, such as `6.1`. */
  readonly kernels: readonly string[];
  readonly #bytes: Uint8Array;
  /** Path and module of every file, alternating. */
  readonly #files: readonly string[];
  /** Where each file's names start in `#bytes`. */
  readonly #starts: Uint32Array;
  /** Open-addressed: offset of a name's versions byte + 1, 0 where free. */
  readonly #slots: Uint32Array;

  /** `bytes`: a map that is not compressed. */
  constructor(bytes: Buffer) {
    const headerLength = bytes.readUInt32LE(0);
    const header = JSON.parse(bytes.toString('latin1', 4, 4 + headerLength));
    this.kernels = header.kernels;
    this.#files = header.files;
    // A plain view: reading a Buffer byte by byte is several times slower.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#starts = new Uint32Array(this.#files.length / 2 + 1);
    // At most two thirds full; not larger, because filling it is bound by cache misses.
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(1.5 * header.names)));
    this.#index(4 + headerLength);
  }

  /** Every definition of a function; none where the map does not know it. */
  find(name: string): Definition[] {
    const wanted = Buffer.from(name, 'latin1');
    const mask = this.#slots.length - 1;
    const found: Definition[] = [];
    if (wanted.length === 0 || wanted.length > MAX_NAME) return found;
    let slot = finish(wanted.reduce(step, SEED)) & mask;
    for (let offset = this.#slots[slot]; offset; offset = this.#slots[slot]) {
      const file = this.#fileAt(offset - 1);
      if (this.#nameAt(file, offset - 1).equals(wanted)) {
        found.push({
          file: this.#files[2 * file] ?? '',
          module: this.#files[2 * file + 1] ?? '',
          versions: (this.#bytes[offset - 1] ?? 1) - 1,
        });
      }
      slot = (slot + 1) & mask;
    }
    return found.reverse();
  }

  /** Hashes every name. The hot loop of start-up: no allocation, and only what follows the shared part is hashed. */
  #index(from: number): void {
    const bytes = this.#bytes;
    const slots = this.#slots;
    const mask = slots.length - 1;
    // hashes[n]: the hash of the first n characters of the current name
    const hashes = new Int32Array(MAX_NAME + 1);
    hashes[0] = SEED;
    let file = 0;
    let at = from;
    this.#starts[0] = at;
    while (at < bytes.length) {
      const start = at;
      if (bytes[at] === 0) {
        at += 1;
        file += 1;
        this.#starts[file] = at;
        continue;
      }
      let length = (bytes[at + 1] ?? 0) - 32;
      let hash = hashes[length] ?? 0;
      at += 2;
      for (let byte = bytes[at] ?? 0; byte >= 32; byte = bytes[at] ?? 0) {
        hash = step(hash, byte);
        length += 1;
        hashes[length] = hash;
        at += 1;
      }
      let slot = finish(hash) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = start + 1;
    }
  }

  #fileAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Decodes the names of a file up to the one at `offset`. */
  #nameAt(file: number, offset: number): Buffer {
    const bytes = this.#bytes;
    const name = Buffer.alloc(MAX_NAME);
    let at = this.#starts[file] ?? 0;
    for (;;) {
      const wanted = at === offset;
      let length = (bytes[at + 1] ?? 0) - 32;
      at += 2;
      for (let byte = bytes[at] ?? 0; byte >= 32; byte = bytes[at] ?? 0) {
        name[length] = byte;
        length += 1;
        at += 1;
      }
      if (wanted || at >= bytes.length) return name.subarray(0, length);
    }
  }
}

const SEED = 0x2545f491;

function step(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** Spreads the high bits, which a product mixes best, over the low ones that choose a slot. */
function finish(hash: number): number {
  return hash ^ (hash >>> 15);
}
