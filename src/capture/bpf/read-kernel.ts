import { createMap, lookupMap, MAP_ARRAY } from '../sys/bpf-maps.ts';
import { PROG_RAW_TRACEPOINT, runProgram, VerifierError } from '../sys/bpf-programs.ts';
import { Descriptors } from '../sys/descriptors.ts';
import { allocate, SystemCallError } from '../sys/native.ts';
import { Assembler, R0, R1, R2, R3 } from './asm.ts';
import { loadCode } from './load-program.ts';

/**
 * Bytes of kernel memory, read by a BPF program that is run once. null where the kernel does not let it: before Linux
 * 5.10, under lockdown for confidentiality.
 */
export function readKernelMemory(address: bigint, bytes: number): Buffer | null {
  const held = new Descriptors();
  try {
    const map = createMap('whocalls_memory', MAP_ARRAY, 4, bytes, 1);
    held.hold(map.descriptor);
    const asm = new Assembler();
    asm.loadMapValue(R1, map.descriptor).mov(R2, bytes).load64(R3, address).call('probe_read_kernel');
    asm.mov(R0, 0).exit();
    runProgram(held.hold(loadCode('whocalls_memory', PROG_RAW_TRACEPOINT, asm.assemble())));
    const memory = allocate(bytes);
    return lookupMap(map, allocate(4), memory) ? memory : null;
  } catch (error) {
    if (error instanceof SystemCallError || error instanceof VerifierError) return null;
    throw error;
  } finally {
    held.close();
  }
}
