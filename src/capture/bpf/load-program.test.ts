import { expect, it, vi } from 'vitest';
import { Assembler, R0, R1 } from './asm.ts';
import { loadCode } from './load-program.ts';

vi.mock('../sys/bpf-programs.ts', async (load) => {
  const real = await load<typeof import('../sys/bpf-programs.ts')>();
  const loadProgram = (name: string) => {
    throw new real.VerifierError(name, 'EACCES', "1: (79) r1 = *(u64 *)(r0 +4)\nR0 invalid mem access 'scalar'\n");
  };
  return { ...real, loadProgram };
});

it('puts the program before the log of the verifier that refuses it, for --debug', () => {
  const code = new Assembler().mov(R0, 0).label('bad').load(8, R1, R0, 4).exit().assemble();
  const refusal = { message: '', details: '' };
  try {
    loadCode('whocalls', 2, code);
  } catch (error) {
    Object.assign(refusal, { message: (error as Error).message, details: (error as { details?: string }).details });
  }
  expect(refusal.message).toBe(
    "the kernel refused the BPF program whocalls (EACCES); --debug shows the verifier's log",
  );
  expect(refusal.details).toBe(`  0: r0 = 0
bad:
  1: r1 = *(u64 *)(r0 +4)
  2: exit
1: (79) r1 = *(u64 *)(r0 +4)
R0 invalid mem access 'scalar'
`);
});
