import { BRANCH, stepX86, type X86Instruction } from './x86-length.ts';

/** How a function is reached from a place in the code. */
export type CallKind =
  | 'call'
  /** Jumped to as the last thing the function does: it leaves no frame. */
  | 'jump'
  /** Its address is taken there. */
  | 'address'
  /** A call or jump through a pointer: the code does not say where it goes. */
  | 'pointer call'
  | 'pointer jump';

/** In place of the function that a pointer leads to. */
export const UNKNOWN_TARGET = -1;

/** Code that lies at an address. */
export interface Code {
  /** Of its first byte. */
  readonly address: number;
  readonly bytes: Buffer;
}

/** Where functions begin, ascending. */
export interface Starts {
  readonly addresses: Float64Array;
  /** Index of the function that an address lies in, -1 below the first. */
  at(address: number): number;
}

/**
 * Takes a branch, or an address taken, of an instruction at `place` to the start of function `target`, which is
 * {@link UNKNOWN_TARGET} for pointers.
 */
export type TakeCall = (place: number, target: number, kind: CallKind) => void;

/** By {@link BRANCH}. */
export const KIND_OF_BRANCH: readonly (CallKind | null)[] = [
  null,
  'call',
  'jump',
  'jump',
  'address',
  'pointer call',
  'pointer jump',
];

/**
 * Walks x86-64 code instruction by instruction and tells of each direct branch, with 32 bits or 8, to where a function
 * starts, and of each address of a function that is computed from the instruction's own. A jump to the start of the
 * function it stands in is a loop and not told.
 *
 * @returns how many bytes could not be read as instructions: data between the code, or damage
 */
export function directCallsX86({ address, bytes }: Code, starts: Starts, take: TakeCall): number {
  const found: X86Instruction = { branch: BRANCH.none, displacement: 0, field: 0 };
  const isStart = startsWithin(address, bytes.length, starts);
  const last = starts.addresses.length;
  let next = starts.at(address - 1) + 1;
  let unread = 0;
  for (let at = 0; at < bytes.length; ) {
    while (next < last && (starts.addresses[next] as number) - address <= at) next++;
    const limit = next < last ? Math.min((starts.addresses[next] as number) - address, bytes.length) : bytes.length;
    const length = stepX86(bytes, at, bytes.length, found);
    if (length === 0 || at + length > limit) {
      // What does not end where the next function begins was none: functions begin with an instruction.
      const skipped = length === 0 ? 1 : limit - at;
      unread += skipped;
      at += skipped;
      continue;
    }
    const kind = KIND_OF_BRANCH[found.branch] ?? null;
    if (kind === 'pointer call' || kind === 'pointer jump') take(address + at, UNKNOWN_TARGET, kind);
    else if (kind) {
      const to = at + length + found.displacement;
      const isCandidate = to < 0 || to >= bytes.length || ((isStart[to >> 3] as number) >> (to & 7)) & 1;
      if (isCandidate) {
        const target = starts.at(address + to);
        if (target >= 0 && starts.addresses[target] === address + to) {
          if (kind !== 'jump' || target !== next - 1) take(address + at, target, kind);
        }
      }
    }
    at += length;
  }
  return unread;
}

/** A bit for each byte of a stretch, set where a function begins. */
function startsWithin(address: number, size: number, starts: Starts): Uint8Array {
  const bits = new Uint8Array((size >> 3) + 1);
  for (let i = starts.at(address - 1) + 1; i < starts.addresses.length; i++) {
    const at = (starts.addresses[i] as number) - address;
    if (at >= size) break;
    bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
  }
  return bits;
}

/**
 * The same for arm64, where every instruction is a word: BL calls, B and B.cond jump. ADRP with ADD, by which addresses
 * of functions are taken, is followed over the next instructions of the same register.
 */
export function directCallsArm64({ address, bytes }: Code, starts: Starts, take: TakeCall): number {
  const { addresses } = starts;
  let next = starts.at(address - 1) + 1;
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    while (next < addresses.length && (addresses[next] as number) - address <= at) next++;
    const word = bytes.readUInt32LE(at);
    const pointer = word & 0xfffffc1f;
    if (pointer >>> 0 === 0xd63f0000 || pointer >>> 0 === 0xd61f0000) {
      take(address + at, UNKNOWN_TARGET, pointer >>> 0 === 0xd63f0000 ? 'pointer call' : 'pointer jump');
      continue;
    }
    const branch = branchArm64(word);
    const kind: CallKind | null = branch ? branch.kind : 'address';
    const to = branch ? address + at + branch.displacement : addressTakenArm64(bytes, at, address, word);
    if (to === null) continue;
    const target = starts.at(to);
    if (target < 0 || addresses[target] !== to || (kind === 'jump' && target === next - 1)) continue;
    take(address + at, target, kind);
  }
  return bytes.length % 4;
}

function branchArm64(word: number): { kind: CallKind; displacement: number } | null {
  const opcode = word >>> 26;
  if (opcode === 0x25) return { kind: 'call', displacement: (word << 6) >> 4 };
  if (opcode === 0x05) return { kind: 'jump', displacement: (word << 6) >> 4 };
  if ((word & 0xff000010) >>> 0 === 0x54000000) return { kind: 'jump', displacement: ((word << 8) >> 13) << 2 };
  return null;
}

/** How far the ADD may stand from its ADRP. */
const NEAR = 4;
const PAGE = 4096;

/** What `adrp x0, page` and `add x0, x0, #low` in one of the next instructions make; null for another instruction. */
function addressTakenArm64(bytes: Buffer, at: number, address: number, word: number): number | null {
  if ((word & 0x9f000000) >>> 0 !== 0x90000000) return null;
  const register = word & 31;
  const pages = (((((word >>> 5) & 0x7ffff) << 2) | ((word >>> 29) & 3)) << 11) >> 11;
  const page = Math.floor((address + at) / PAGE) * PAGE + pages * PAGE;
  for (let i = 1; i <= NEAR && at + 4 * i + 4 <= bytes.length; i++) {
    const add = bytes.readUInt32LE(at + 4 * i);
    const isAdd = (add & 0xffc00000) >>> 0 === 0x91000000 && ((add >>> 5) & 31) === register;
    if (isAdd) return page + ((add >>> 10) & 0xfff);
  }
  return null;
}
