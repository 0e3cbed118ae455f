// Lengths of x86-64 instructions by table (Intel SDM volume 2, appendix A): enough to walk compiled code from one
// instruction to the next and to see which of them branch, or take an address, by a displacement from themselves.

/** What an instruction does with the address its displacement names. */
export const BRANCH = {
  none: 0,
  call: 1,
  jump: 2,
  /** A jump on a condition. */
  conditional: 3,
  /** The address is computed (LEA), not gone to. */
  address: 4,
  /** A call through a register or memory: where it goes is not in the code. */
  pointerCall: 5,
  pointerJump: 6,
} as const;

/** What {@link stepX86} found; one object, since millions of instructions are looked at. */
export interface X86Instruction {
  /** Of {@link BRANCH}. */
  branch: number;
  /** The displacement from the end of the instruction; of meaning only where there is a branch. */
  displacement: number;
  /** Where in the bytes a displacement of 32 bits begins, -1 where it has 8. */
  field: number;
}

const MODRM = 1;
const IMMEDIATE_8 = 2;
/** As wide as the operand, but 32 bits at most. */
const IMMEDIATE_Z = 4;
const PREFIX = 8;
/** No instruction in 64-bit mode. */
const INVALID = 16;
const IMMEDIATE_16 = 32;
const SPECIAL = 64;
const RELATIVE_32 = 128;
const RELATIVE_8 = 256;

/** By the one byte of the opcode. */
const ONE = oneByteMap();
/** By the byte after 0F. */
const TWO = twoByteMap();

function oneByteMap(): Uint16Array {
  const map = new Uint16Array(256);
  const set = (flags: number, ...ranges: readonly (readonly [number, number])[]): void => {
    for (const [first, last] of ranges) map.fill(flags, first, last + 1);
  };
  for (let row = 0; row < 0x40; row += 8) {
    set(MODRM, [row, row + 3]);
    set(IMMEDIATE_8, [row + 4, row + 4]);
    set(IMMEDIATE_Z, [row + 5, row + 5]);
    set(INVALID, [row + 6, row + 7]);
  }
  set(SPECIAL, [0x0f, 0x0f]);
  set(PREFIX, [0x26, 0x26], [0x2e, 0x2e], [0x36, 0x36], [0x3e, 0x3e], [0x40, 0x4f], [0x64, 0x67], [0xf0, 0xf0]);
  set(PREFIX, [0xf2, 0xf3]);
  set(INVALID, [0x60, 0x61], [0x82, 0x82], [0x9a, 0x9a], [0xce, 0xce], [0xd4, 0xd6], [0xea, 0xea]);
  set(SPECIAL, [0x62, 0x62], [0xa0, 0xa3], [0xb8, 0xbf], [0xc4, 0xc5], [0xf6, 0xf7]);
  set(MODRM, [0x63, 0x63], [0x84, 0x8f], [0xd0, 0xd3], [0xd8, 0xdf], [0xfe, 0xff]);
  set(IMMEDIATE_Z, [0x68, 0x68], [0xa9, 0xa9]);
  set(MODRM | IMMEDIATE_Z, [0x69, 0x69], [0x81, 0x81], [0xc7, 0xc7]);
  set(IMMEDIATE_8, [0x6a, 0x6a], [0xa8, 0xa8], [0xb0, 0xb7], [0xcd, 0xcd], [0xe4, 0xe7]);
  set(MODRM | IMMEDIATE_8, [0x6b, 0x6b], [0x80, 0x80], [0x83, 0x83], [0xc0, 0xc1], [0xc6, 0xc6]);
  set(IMMEDIATE_16, [0xc2, 0xc2], [0xca, 0xca]);
  set(IMMEDIATE_16 | IMMEDIATE_8, [0xc8, 0xc8]);
  set(RELATIVE_8, [0x70, 0x7f], [0xe0, 0xe3], [0xeb, 0xeb]);
  set(RELATIVE_32, [0xe8, 0xe9]);
  return map;
}

function twoByteMap(): Uint16Array {
  const map = new Uint16Array(256).fill(MODRM);
  const set = (flags: number, bytes: readonly number[]): void => {
    for (const byte of bytes) map[byte] = flags;
  };
  set(0, [0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x0e, 0x77, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9, 0xaa]);
  map.fill(0, 0x30, 0x38);
  map.fill(0, 0xc8, 0xd0);
  set(INVALID, [0x04, 0x0a, 0x0c, 0x24, 0x25, 0x26, 0x27, 0x39, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0xa6, 0xa7]);
  set(MODRM | IMMEDIATE_8, [0x0f, 0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6]);
  map.fill(RELATIVE_32, 0x80, 0x90);
  return map;
}

const LONGEST = 15;

