import { spawn, spawnSync } from 'node:child_process';
import {
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const LOCK = fileURLToPath(new URL('../tools/lock.cjs', import.meta.url));
const NAMESPACE = readlinkSync('/proc/self/ns/pid');
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
  `require(${JSON.stringify(LOCK)}).underLock(() => { ${work} }, process.argv[1])`,
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
    expect(readdirSync(directory)).toEqual(['lock']);
    expect(run(WORK)).toEqual(WORKED);
    // this very process, but with another start: its number was used before
    symlinkSync(`${process.pid} 1 ${NAMESPACE}`, lock);
    expect(run(WORK)).toEqual(WORKED);
    // what other versions left
    writeFileSync(lock, `${process.pid} 1`);
    expect(run(WORK)).toEqual(WORKED);
    mkdirSync(lock);
    expect(run(WORK)).toEqual(WORKED);
  });

  it('passes to who waits for it when its holder is killed', async () => {
    const holding = `console.log('holding'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30000);`;
    const holder = spawn(process.execPath, [...underLock(holding), lock]);
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const waiting = spawn(process.execPath, [...underLock(WORK), lock]);
    let output = '';
    waiting.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      expect(holder.killed).toBe(true);
    });
    setTimeout(() => holder.kill('SIGKILL'), 500);
    expect(await new Promise((resolve) => waiting.on('close', resolve))).toBe(0);
    expect([output, readdirSync(directory)]).toEqual(['worked\n', []]);
  });

  it('is left to a process that cannot be asked for, but not for ever', () => {
    symlinkSync('1 1 pid:[1]', lock);
    const waiting = spawnSync(process.execPath, [...underLock(WORK), lock], { encoding: 'utf8', timeout: 1500 });
    expect([waiting.status, waiting.stdout]).toEqual([null, '']);
    expect(readdirSync(directory)).toEqual(['lock']);
    const before = Date.now() / 1000 - 3600;
    lutimesSync(lock, before, before);
    expect(run(WORK)).toEqual(WORKED);
  });

  it('lets one work after the other, however many come at once', async () => {
    const log = join(directory, 'log');
    const step = (what: string) =>
      `require('fs').appendFileSync(${JSON.stringify(log)}, '${what} ' + process.pid + '\\n');`;
    const work = `${step('begin')} Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150); ${step('end')}`;
    symlinkSync(`999999999 1 ${NAMESPACE}`, lock);
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
