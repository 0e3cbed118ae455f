import {
  ALU32,
  ALU64,
  ATOMIC,
  CALL,
  CONDITIONS,
  type Condition,
  EXIT,
  HELPERS,
  INSTRUCTION,
  JMP,
  JMP32,
  LD_IMM_64,
  LDX_MEM,
  OPERATORS,
  type Operator,
  PSEUDO_MAP_FD,
  PSEUDO_MAP_VALUE,
  SIZES,
  type Size,
  ST_MEM,
  STX_ATOMIC_64,
  STX_MEM,
  USE_REGISTER,
} from './encoding.ts';

/** A register of the BPF machine: an operand of its own kind, so that it is never taken for a number. */
export class Register {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

/** The result of a call. */
export const R0 = new Register(0);
/** Arguments of a call, which are lost in it. */
export const R1 = new Register(1);
export const R2 = new Register(2);
export const R3 = new Register(3);
export const R4 = new Register(4);
export const R5 = new Register(5);
/** Kept across calls. */
export const R6 = new Register(6);
export const R7 = new Register(7);
export const R8 = new Register(8);
export const R9 = new Register(9);
/** The end of the program's frame, 512 bytes; read only. */
export const R10 = new Register(10);

const NO_REGISTER = R0;

/** An assembled BPF program. */
export interface BpfCode {
  readonly bytes: Buffer;
  /** Names of places, by index of the instruction. */
  readonly labels: ReadonlyMap<number, readonly string[]>;
  /** The label each jump goes to, by index of the jump. */
  readonly goals: ReadonlyMap<number, string>;
}

/**
 * Assembles BPF programs: one method per instruction, in the order they run, jumps to labels by name.
 */
export class Assembler {
  readonly #code: Buffer[] = [];
  readonly #labels = new Map<string, number>();
  readonly #jumps: { readonly at: number; readonly label: string }[] = [];
  #size = 0;
  #names = 0;

  /** A label name that nothing else uses. */
  fresh(name: string): string {
    return `${name}.${this.#names++}`;
  }