/**
 * Looks at the instruction at `at`.
 *
 * @param end where the code ends: an instruction that reaches further is none
 * @returns its length in bytes, 0 where no instruction begins there
 */
export function stepX86(code: Uint8Array, at: number, end: number, found: X86Instruction): number {
  let p = at;
  let op = 0;
  let hasOperandSize = false;
  let hasAddressSize = false;
  let isWide = false;
  found.branch = BRANCH.none;
  for (;;) {
    if (p >= end || p - at >= LONGEST) return 0;
    op = code[p++] as number;
    if (ONE[op] !== PREFIX) break;
    if (op === 0x66) hasOperandSize = true;
    else if (op === 0x67) hasAddressSize = true;
    // A REX prefix counts only where it is the last.
    isWide = op >= 0x48 && op < 0x50;
  }
  let flags = ONE[op] as number;
  // 1: one byte, 2: after 0F, 3: another map, where nothing branches.
  let map = 1;
  if (flags === SPECIAL) {
    if (op === 0x0f) {
      op = code[p++] as number;
      map = 2;
      if (op === 0x38 || op === 0x3a) {
        flags = op === 0x38 ? MODRM : MODRM | IMMEDIATE_8;
        op = code[p++] as number;
        map = 3;
      } else flags = TWO[op] as number;
    } else if (op === 0xc4 || op === 0xc5 || op === 0x62) {
      // VEX and EVEX name the map in their own bytes.
      let opcodeMap = 1;
      if (op === 0xc4) opcodeMap = (code[p] as number) & 31;
      else if (op === 0x62) opcodeMap = (code[p] as number) & 7;
      p += op === 0xc5 ? 1 : op === 0xc4 ? 2 : 3;
      op = code[p++] as number;
      map = 3;
      const own = TWO[op] as number;
      if (opcodeMap === 3) flags = MODRM | IMMEDIATE_8;
      else if (opcodeMap !== 1 || own & (INVALID | RELATIVE_32)) flags = MODRM;
      else flags = own;
    } else if (op >= 0xb8 && op < 0xc0) {
      p += isWide ? 8 : hasOperandSize ? 2 : 4;
      return p <= end ? p - at : 0;
    } else if (op >= 0xa0 && op < 0xa4) {
      p += hasAddressSize ? 4 : 8;
      return p <= end ? p - at : 0;
    } else {
      // TEST has an immediate, the other instructions of the group have none.
      const isTest = (((code[p] as number) >> 3) & 7) < 2;
      flags = MODRM | (isTest ? (op === 0xf6 ? IMMEDIATE_8 : IMMEDIATE_Z) : 0);
    }
  }
  if (flags & INVALID) return 0;
  if (flags & RELATIVE_32) {
    if (p + 4 > end) return 0;
    found.branch = map === 2 ? BRANCH.conditional : op === 0xe8 ? BRANCH.call : BRANCH.jump;
    found.field = p;
    found.displacement = int32(code, p);
    return p + 4 - at;
  }
  if (flags & RELATIVE_8) {
    if (p >= end) return 0;
    found.branch = op === 0xeb ? BRANCH.jump : BRANCH.conditional;
    found.field = -1;
    found.displacement = ((code[p] as number) << 24) >> 24;
    return p + 1 - at;
  }
  let address = -1;
  let register = 0;
  if (flags & MODRM) {
    if (p >= end) return 0;
    const modrm = code[p++] as number;
    const mod = modrm >> 6;
    const rm = modrm & 7;
    register = (modrm >> 3) & 7;
    if (mod !== 3) {
      if (rm === 4) {
        const sib = code[p++] as number;
        if (mod === 0 && (sib & 7) === 5) p += 4;
      } else if (mod === 0 && rm === 5) {
        address = p;
        p += 4;
      }
      if (mod === 1) p += 1;
      else if (mod === 2) p += 4;
    }
  }
  if (flags & IMMEDIATE_8) p += 1;
  if (flags & IMMEDIATE_Z) p += hasOperandSize && !isWide ? 2 : 4;
  if (flags & IMMEDIATE_16) p += 2;
  if (p > end) return 0;
  if (address >= 0 && map === 1 && op === 0x8d) {
    found.branch = BRANCH.address;
    found.field = address;
    found.displacement = int32(code, address);
  } else if (map === 1 && op === 0xff && (register === 2 || register === 4)) {
    found.branch = register === 2 ? BRANCH.pointerCall : BRANCH.pointerJump;
  }
  return p - at;
}

function int32(code: Uint8Array, at: number): number {
  return (
    (code[at] as number) |
    ((code[at + 1] as number) << 8) |
    ((code[at + 2] as number) << 16) |
    ((code[at + 3] as number) << 24)
  );
}
