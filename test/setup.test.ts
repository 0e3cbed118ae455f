import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SETUP = fileURLToPath(new URL('../tools/setup.cjs', import.meta.url));
let directory: string;
let lock: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'whocalls-setup-'));
  lock = join(directory, 'lock');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The words that do something under the lock in a process of its own. */
const underLock = (work: string) => [
  '-e',
  `require(${JSON.stringify(SETUP)}).underLock(() => { ${work} }, process.argv[1])`,
];

/** How it ended, and whether anything stayed behind. */
function run(work: string): { status: number | null; stdout: string; left: string[] } {
  const words = [...underLock(work), lock];
  const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 30_000 });
  return { status, stdout, left: readdirSync(directory) };
}

const WORK = "console.log('worked')";
const WORKED = { status: 0, stdout: 'worked\n', left: [] };

describe('the lock of a checkout', () => {
  it('is gone when the work is done, has failed or has ended the process', () => {
    expect(run(WORK)).toEqual(WORKED);
    expect(run('process.exit(3)')).toEqual({ status: 3, stdout: '', left: [] });
    expect(run("throw new Error('broken')")).toEqual({ status: 1, stdout: '', left: [] });
  });

  it('is taken from a process that is gone', () => {
    run("process.kill(process.pid, 'SIGKILL')");
    expect(existsSync(lock)).toBe(true);
    expect(run(WORK)).toEqual(WORKED);
    // this very process, but with another start: its number was used before
    writeFileSync(lock, `${process.pid} 1`);
    expect(run(WORK)).toEqual(WORKED);
    mkdirSync(lock);
    expect(run(WORK)).toEqual(WORKED);
  });

  it('is left to a process that cannot be asked for, but not for ever', () => {
    writeFileSync(lock, '1 1 pid:[1]');
    const waiting = spawnSync(process.execPath, [...underLock(WORK), lock], { encoding: 'utf8', timeout: 1500 });
    expect([waiting.status, waiting.stdout]).toEqual([null, '']);
    for (const name of readdirSync(directory)) if (name !== 'lock') rmSync(join(directory, name)); // of who was ended
    const before = Date.now() / 1000 - 3600;
    utimesSync(lock, before, before);
    expect(run(WORK)).toEqual(WORKED);
  });

  it('lets one work after the other, however many come at once', async () => {
    const log = join(directory, 'log');
    const step = (what: string) =>
      `require('fs').appendFileSync(${JSON.stringify(log)}, '${what} ' + process.pid + '\\n');`;
    const work = `${step('begin')} Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150); ${step('end')}`;
    writeFileSync(lock, '999999999 1');
    const ends = Array.from({ length: 5 }, () => spawn(process.execPath, [...underLock(work), lock])).map(
      (child) => new Promise((resolve) => child.on('close', resolve)),
    );
    expect(await Promise.all(ends)).toEqual([0, 0, 0, 0, 0]);
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    for (let i = 0; i < lines.length; i += 2) expect(lines[i + 1]).toBe(lines[i]?.replace('begin', 'end'));
    expect(readdirSync(directory)).toEqual(['log']);
  });
});