  /** Marks the place that jumps to `name` go to. */
  label(name: string): this {
    if (this.#labels.has(name)) throw new Error(`label ${name} stands twice`);
    this.#labels.set(name, this.#size);
    return this;
  }

  /** Whether anything so far jumps to this label: the verifier refuses code that nothing reaches. */
  isWanted(label: string): boolean {
    return this.#jumps.some((jump) => jump.label === label);
  }

  /** `dst = dst op operand` in 64 bits; numbers are 32 bits wide and sign-extended. */
  alu(op: Operator, dst: Register, operand: Register | number): this {
    return this.#arithmetic(ALU64, op, dst, operand);
  }

  /** `dst = dst op operand` in 32 bits, the upper half cleared. */
  alu32(op: Operator, dst: Register, operand: Register | number): this {
    return this.#arithmetic(ALU32, op, dst, operand);
  }

  mov(dst: Register, operand: Register | number): this {
    return this.alu('mov', dst, operand);
  }

  /** `dst = *(src + offset)` */
  load(size: Size, dst: Register, src: Register, offset: number): this {
    return this.#emit(LDX_MEM | SIZES[size], dst, src, offset, 0);
  }

  /** `*(dst + offset) = operand`; a number is 32 bits wide and sign-extended. */
  store(size: Size, dst: Register, offset: number, operand: Register | number): this {
    return typeof operand === 'number'
      ? this.#emit(ST_MEM | SIZES[size], dst, 0, offset, operand)
      : this.#emit(STX_MEM | SIZES[size], dst, operand, offset, 0);
  }

  /** `*(dst + offset) += src` in 64 bits, atomically. */
  atomicAdd(dst: Register, offset: number, src: Register): this {
    return this.#emit(STX_ATOMIC_64, dst, src, offset, ATOMIC.add);
  }

  /** Exchanges `src` and `*(dst + offset)` in 64 bits, atomically. Since Linux 5.12, on arm64 since 5.18. */
  atomicExchange(dst: Register, offset: number, src: Register): this {
    return this.#emit(STX_ATOMIC_64, dst, src, offset, ATOMIC.exchange);
  }

  /** `dst = value`, all 64 bits. */
  load64(dst: Register, value: bigint): this {
    return this.#wide(dst, 0, value);
  }

  /** `dst =` the map of this file descriptor. */
  loadMap(dst: Register, descriptor: number): this {
    return this.#wide(dst, PSEUDO_MAP_FD, BigInt(descriptor));
  }

  /** `dst =` the address of the only element of an array map. */
  loadMapValue(dst: Register, descriptor: number): this {
    return this.#wide(dst, PSEUDO_MAP_VALUE, BigInt(descriptor));
  }

  /** Calls a kernel function: arguments in r1 to r5, result in r0. */
  call(helper: keyof typeof HELPERS): this {
    return this.#emit(CALL, NO_REGISTER, 0, 0, HELPERS[helper]);
  }

  jump(label: string): this {
    return this.#branch(JMP, NO_REGISTER, 0, label);
  }

  /** Jumps to the label if `left condition right` holds in 64 bits. */
  jumpIf(left: Register, condition: Condition, right: Register | number, label: string): this {
    return this.#branch(JMP | CONDITIONS[condition], left, right, label);
  }

  /** The same for the lower 32 bits only: for results of kernel functions that return an int. */
  jumpIf32(left: Register, condition: Condition, right: number, label: string): this {
    return this.#branch(JMP32 | CONDITIONS[condition], left, right, label);
  }

  exit(): this {
    return this.#emit(EXIT, NO_REGISTER, 0, 0, 0);
  }

  /** Resolves the jumps. */
  assemble(): BpfCode {
    const bytes = Buffer.concat(this.#code);
    for (const { at, label } of this.#jumps) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`no label ${label}`);
      // Offsets count instructions from the one after the jump.
      bytes.writeInt16LE((target - at) / INSTRUCTION - 1, at + 2);
    }
    const labels = new Map<number, string[]>();
    for (const [name, at] of this.#labels) {
      const index = at / INSTRUCTION;
      labels.set(index, [...(labels.get(index) ?? []), name]);
    }
    const goals = new Map(this.#jumps.map(({ at, label }) => [at / INSTRUCTION, label]));
    return { bytes, labels, goals };
  }

  #arithmetic(width: number, op: Operator, dst: Register, operand: Register | number): this {
    return typeof operand === 'number'
      ? this.#emit(width | OPERATORS[op], dst, 0, 0, operand)
      : this.#emit(width | OPERATORS[op] | USE_REGISTER, dst, operand, 0, 0);
  }

  #branch(opcode: number, left: Register, right: Register | number, label: string): this {
    this.#jumps.push({ at: this.#size, label });
    return typeof right === 'number'
      ? this.#emit(opcode, left, 0, 0, right)
      : this.#emit(opcode | USE_REGISTER, left, right, 0, 0);
  }

  #wide(dst: Register, source: number, value: bigint): this {
    this.#emit(LD_IMM_64, dst, source, 0, Number(BigInt.asIntN(32, value)));
    return this.#emit(0, NO_REGISTER, 0, 0, Number(BigInt.asIntN(32, value >> 32n)));
  }

  #emit(opcode: number, dst: Register, src: Register | number, offset: number, immediate: number): this {
    const instruction = Buffer.alloc(INSTRUCTION);
    instruction[0] = opcode;
    instruction[1] = dst.number | ((typeof src === 'number' ? src : src.number) << 4);
    instruction.writeInt16LE(offset, 2);
    instruction.writeInt32LE(immediate | 0, 4);
    this.#code.push(instruction);
    this.#size += INSTRUCTION;
    return this;
  }
}
