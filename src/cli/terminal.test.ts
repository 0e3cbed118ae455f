import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { TERMINAL_VARIABLE } from './terminal.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url));

it('is known of a guest, whose streams are none: width and colours are those of what they end on', () => {
  const env = { ...process.env, NO_COLOR: '', TERM: 'xterm', COLUMNS: '83' };
  const input = 'ls;a_function;another_function;vfs_read 7\n';
  const read = (terminals: string) =>
    spawnSync(process.execPath, [MAIN, 'read', '-'], {
      encoding: 'utf8',
      input,
      env: { ...env, [TERMINAL_VARIABLE]: terminals },
    }).stdout;
  expect(read('stdout,stderr')).toContain('\u001b[1m');
  for (const others of ['stderr', '']) expect(read(others)).not.toContain('\u001b');
});
