import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { messageOf } from '../../errors.ts';
import { Refused } from '../refusals/refused.ts';

/** What is asked of the kernel, so that a refusal can be told from others. */
export interface SystemCallRequest {
  /** The system call: `bpf`, `perf_event_open`, `ioctl`, … */
  readonly call: string;
  /** What it is to make or work on: `map`, `program`, `PERF_EVENT_IOC_SET_BPF`. */
  readonly object?: string;
  /** Which one. */
  readonly name?: string;
}

/** A system call that the kernel refused. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly call: string;
  readonly object: string | undefined;
  /** `EPERM`, `EINVAL`, … */
  readonly errno: string;

  constructor(request: SystemCallRequest, errno: string) {
    super(`${[request.call, request.object, request.name].filter((part) => part !== undefined).join(' ')}: ${errno}`);
    this.call = request.call;
    this.object = request.object;
    this.errno = errno;
  }
}

interface Native {
  syscall(number: number, ...args: readonly (number | bigint)[]): number;
  address(memory: Buffer): bigint;
  view(address: bigint, bytes: number): ArrayBuffer;
  errno(): number;
  func(prototype: string): CFunction;
}

type Argument = number | bigint | string | Buffer;

/** A function of the C library. A buffer stands for the address of its bytes. */
export interface CFunction {
  (...args: readonly Argument[]): number | bigint;
  /** Calls it on another thread. The last argument is called with what came of it. */
  async(...args: readonly (Argument | ((error: unknown, result: number | bigint) => void))[]): void;
}

interface Koffi {
  load(path: string | null): { func(prototype: string): CFunction };
  address(memory: Buffer): bigint;
  view(address: bigint, bytes: number): ArrayBuffer;
  errno(): number;
}

let native: Native | undefined;

/** Loads the foreign function interface on first use: no other command should pay for it, or need it. */
function load(): Native {
  if (native) return native;
  let koffi: Koffi;
  try {
    koffi = loadKoffi(createRequire(import.meta.url));
  } catch (error) {
    throw new Refused({ code: 'no-native-calls', why: messageOf(error) }, { cause: error });
  }
  const library = koffi.load(null);
  const syscall = library.func('int64 syscall(long number, int64 a, int64 b, int64 c, int64 d, int64 e, int64 f)');
  native = {
    syscall: (number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) => Number(syscall(number, a, b, c, d, e, f)),
    address: (memory) => koffi.address(memory),
    view: (address, bytes) => koffi.view(address, bytes),
    errno: () => koffi.errno(),
    func: (prototype) => library.func(prototype),
  };
  return native;
}

/** The file that koffi would load in the end, which it takes five times as long to find out; else koffi as a whole. */
function loadKoffi(require: NodeJS.Require): Koffi {
  const { platform, arch } = process;
  try {
    return require(`@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`) as Koffi;
  } catch {
    return require('koffi') as Koffi;
  }
}

/** A function of the C library by its prototype: `int getpid()`. */
export function cFunction(prototype: string): CFunction {
  return load().func(prototype);
}

/**
 * Makes a system call; `request` names it in the error.
 * @throws {SystemCallError} where the kernel refuses
 */
export function systemCall(request: SystemCallRequest, number: number, ...args: readonly (number | bigint)[]): number {
  const result = trySystemCall(number, ...args);
  if (typeof result === 'string') throw new SystemCallError(request, result);
  return result;
}

/** Makes a system call whose refusal is an answer: a number, or the name of the error (`ENOENT`). */
export function trySystemCall(number: number, ...args: readonly (number | bigint)[]): number | string {
  const { syscall, errno } = load();
  const result = syscall(number, ...args);
  return result < 0 ? errnoName(errno()) : result;
}

/** Buffers whose addresses were asked for last. */
const recent: Buffer[] = [];
const MOST_RECENT = 16;

/**
 * The address of a buffer's bytes, for structures that hold pointers; the memory of buffers does not move. The buffer
 * lives on at least until fifteen more addresses were asked for, whether anything refers to it or not: long enough for
 * the system call that the address is for.
 */
export function addressOf(memory: Buffer): bigint {
  recent.push(memory);
  if (recent.length > MOST_RECENT) recent.shift();
  return load().address(memory);
}

/** Memory that the kernel shares with this process. It must not be touched once it is unmapped. */
export function memoryAt(address: number, bytes: number): Buffer {
  return Buffer.from(load().view(BigInt(address), bytes));
}

/** Zeroed memory of its own, outside of Node's shared pool. */
export function allocate(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes));
}

function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(constants.errno)) if (value === errno) return name;
  return `errno ${errno}`;
}
