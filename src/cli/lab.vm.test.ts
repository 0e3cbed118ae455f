import { type ChildProcess, spawn } from 'node:child_process';
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
