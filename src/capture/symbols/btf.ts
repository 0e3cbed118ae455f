/** `enum` of kinds (include/uapi/linux/btf.h) that are looked for here. */
const KIND_TYPEDEF = 8;
const KIND_POINTER = 2;
const KIND_FUNCTION = 12;
const KIND_FUNCTION_TYPE = 13;

const MAGIC = 0xeb9f;
const TYPE_SIZE = 12;
/** Bytes that follow a type of each kind: some in any case, some for each member. */
const EXTRA: Readonly<Record<number, readonly [always: number, each: number]>> = {
  1: [4, 0], // int
  3: [12, 0], // array
  4: [0, 12], // struct
  5: [0, 12], // union
  6: [0, 8], // enum
  13: [0, 8], // parameters of a function type
  14: [4, 0], // variable
  15: [0, 12], // section
  17: [4, 0], // tag of a declaration
  19: [0, 12], // enum of 64 bits
};

/**
 * The types of the kernel's image (/sys/kernel/btf/vmlinux) or of a module, whose types and strings continue those of
 * the image (Documentation/bpf/btf.rst).
 */
export class Btf {
  readonly #bytes: Buffer;
  readonly #base: Btf | null;
  /** Where each type begins; the first of the image has the id 1. */
  readonly #positions: number[] = [];
  readonly #strings: Buffer;

  /** @throws {RangeError} cut off */
  constructor(bytes: Buffer, base: Btf | null = null) {
    this.#bytes = bytes;
    this.#base = base;
    if (bytes.readUInt16LE(0) !== MAGIC) throw new RangeError('no BTF');
    const header = bytes.readUInt32LE(4);
    const strings = header + bytes.readUInt32LE(16);
    this.#strings = bytes.subarray(strings, strings + bytes.readUInt32LE(20));
    let at = header + bytes.readUInt32LE(8);
    const end = at + bytes.readUInt32LE(12);
    while (at < end) {
      this.#positions.push(at);
      const { kind, members } = this.#info(at);
      const [always, each] = EXTRA[kind] ?? [0, 0];
      at += TYPE_SIZE + always + each * members;
    }
  }

  /**
   * How many arguments functions of a type have that is named so: `typedef void (*NAME)(…)`; null where there is none.
   */
  argumentsOf(name: string): number | null {
    const typedef = this.#find(KIND_TYPEDEF, name);
    const pointer = typedef && this.#type(typedef, KIND_POINTER);
    const type = pointer && this.#type(pointer, KIND_FUNCTION_TYPE);
    return type ? this.#info(type).members : null;
  }

  /** How many arguments a function has; null where there is none of this name. */
  argumentsOfFunction(name: string): number | null {
    const found = this.#find(KIND_FUNCTION, name);
    return found === undefined ? null : this.#parameters(this.#bytes.readUInt32LE(found + 8));
  }

  /** How many parameters a function type has, which may be one of the image's for a module. */
  #parameters(id: number): number | null {
    if (id < this.#firstType) return this.#base ? this.#base.#parameters(id) : null;
    const { kind, members } = this.#info(this.#positions[id - this.#firstType] ?? 0);
    return kind === KIND_FUNCTION_TYPE ? members : null;
  }

  #find(wanted: number, name: string): number | undefined {
    const found = this.#strings.indexOf(`\0${name}\0`, 0, 'latin1');
    if (found < 0) return undefined;
    const offset = found + 1 + this.#firstString;
    return this.#positions.find((at) => this.#bytes.readUInt32LE(at) === offset && this.#info(at).kind === wanted);
  }

  /** The place of the type that another one refers to, if it is of this kind and not of the image's for a module. */
  #type(at: number, wanted: number): number | undefined {
    const place = this.#positions[this.#bytes.readUInt32LE(at + 8) - this.#firstType];
    return place !== undefined && this.#info(place).kind === wanted ? place : undefined;
  }

  #info(at: number): { kind: number; members: number } {
    const info = this.#bytes.readUInt32LE(at + 4);
    return { kind: (info >>> 24) & 31, members: info & 0xffff };
  }

  get #firstType(): number {
    return this.#base ? this.#base.#firstType + this.#base.#positions.length : 1;
  }

  get #firstString(): number {
    return this.#base ? this.#base.#strings.length : 0;
  }
}
