import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs, VIRTUAL_MACHINE } from '../../test/support/needs.ts';

const PATIENCE = 240_000;
const whocalls = fileURLToPath(new URL('../../bin/whocalls', import.meta.url));

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'whocalls-lab-test-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('whocalls lab run', needs(VIRTUAL_MACHINE), () => {
  it(
    'passes Ctrl-C on to the command, and its exit status back',
    async () => {
      const lab = start('trap "echo caught; exit 3" INT; echo up; while :; do sleep 0.1; done');
      await lab.said('up');
      lab.child.kill('SIGINT');
      expect(await lab.status).toBe(3);
      expect(lab.output()).toBe('up\ncaught\n');
      expect(readdirSync(scratch)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'switches the guest off at the second Ctrl-C',
    async () => {
      const lab = start('trap "echo caught" INT; echo up; while :; do sleep 0.1; done');
      await lab.said('up');
      lab.child.kill('SIGINT');
      await lab.said('caught');
      lab.child.kill('SIGINT');
      expect(await lab.status).toBe(130);
      expect(machinesIn(scratch)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'leaves no machine and no files behind when it is killed',
    async () => {
      const lab = start('echo up; sleep 1000');
      await lab.said('up');
      expect(machinesIn(scratch)).not.toEqual([]);
      lab.child.kill('SIGKILL');
      await lab.status;
      for (let tries = 0; tries < 100 && (machinesIn(scratch).length > 0 || readdirSync(scratch).length > 0); tries++) {
        await sleep(100);
      }
      expect(machinesIn(scratch)).toEqual([]);
      expect(readdirSync(scratch)).toEqual([]);
    },
    PATIENCE,
  );
});

describe('whocalls lab', needs(VIRTUAL_MACHINE), () => {
  it(
    'reports what was counted until the time was up, and hands COMMAND its own streams and nothing else',
    () => {
      const file = join(scratch, 'counted.pb.gz');
      const script = 'ls /proc/self/fd; while :; do sleep 0.1; done';
      const lab = spawnSync(
        whocalls,
        ['lab', '--accel', 'tcg', '--timeout', '15', 'do_exit', '-o', file, '--', 'sh', '-c', script],
        { encoding: 'utf8' },
      );
      expect(lab.status).toBe(124);
      expect(lab.stderr).toContain('whocalls: the command took longer than 15 s (--timeout) and was ended\n');
      // 3 is the folder that ls reads.
      expect(lab.stdout).toMatch(/^0\n1\n2\n3\n\n?do_exit/);
      const { stdout } = spawnSync(whocalls, ['read', '--format', 'json', file], { encoding: 'utf8' });
      const { calls, command } = JSON.parse(stdout);
      expect(calls.total).toBeGreaterThan(10);
      expect(calls.attributed).toBe(calls.total);
      expect(command).toEqual(['sh', '-c', script]);
    },
    PATIENCE,
  );
});

/** Runs a script in the guest by the command line, with scratch files where they can be looked at. */
function start(script: string) {
  const child = spawn(whocalls, ['lab', 'run', '--accel', 'tcg', '--timeout', '100', '--', 'sh', '-c', script], {
    env: { ...process.env, TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const status = new Promise<number | null>((resolve) => child.once('close', resolve));
  const said = (text: string) => waitForText(child, () => output, text);
  return { child, status, output: () => output, said };
}

function waitForText(child: ChildProcess, output: () => string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = () => output().includes(text) && resolve();
    child.stdout?.on('data', check);
    child.once('close', () => reject(new Error(`ended without saying ${text}: ${output()}`)));
    check();
  });
}

/** Process ids of QEMU (and its supervisor) working in a scratch directory. */
function machinesIn(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    const commandLine = join('/proc', pid, 'cmdline');
    try {
      return (
        /^\d+$/.test(pid) && existsSync(commandLine) && readFileSync(commandLine, 'utf8').includes(`${directory}/`)
      );
    } catch {
      return false; // ended in between
    }
  });
}
