import type { BpfCode } from './asm.ts';
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
  OPERATORS,
  type Operator,
  PSEUDO_MAP_FD,
  PSEUDO_MAP_VALUE,
  SIZES,
  STX_ATOMIC_64,
  USE_REGISTER,
} from './encoding.ts';

const ASSIGNMENTS: Readonly<Record<Operator, string>> = {
  add: '+=',
  sub: '-=',
  mul: '*=',
  div: '/=',
  or: '|=',
  and: '&=',
  lsh: '<<=',
  rsh: '>>=',
  xor: '^=',
  mov: '=',
  arsh: 's>>=',
};

const CLASS = 0x07;
const OPERATION = 0xf0;
const SIZE = 0x18;

/** One instruction in its fields. */
interface Instruction {
  readonly index: number;
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
  /** The immediate of the second half, of a wide instruction. */
  readonly upper: number;
}

/**
 * A BPF program as text, an instruction a line, numbered as in the log of the kernel's verifier:
 *
 * ```
 *   0: r6 = r1
 *   1: r1 = map[enabled].value
 *   3: r1 = *(u64 *)(r1 +0)
 *   4: if r1 != 0 goto enabled
 * ```
 *
 * @param maps names of maps by descriptor; others show as a number
 */
export function disassemble(code: BpfCode, maps: ReadonlyMap<number, string> = new Map()): string {
  const { bytes, labels } = code;
  const width = String(bytes.length / INSTRUCTION).length + 2;
  const lines: string[] = [];
  for (const instruction of instructions(bytes)) {
    for (const label of labels.get(instruction.index) ?? []) lines.push(`${label}:`);
    lines.push(`${String(instruction.index).padStart(width)}: ${textOf(instruction, code, maps)}`);
  }
  return `${lines.join('\n')}\n`;
}

function* instructions(bytes: Buffer): Generator<Instruction> {
  for (let at = 0; at < bytes.length; at += INSTRUCTION) {
    const opcode = bytes[at] ?? 0;
    const registers = bytes[at + 1] ?? 0;
    const isWide = opcode === LD_IMM_64;
    yield {
      index: at / INSTRUCTION,
      opcode,
      destination: registers & 15,
      source: registers >> 4,
      offset: bytes.readInt16LE(at + 2),
      immediate: bytes.readInt32LE(at + 4),
      upper: isWide ? bytes.readInt32LE(at + INSTRUCTION + 4) : 0,
    };
    if (isWide) at += INSTRUCTION;
  }
}

function textOf(instruction: Instruction, { goals }: BpfCode, maps: ReadonlyMap<number, string>): string {
  const { opcode, destination, source, immediate } = instruction;
  if (opcode === LD_IMM_64) return `r${destination} = ${wide(instruction, maps)}`;
  if (opcode === CALL) return `call ${nameOf(HELPERS, immediate) ?? immediate}`;
  if (opcode === EXIT) return 'exit';
  if (opcode === STX_ATOMIC_64) return atomic(instruction);
  const usesRegister = (opcode & USE_REGISTER) !== 0;
  switch (opcode & CLASS) {
    case 1:
      return `r${destination} = ${memory(instruction, source)}`;
    case 2:
      return `${memory(instruction, destination)} = ${immediate}`;
    case 3:
      return `${memory(instruction, destination)} = r${source}`;
    case ALU32:
    case ALU64: {
      const operator = nameOf(OPERATORS, opcode & OPERATION);
      const [left, right] = operands(instruction, (opcode & CLASS) === ALU32, usesRegister);
      return operator ? `${left} ${ASSIGNMENTS[operator]} ${right}` : unknown(opcode);
    }
    default: {
      const goal = goto(instruction, goals);
      if (opcode === JMP) return goal;
      const condition: Condition | undefined = nameOf(CONDITIONS, opcode & OPERATION);
      const [left, right] = operands(instruction, (opcode & CLASS) === JMP32, usesRegister);
      return condition ? `if ${left} ${condition} ${right} ${goal}` : unknown(opcode);
    }
  }
}

/** `w1` is the lower half of r1. */
function operands(
  { destination, source, immediate }: Instruction,
  isHalf: boolean,
  usesRegister: boolean,
): [left: string, right: string] {
  const prefix = isHalf ? 'w' : 'r';
  return [`${prefix}${destination}`, usesRegister ? `${prefix}${source}` : `${immediate}`];
}

function wide({ source, immediate, upper }: Instruction, maps: ReadonlyMap<number, string>): string {
  const map = maps.get(immediate) ?? immediate;
  if (source === PSEUDO_MAP_FD) return `map[${map}]`;
  if (source === PSEUDO_MAP_VALUE) return `map[${map}].value`;
  return `0x${((BigInt(upper >>> 0) << 32n) | BigInt(immediate >>> 0)).toString(16)}`;
}

function atomic(instruction: Instruction): string {
  const { destination, source, immediate } = instruction;
  const place = memory(instruction, destination);
  if (immediate === ATOMIC.add) return `lock ${place} += r${source}`;
  return immediate === ATOMIC.exchange ? `r${source} = xchg(${place}, r${source})` : unknown(instruction.opcode);
}

function memory({ opcode, offset }: Instruction, base: number): string {
  const bytes = Number(nameOf(SIZES, opcode & SIZE));
  return `*(u${bytes * 8} *)(r${base} ${offset < 0 ? '-' : '+'}${Math.abs(offset)})`;
}

function goto({ index, offset }: Instruction, goals: ReadonlyMap<number, string>): string {
  return `goto ${goals.get(index) ?? index + 1 + offset}`;
}

function unknown(opcode: number): string {
  return `(opcode 0x${opcode.toString(16)})`;
}

function nameOf<K extends string | number>(table: Readonly<Record<K, number>>, value: number): K | undefined {
  return (Object.keys(table) as K[]).find((name) => table[name] === value);
}
