/**
 * How BPF instructions are encoded: 8 bytes each, an opcode, two registers, a 16-bit offset and a 32-bit immediate
 * (Documentation/bpf/standardization/instruction-set.rst of the kernel). The low three bits of an opcode are its class.
 */

/** Kernel functions that BPF programs may call (`enum bpf_func_id`). */
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
  /** Since Linux 5.5, like the next. */
  probe_read_user: 112,
  probe_read_kernel: 113,
  /** Since Linux 5.7. */
  get_ns_current_pid_tgid: 120,
} as const;

export type Operator = 'add' | 'sub' | 'mul' | 'div' | 'or' | 'and' | 'lsh' | 'rsh' | 'xor' | 'mov' | 'arsh';
export type Condition = '==' | '!=' | '>' | '>=' | '<' | '<=' | 's>' | 's<' | 's<=';
export type Size = 1 | 2 | 4 | 8;

/** The upper four bits of an arithmetic opcode. */
export const OPERATORS: Readonly<Record<Operator, number>> = {
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

/** The upper four bits of a conditional jump. */
export const CONDITIONS: Readonly<Record<Condition, number>> = {
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

/** Bits of a load or store that say how many bytes. */
export const SIZES: Readonly<Record<Size, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };

/** Classes of instructions. */
export const ALU32 = 0x04;
/** As a whole opcode: jumps always. */
export const JMP = 0x05;
export const JMP32 = 0x06;
export const ALU64 = 0x07;

/** In arithmetic and jumps: the operand is a register, not the immediate. */
export const USE_REGISTER = 0x08;

/** Whole opcodes, but for the size of loads and stores. */
export const LDX_MEM = 0x61;
export const ST_MEM = 0x62;
export const STX_MEM = 0x63;
export const STX_ATOMIC_64 = 0xdb;
export const LD_IMM_64 = 0x18;
export const CALL = 0x85;
export const EXIT = 0x95;

/** The immediate of {@link STX_ATOMIC_64}. */
export const ATOMIC = { add: 0x00, exchange: 0xe1 } as const;

/** The source register of {@link LD_IMM_64}: what the immediate stands for. */
export const PSEUDO_MAP_FD = 1;
export const PSEUDO_MAP_VALUE = 2;

/** Bytes of an instruction; {@link LD_IMM_64} is two. */
export const INSTRUCTION = 8;
