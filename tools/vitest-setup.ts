// Tests read the compiled atlas and start bin/whocalls: both must match the sources.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Installs and builds what is missing or older than its source. */
export function setup(): void {
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL('setup.cjs', import.meta.url))], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('tools/setup.cjs failed: see above');
}
