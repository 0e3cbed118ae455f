import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { WorkloadCommand } from './workload-command.ts';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-command-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs a shell script to its end, with what it printed read along. */
async function runReadAlong(script: string, to: Writable = new PassThrough().resume()) {
  const read: Buffer[] = [];
  const command = new WorkloadCommand(['sh', '-c', script], { onOutput: (chunk) => read.push(chunk), to });
  command.release();
  const { status } = await command.ended();
  return { status, read: Buffer.concat(read).toString() };
}

async function statusOf(...words: string[]): Promise<number> {
  const command = new WorkloadCommand(words);
  command.release();
  return (await command.ended()).status;
}

/** Takes one chunk at a time, slowly, and keeps them. */
class Slow extends Writable {
  text = '';

  constructor() {
    super({ highWaterMark: 1 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    setTimeout(done, 20);
  }
}

/** Somebody who reads no more after the first chunk. */
function head(): Writable {
  return new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  }).on('error', () => {});
}

const isAlive = (pid: number) => spawnSync('kill', ['-0', String(pid)]).status === 0;

describe('COMMAND', () => {
  it('ends with its own status, or 128 and the signal', async () => {
    expect(await statusOf('true')).toBe(0);
    expect(await statusOf('sh', '-c', 'exit 7')).toBe(7);
    expect(await statusOf('sh', '-c', 'kill -9 $$')).toBe(137);
  });

  it('is held back until it is released, and never runs if it is not', async () => {
    const mark = join(scratch, 'ran');
    const command = new WorkloadCommand(['touch', mark]);
    command.cancel();
    expect(await command.ended()).toEqual({ status: 125 });
    expect(() => rmSync(mark)).toThrow('ENOENT');
  });

  it('has the process id of what is held back', async () => {
    const read: string[] = [];
    const command = new WorkloadCommand(['sh', '-c', 'echo $$'], {
      onOutput: (chunk) => read.push(chunk.toString()),
      to: new PassThrough().resume(),
    });
    const { pid } = command;
    command.release();
    await command.ended();
    expect(read.join('')).toBe(`${pid}\n`);
  });

  it('is refused as a shell would refuse it', () => {
    const file = join(scratch, 'not-executable');
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, 0o644);
    const refusal = (word: string) => {
      try {
        new WorkloadCommand([word]);
      } catch (error) {
        return error;
      }
      return null;
    };
    expect(refusal('no-such-command')).toMatchObject({
      message: 'cannot run no-such-command: no such command',
      exitStatus: 127,
    });
    expect(refusal('ulimit')).toMatchObject({
      message: "cannot run ulimit: no such command (a shell builtin? try sh -c 'ulimit …')",
      exitStatus: 127,
    });
    expect(refusal(file)).toMatchObject({ message: `cannot run ${file}: not executable`, exitStatus: 126 });
  });
});

describe('output that is read along', () => {
  it('is passed on unchanged to somebody who takes it slowly, to its last byte', async () => {
    const to = new Slow();
    const { read } = await runReadAlong('seq 1 30000', to);
    const wanted = Array.from({ length: 30_000 }, (_, i) => `${i + 1}\n`).join('');
    expect(read).toBe(wanted);
    await new Promise((resolve) => to.end(resolve));
    expect(to.text).toBe(wanted);
  });

  it('is a pipe, which COMMAND may open again', async () => {
    expect(await runReadAlong('echo one > /dev/stdout; test -p /dev/stdout && echo two')).toEqual({
      status: 0,
      read: 'one\ntwo\n',
    });
  });

  it('does not outlive COMMAND, whoever still holds it', async () => {
    const { status, read } = await runReadAlong('sleep 300 & echo $!; exit 3');
    expect(status).toBe(3);
    expect(read).toMatch(/^\d+\n$/);
    expect(isAlive(Number(read))).toBe(true);
    process.kill(Number(read));
  });

  it('does not outlive COMMAND even where somebody goes on printing', async () => {
    // Whenever the slow one is ready for more, there is more.
    const { status, read } = await runReadAlong('yes 2> /dev/null & echo "first $!"; sleep 0.1; exit 3', new Slow());
    expect(status).toBe(3);
    process.kill(Number(/first (\d+)/.exec(read)?.[1]));
  });

  it('is closed when nobody takes it any more: COMMAND ends by SIGPIPE, as behind a shell', async () => {
    expect((await runReadAlong('while sleep 0.05; do echo line; done', head())).status).toBe(128 + 13);
    expect((await runReadAlong('exec yes', head())).status).toBe(128 + 13);
  });
});
