// What tests need that is not everywhere: where it is missing they are skipped, with a reason that the last lines of
// `npm test` show. A reason says what is missing and, after a colon, the command that gets it.
import { spawnSync } from 'node:child_process';
import { labAvailability } from '../../src/lab/availability.ts';
import { matches } from '../../src/lab/kernels.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** Why a test or a suite is skipped. */
    lack?: string;
  }
}

/** What is missing here and how to get it; null where nothing is. */
export type Lack = string | null;

/** Options of a test or a suite that is skipped where anything is missing: `it('…', needs(program('perf', …)), …)`. */
export function needs(...lacks: readonly Lack[]): { skip?: true; meta?: { lack: string } } {
  const lack = lacks.find((each) => each !== null);
  return lack === undefined ? {} : { skip: true, meta: { lack } };
}

/** A lack that the test itself has found out: for `it('…', ({ skip }) => skip(isMissing, lacking('…', '…')))`. */
export function lacking(what: string, command: string): string {
  return `${what}: ${command}`;
}

export function lackIf(isMissing: boolean, what: string, command: string): Lack {
  return isMissing ? lacking(what, command) : null;
}

/** A program of the host, and the Debian package that it is in. */
export function program(name: string, packages: string): Lack {
  return lackIf(spawnSync(name, ['--version']).error !== undefined, `no ${name}`, `apt-get install ${packages}`);
}

const { ready, missing, kernels } = labAvailability();

/** A virtual machine. */
export const VIRTUAL_MACHINE = lackIf(
  !ready,
  `no virtual machine (missing ${missing.join(', ')})`,
  'bin/whocalls lab setup --kernel all',
);

/** A virtual machine with a kernel of this series. */
export function guestKernel(series: string): Lack {
  const isThere = kernels.some(({ release }) => matches(release, series));
  return VIRTUAL_MACHINE ?? lackIf(!isThere, `no kernel ${series}`, `bin/whocalls lab setup --kernel ${series}`);
}
