import { addressOf, allocate } from './native.ts';

/** Fields of a C structure: byte offset and size. Those of 1 to 8 bytes are unsigned numbers, longer ones text. */
export type Fields = Readonly<Record<string, readonly [offset: number, size: number]>>;

/** What is written to a field; a buffer stands for the address of its bytes. */
type Value = number | bigint | string | Buffer;

/** A structure of the kernel's, as it lies in memory on the little-endian machines that whocalls runs on. */
export class Struct<F extends Fields> {
  readonly size: number;
  readonly #fields: F;

  constructor(size: number, fields: F) {
    this.size = size;
    this.#fields = fields;
  }

  /** Memory with these values; what is not named is zero. */
  pack(values: { readonly [name in keyof F]?: Value }): Buffer {
    const memory = allocate(this.size);
    for (const name of Object.keys(values)) this.set(memory, name, values[name] ?? 0);
    return memory;
  }

  set(memory: Buffer, name: keyof F, value: Value): void {
    const [offset, size] = this.#field(name);
    if (typeof value === 'string') {
      // The kernel wants a zero at the end.
      memory.write(value, offset, size - 1, 'latin1');
      return;
    }
    const number = Buffer.isBuffer(value) ? addressOf(value) : BigInt(value);
    if (size === 8) memory.writeBigUInt64LE(BigInt.asUintN(64, number), offset);
    else memory.writeUIntLE(Number(number), offset, size);
  }

  get(memory: Buffer, name: keyof F): number {
    const [offset, size] = this.#field(name);
    return size === 8 ? Number(memory.readBigUInt64LE(offset)) : memory.readUIntLE(offset, size);
  }

  #field(name: keyof F): readonly [number, number] {
    return this.#fields[name] as readonly [number, number];
  }
}
