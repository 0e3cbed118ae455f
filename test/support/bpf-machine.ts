import { HELPERS } from '../../src/capture/bpf/encoding.ts';

const NAMES = new Map(
  Object.entries(HELPERS).map(([name, number]) => [number as number, name as keyof typeof HELPERS]),
);
const FRAME_BYTES = 512;
const MOST_STEPS = 200_000;

/** A map with the descriptor that programs know it by. */
export class FakeMap {
  readonly valueSize: number;
  readonly #room: number;
  readonly #keySize: number;
  readonly #values = new Map<string, Region>();
  readonly #machine: BpfMachine;
  /** What the next updates return in place of doing anything: negative errors. */
  refusals: number[] = [];
  /** Called before an update, as if somebody else came first. */
  beforeUpdate: () => void = () => {};

  constructor(machine: BpfMachine, keySize: number, valueSize: number, room: number) {
    this.#machine = machine;
    this.#keySize = keySize;
    this.valueSize = valueSize;
    this.#room = room;
  }

  get size(): number {
    return this.#values.size;
  }

  /** An array has all its values from the beginning. */
  asArray(): this {
    for (let index = 0; index < this.#room; index++) this.insert(word(index));
    return this;
  }

  insert(key: Buffer, value: Buffer = Buffer.alloc(this.valueSize)): Region {
    const region = this.#machine.region(Buffer.from(value));
    this.#values.set(key.toString('hex'), region);
    return region;
  }

  get(key: Buffer): Region | undefined {
    return this.#values.get(key.toString('hex'));
  }

  *entries(): Iterable<[key: Buffer, value: Buffer]> {
    for (const [key, { bytes }] of this.#values) yield [Buffer.from(key, 'hex'), bytes];
  }

  lookup(key: bigint): bigint {
    return this.get(this.#machine.copy(key, this.#keySize))?.start ?? 0n;
  }

  /** Like bpf_map_update_elem with BPF_NOEXIST. */
  update(key: bigint, value: bigint): number {
    this.beforeUpdate();
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return refusal;
    const bytes = this.#machine.copy(key, this.#keySize);
    if (this.get(bytes)) return -17;
    if (this.#values.size >= this.#room) return -7;
    this.insert(bytes, this.#machine.copy(value, this.valueSize));
    return 0;
  }
}

/** Memory that programs may touch. */
interface Region {
  readonly start: bigint;
  readonly bytes: Buffer;
}

/** The kernel around a call, as a program can ask for it. */
export interface FakeCall {
  readonly registers?: Readonly<Record<number, bigint>>;
  readonly stack?: readonly bigint[];
  readonly userStack?: readonly bigint[];
  /** What taking the stack returns in place of its bytes. */
  readonly stackError?: number;
  readonly pid?: number;
  /** In the namespace that was asked for; null where the task is in another. */
  readonly namespacePid?: number | null;
  readonly comm?: string;
  readonly cpu?: number;
  readonly nanoseconds?: bigint;
  /** Whether the task is under a cgroup, by index in the map. */
  readonly cgroups?: readonly boolean[];
}

/** Runs BPF programs as the kernel's interpreter does, over fake maps; touching anything else fails. */
export class BpfMachine {
  readonly #regions: Region[] = [];
  readonly #maps = new Map<number, FakeMap>();
  #next = 0x1_0000n;

  region(bytes: Buffer): Region {
    const region = { start: this.#next, bytes };
    this.#next += BigInt(bytes.length + 4096);
    this.#regions.push(region);
    return region;
  }

  map(descriptor: number, keySize: number, valueSize: number, room: number): FakeMap {
    const map = new FakeMap(this, keySize, valueSize, room);
    this.#maps.set(descriptor, map);
    return map;
  }

  copy(address: bigint, size: number): Buffer {
    return Buffer.from(this.#at(address, size));
  }

  run(code: Buffer, call: FakeCall): void {
    const context = Buffer.alloc(256);
    for (const [offset, value] of Object.entries(call.registers ?? {})) context.writeBigUInt64LE(value, Number(offset));
    // Registers and frame begin with what was there before: programs must not rely on zeroes.
    const frame = Buffer.alloc(FRAME_BYTES, 0xa5);
    const r = Array.from({ length: 11 }, () => 0xdead_beefn);
    r[1] = this.region(context).start;
    r[10] = this.region(frame).start + BigInt(FRAME_BYTES);
    let steps = 0;
    for (let at = 0; ; at += 8) {
      if (++steps > MOST_STEPS) throw new Error('does not end');
      const opcode = code[at] ?? 0;
      const dst = (code[at + 1] ?? 0) & 15;
      const src = (code[at + 1] ?? 0) >> 4;
      const offset = code.readInt16LE(at + 2);
      const immediate = BigInt(code.readInt32LE(at + 4));
      const size = { 0: 4, 8: 2, 16: 1, 24: 8 }[opcode & 0x18] ?? 8;
      if (opcode === 0x95) return;
      if (opcode === 0x85) {
        r[0] = BigInt.asUintN(64, this.#call(Number(immediate), r, call));
        for (let i = 1; i <= 5; i++) r[i] = 0xdead_beefn;
        continue;
      }
      const operand = (opcode & 8) === 0 ? BigInt.asUintN(64, immediate) : (r[src] ?? 0n);
      switch (opcode & 7) {
        case 0: // LD: a wide immediate, a map, or where the value of an array is
          r[dst] = this.#wide(src, BigInt.asUintN(32, immediate), BigInt(code.readUInt32LE(at + 12)));
          at += 8;
          break;
        case 1:
          r[dst] = read(this.#at((r[src] ?? 0n) + BigInt(offset), size));
          break;
        case 2:
          write(this.#at((r[dst] ?? 0n) + BigInt(offset), size), BigInt.asUintN(64, immediate));
          break;
        case 3: {
          const memory = this.#at((r[dst] ?? 0n) + BigInt(offset), size);
          if (opcode !== 0xdb) write(memory, r[src] ?? 0n);
          else if (immediate === 0n) write(memory, read(memory) + (r[src] ?? 0n));
          else {
            const before = read(memory);
            write(memory, r[src] ?? 0n);
            r[src] = before;
          }
          break;
        }
        case 4:
        case 7: {
          const width = (opcode & 7) === 4 ? 32 : 64;
          r[dst] = BigInt.asUintN(width, compute(opcode & 0xf0, r[dst] ?? 0n, operand, width));
          break;
        }
        case 5:
        case 6:
          if (opcode === 0x05 || holds(opcode & 0xf0, r[dst] ?? 0n, operand, (opcode & 7) === 6 ? 32 : 64))
            at += offset * 8;
          break;
      }
    }
  }

  #wide(source: number, low: bigint, high: bigint): bigint {
    if (source === 0) return (high << 32n) | low;
    if (source === 1) return low;
    return this.#map(low).get(word(0))?.start ?? 0n;
  }

  #map(descriptor: bigint): FakeMap {
    const map = this.#maps.get(Number(descriptor));
    if (!map) throw new Error(`no map ${descriptor}`);
    return map;
  }

  #at(address: bigint, size: number): Buffer {
    const region = this.#regions.find(
      ({ start, bytes }) => address >= start && address + BigInt(size) <= start + BigInt(bytes.length),
    );
    if (!region) throw new Error(`${size} bytes at 0x${address.toString(16)} are nobody's`);
    const from = Number(address - region.start);
    return region.bytes.subarray(from, from + size);
  }

  #call(number: number, [, a = 0n, b = 0n, c = 0n, d = 0n]: readonly bigint[], call: FakeCall): bigint {
    switch (NAMES.get(number)) {
      case 'map_lookup_elem':
        return this.#map(a).lookup(b);
      case 'map_update_elem':
        if (d !== 1n) throw new Error('only what is new may be inserted');
        // An int: what is above it is left as it is.
        return BigInt.asUintN(32, BigInt(this.#map(a).update(b, c)));
      case 'ktime_get_ns':
        return call.nanoseconds ?? 0n;
      case 'get_smp_processor_id':
        return BigInt(call.cpu ?? 0);
      case 'get_current_pid_tgid':
        return (BigInt(call.pid ?? 0) << 32n) | 1n;
      case 'get_ns_current_pid_tgid': {
        const memory = this.#at(c, Number(d));
        memory.fill(0);
        const pid = call.namespacePid ?? null;
        if (pid === null) return -22n;
        memory.writeUInt32LE(pid, 4);
        return 0n;
      }
      case 'get_current_comm': {
        // Nothing is written behind the end.
        const name = Buffer.from(`${call.comm ?? ''}\0`);
        name.copy(this.#at(a, Number(b)));
        return 0n;
      }
      case 'current_task_under_cgroup':
        return call.cgroups?.[Number(b)] ? 1n : 0n;
      case 'get_stack': {
        const memory = this.#at(b, Number(c));
        memory.fill(0);
        if (call.stackError !== undefined) return BigInt(call.stackError);
        const frames = ((d & 256n) === 0n ? call.stack : call.userStack) ?? [];
        const kept = frames.slice(0, memory.length / 8);
        for (const [i, frame] of kept.entries()) memory.writeBigUInt64LE(frame, 8 * i);
        return BigInt(8 * kept.length);
      }
      case 'probe_read':
      case 'probe_read_user': {
        const memory = this.#at(a, Number(b));
        const from = this.#regions.find(({ start, bytes }) => c >= start && c < start + BigInt(bytes.length));
        memory.fill(0);
        if (!from) return -14n;
        from.bytes.copy(memory, 0, Number(c - from.start));
        return 0n;
      }
      default:
        throw new Error(`helper ${number} is not there`);
    }
  }
}

/** A key of an array. */
export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function read(bytes: Buffer): bigint {
  return [...bytes].reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function write(bytes: Buffer, value: bigint): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

function compute(operation: number, left: bigint, right: bigint, width: number): bigint {
  const shift = right & BigInt(width - 1);
  switch (operation) {
    case 0x00:
      return left + right;
    case 0x10:
      return left - right;
    case 0x20:
      return left * right;
    case 0x30:
      return right === 0n ? 0n : left / right;
    case 0x40:
      return left | right;
    case 0x50:
      return left & right;
    case 0x60:
      return left << shift;
    case 0x70:
      return BigInt.asUintN(width, left) >> shift;
    case 0xa0:
      return left ^ right;
    case 0xb0:
      return right;
    case 0xc0:
      return BigInt.asIntN(width, left) >> shift;
    default:
      throw new Error(`operation 0x${operation.toString(16)}`);
  }
}

function holds(condition: number, left: bigint, right: bigint, width: number): boolean {
  const a = BigInt.asUintN(width, left);
  const b = BigInt.asUintN(width, right);
  const signedA = BigInt.asIntN(width, left);
  const signedB = BigInt.asIntN(width, right);
  switch (condition) {
    case 0x10:
      return a === b;
    case 0x20:
      return a > b;
    case 0x30:
      return a >= b;
    case 0x50:
      return a !== b;
    case 0x60:
      return signedA > signedB;
    case 0xa0:
      return a < b;
    case 0xb0:
      return a <= b;
    case 0xc0:
      return signedA < signedB;
    case 0xd0:
      return signedA <= signedB;
    default:
      throw new Error(`condition 0x${condition.toString(16)}`);
  }
}
