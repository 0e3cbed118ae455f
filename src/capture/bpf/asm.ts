/** A register: r0 result, r1 to r5 arguments (lost in a call), r6 to r9 kept, r10 frame pointer. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

/** Kernel functions that programs may call (`enum bpf_func_id`). */
export const HELPERS = {
  map_lookup_elem: 1,
  map_update_elem: 2,
  probe_read: 4,
  ktime_get_ns: 5,
  get_smp_processor_id: 8,
  get_current_pid_tgid: 14,
  get_current_comm: 16,
  current_task_under_cgroup: 37,
  get_stack: 67,
  probe_read_user: 112,
  /** Since Linux 5.5. */
  probe_read_kernel: 113,
  /** Since Linux 5.7. */
  get_ns_current_pid_tgid: 120,
} as const;

type Operator = 'add' | 'sub' | 'mul' | 'div' | 'or' | 'and' | 'lsh' | 'rsh' | 'xor' | 'mov' | 'arsh';
type Condition = '==' | '!=' | '>' | '>=' | '<' | '<=' | 's>' | 's<' | 's<=';
type Size = 1 | 2 | 4 | 8;

const OPERATORS: Readonly<Record<Operator, number>> = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
};
const CONDITIONS: Readonly<Record<Condition, number>> = {
  '==': 0x10,
  '>': 0x20,
  '>=': 0x30,
  '!=': 0x50,
  's>': 0x60,
  '<': 0xa0,
  '<=': 0xb0,
  's<': 0xc0,
  's<=': 0xd0,
};
const SIZES: Readonly<Record<Size, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };

const ALU64 = 0x07;
const ALU32 = 0x04;
const JMP = 0x05;
const JMP32 = 0x06;
const USE_REGISTER = 0x08;
const LDX_MEM = 0x61;
const ST_MEM = 0x62;
const STX_MEM = 0x63;
const STX_ATOMIC_64 = 0xdb;
const ATOMIC = { add: 0x00, exchange: 0xe1 } as const;
const LD_IMM_64 = 0x18;
const CALL = 0x85;
const EXIT = 0x95;
const PSEUDO_MAP_FD = 1;
const PSEUDO_MAP_VALUE = 2;
const INSTRUCTION = 8;

/** An operand that is a register rather than a number. */
export interface RegisterOperand {
  readonly register: Register;
}

/** `reg(6)`: the operand r6. */
export function reg(register: Register): RegisterOperand {
  return { register };
}

/**
 * Assembles BPF programs: one method per instruction, in the order they run, jumps to labels by name.
 * Encoding: Documentation/bpf/standardization/instruction-set.rst of the kernel.
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
  alu(op: Operator, dst: Register, operand: RegisterOperand | number): this {
    return this.#arithmetic(ALU64, op, dst, operand);
  }

  /** `dst = dst op operand` in 32 bits, the upper half cleared. */
  alu32(op: Operator, dst: Register, operand: RegisterOperand | number): this {
    return this.#arithmetic(ALU32, op, dst, operand);
  }

  mov(dst: Register, operand: RegisterOperand | number): this {
    return this.alu('mov', dst, operand);
  }

  /** `dst = *(src + offset)` */
  load(size: Size, dst: Register, src: Register, offset: number): this {
    return this.#emit(LDX_MEM | SIZES[size], dst, src, offset, 0);
  }

  /** `*(dst + offset) = operand`; a number is 32 bits wide and sign-extended. */
  store(size: Size, dst: Register, offset: number, operand: RegisterOperand | number): this {
    return typeof operand === 'number'
      ? this.#emit(ST_MEM | SIZES[size], dst, 0, offset, operand)
      : this.#emit(STX_MEM | SIZES[size], dst, operand.register, offset, 0);
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
    return this.#emit(CALL, 0, 0, 0, HELPERS[helper]);
  }

  jump(label: string): this {
    return this.#branch(JMP, 0, 0, label);
  }

  /** Jumps to the label if `left condition right` holds in 64 bits. */
  jumpIf(left: Register, condition: Condition, right: RegisterOperand | number, label: string): this {
    return this.#branch(JMP | CONDITIONS[condition], left, right, label);
  }

  /** The same for the lower 32 bits only: for results of kernel functions that return an int. */
  jumpIf32(left: Register, condition: Condition, right: number, label: string): this {
    return this.#branch(JMP32 | CONDITIONS[condition], left, right, label);
  }

  exit(): this {
    return this.#emit(EXIT, 0, 0, 0, 0);
  }

  /** The program's bytes. */
  assemble(): Buffer {
    const code = Buffer.concat(this.#code);
    for (const { at, label } of this.#jumps) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`no label ${label}`);
      // Offsets count instructions from the one after the jump.
      code.writeInt16LE((target - at) / INSTRUCTION - 1, at + 2);
    }
    return code;
  }

  #arithmetic(width: number, op: Operator, dst: Register, operand: RegisterOperand | number): this {
    return typeof operand === 'number'
      ? this.#emit(width | OPERATORS[op], dst, 0, 0, operand)
      : this.#emit(width | OPERATORS[op] | USE_REGISTER, dst, operand.register, 0, 0);
  }

  #branch(opcode: number, left: Register, right: RegisterOperand | number, label: string): this {
    this.#jumps.push({ at: this.#size, label });
    return typeof right === 'number'
      ? this.#emit(opcode, left, 0, 0, right)
      : this.#emit(opcode | USE_REGISTER, left, right.register, 0, 0);
  }

  #wide(dst: Register, source: number, value: bigint): this {
    this.#emit(LD_IMM_64, dst, source, 0, Number(BigInt.asIntN(32, value)));
    return this.#emit(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n)));
  }

  #emit(opcode: number, dst: number, src: number, offset: number, immediate: number): this {
    const instruction = Buffer.alloc(INSTRUCTION);
    instruction[0] = opcode;
    instruction[1] = dst | (src << 4);
    instruction.writeInt16LE(offset, 2);
    instruction.writeInt32LE(immediate | 0, 4);
    this.#code.push(instruction);
    this.#size += INSTRUCTION;
    return this;
  }
}
