import { describe, expect, it } from 'vitest';
import { labAvailability } from './availability.ts';
import { matches } from './kernels.ts';
import { runInLab } from './run.ts';

const { ready, missing, kernels } = labAvailability();
if (!ready) console.warn(`skipped: virtual machine tests need ${missing.join(', ')} (whocalls lab setup --kernel all)`);

describe.skipIf(!ready).each(['6.1', '6.12'])('a guest with Linux %s', (series) => {
  const present = kernels.some(({ release }) => matches(release, series));

  it.skipIf(!present)('runs a command and brings back both streams and the status', async () => {
    const script = 'echo out; echo err >&2; uname -r; cat; exit 7';
    const result = await runInLab({ kernel: series, accelerator: 'tcg' }, ['sh', '-c', script]);
    expect(result.stderr.toString()).toBe('err\n');
    expect(result.stdout.toString()).toBe(`out\n${result.kernel.release}\n`);
    expect(result.status).toBe(7);
    expect(matches(result.kernel.release, series)).toBe(true);
  });
});
