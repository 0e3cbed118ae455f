import { Refused } from '../refusals/refused.ts';

/** Where a walk starts from: byte offsets in `struct pt_regs`. */
export interface StackRegisters {
  readonly instruction: number;
  readonly stack: number;
  readonly frame: number;
  /** The low two bits are not zero where the registers are those of user mode. */
  readonly codeSegment: number;
}

/** What differs between processor architectures at the system call boundary. */
export interface Arch {
  /** As reports name it. */
  readonly name: 'x86-64' | 'arm64';
  /** System call numbers (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
  readonly syscalls: {
    readonly bpf: number;
    readonly perfEventOpen: number;
    readonly ioctl: number;
    readonly prlimit64: number;
    readonly mmap: number;
    readonly munmap: number;
    readonly pipe2: number;
  };
  /** The length an execution breakpoint must be declared with, in bytes. */
  readonly breakpointLength: number;
  /** Whether a breakpoint stops before its instruction again unless the kernel steps over it. */
  readonly breakpointRepeats: boolean;
  /** Byte offsets of the first arguments of a function in the registers a BPF program is given. */
  readonly argumentOffsets: readonly number[];
  /**
   * Byte offset, in the same registers, of what tells where a function was called from as it begins: the link register,
   * or the stack pointer where the return address lies on the stack.
   */
  readonly returnAddress: { readonly offset: number; readonly onStack: boolean };
  /** Where the stack is found in these registers; undefined where the kernel has no ORC tables for its unwinder. */
  readonly stackRegisters?: StackRegisters;
  /** Prefix of a syscall's entry function: `__x64_sys_` + `write`. */
  readonly syscallPrefix: string;
}

const ARCHES: Readonly<Record<string, Arch>> = {
  x64: {
    name: 'x86-64',
    syscalls: { bpf: 321, perfEventOpen: 298, ioctl: 16, prlimit64: 302, mmap: 9, munmap: 11, pipe2: 293 },
    breakpointLength: 8,
    breakpointRepeats: false, // RFLAGS.RF
    // struct pt_regs: rdi, rsi, rdx, rcx, r8, r9
    argumentOffsets: [112, 104, 96, 88, 72, 64],
    returnAddress: { offset: 152, onStack: true }, // rsp
    stackRegisters: { instruction: 128, codeSegment: 136, stack: 152, frame: 32 },
    syscallPrefix: '__x64_sys_',
  },
  arm64: {
    name: 'arm64',
    syscalls: { bpf: 280, perfEventOpen: 241, ioctl: 29, prlimit64: 261, mmap: 222, munmap: 215, pipe2: 59 },
    breakpointLength: 4,
    breakpointRepeats: true,
    // struct user_pt_regs: x0 to x7
    argumentOffsets: [0, 8, 16, 24, 32, 40, 48, 56],
    returnAddress: { offset: 240, onStack: false }, // x30
    syscallPrefix: '__arm64_sys_',
  },
};

/** The tables of this machine. */
export function arch(): Arch {
  const known = process.platform === 'linux' ? ARCHES[process.arch] : undefined;
  if (!known) {
    throw new Refused({ code: 'unsupported-machine', platform: process.platform, architecture: process.arch });
  }
  return known;
}
