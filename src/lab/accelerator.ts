import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { release as hostRelease } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheDirectory } from '../host/cache.ts';

export type Accelerator = 'kvm' | 'tcg';

/**
 * Whether hardware virtualisation can be trusted with a kernel. A device file proves nothing: it can be there and
 * hang every guest. So each kernel has to boot with it once within a few seconds, and the outcome is kept.
 */
export type KvmState = 'absent' | 'untried' | 'works' | 'fails';

export function kvmState(kernel: string): KvmState {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return 'absent';
  }
  return readOutcomes()[keyOf(kernel)] ?? 'untried';
}

export function rememberKvm(kernel: string, outcome: 'works' | 'fails'): void {
  const outcomes = { ...readOutcomes(), [keyOf(kernel)]: outcome };
  mkdirSync(dirname(outcomesFile()), { recursive: true });
  writeFileSync(outcomesFile(), `${JSON.stringify(outcomes, null, 2)}\n`);
}

function outcomesFile(): string {
  return join(cacheDirectory(), 'kvm.json');
}

/** Another kernel of the host may do better. */
function keyOf(kernel: string): string {
  return `${kernel} on ${hostRelease()}`;
}

function readOutcomes(): Record<string, 'works' | 'fails'> {
  try {
    return JSON.parse(readFileSync(outcomesFile(), 'utf8')) as Record<string, 'works' | 'fails'>;
  } catch {
    return {};
  }
}
