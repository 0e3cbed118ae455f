import { loadProgram, VerifierError } from '../sys/bpf-programs.ts';
import type { BpfCode } from './asm.ts';
import { disassemble } from './disassemble.ts';

/**
 * Loads an assembled BPF program.
 * @param maps names of its maps by descriptor, for the listing that goes with a refusal
 * @throws {VerifierError} with the program as text before what the verifier says of it
 * @throws {SystemCallError}
 */
export function loadCode(name: string, type: number, code: BpfCode, maps?: ReadonlyMap<number, string>): number {
  try {
    return loadProgram(name, type, code.bytes);
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    throw new VerifierError(name, error.errno, error.log, disassemble(code, maps));
  }
}
