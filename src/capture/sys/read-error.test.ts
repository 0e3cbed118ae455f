import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readLine } from './kernel.ts';
import { cannotRead, unlessAbsent } from './read-error.ts';

/** Runs a script in a process that may open few files. */
function withFewFiles(script: string): { status: number | null; stdout: string } {
  const words = ['--import', 'tsx', '--input-type=module', '-e', script];
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  return spawnSync('sh', ['-c', 'ulimit -n 200 && exec "$@"', 'sh', process.execPath, ...words], {
    cwd,
    encoding: 'utf8',
  });
}

it('says that no more files can be opened, instead of finding nothing', () => {
  const { stdout } = withFewFiles(`
    import { openSync } from 'node:fs';
    import { onlineCpus, readLine } from './kernel.ts';
    import { listTraceEvents } from '../sys/tracefs.ts';
    import { Kallsyms } from '../symbols/kallsyms.ts';
    const before = readLine('/no/such/file');
    try { for (;;) openSync('/dev/null', 'r'); } catch {}
    const said = [onlineCpus, listTraceEvents, () => Kallsyms.read()].map((read) => {
      try { read(); return 'nothing'; } catch (error) { return error.name + ': ' + error.message; }
    });
    console.log(JSON.stringify([before, ...said]));
  `);
  expect(JSON.parse(stdout)).toEqual([
    null,
    'Refused: cannot read /sys/devices/system/cpu/online: too many open files',
    expect.stringMatching(/^Refused: cannot read .*\/events\/: too many open files$/),
    expect.stringMatching(/^Refused: cannot read \/proc\/(kallsyms|modules): too many open files$/),
  ]);
});

it('passes over what is not there, and over nothing else', () => {
  const directory = mkdtempSync(join(tmpdir(), 'whocalls-read-'));
  const loop = join(directory, 'loop');
  symlinkSync('loop', loop);
  try {
    for (const code of ['ENOENT', 'EACCES']) unlessAbsent(Object.assign(new Error(code), { code }), '/x');
    const error = Object.assign(new Error("ELOOP: too many symbolic links encountered, open 'loop'"), {
      code: 'ELOOP',
    });
    expect(() => unlessAbsent(error, loop)).toThrow(`cannot read ${loop}: too many symbolic links encountered`);
    expect(cannotRead('/x', error).cause).toBe(error);
    expect(readLine(loop)).toBeNull();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
