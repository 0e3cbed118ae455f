import { spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { Stopper } from './run-end.ts';
import { WorkloadCommand } from './workload-command.ts';

const SHORT = 50;
const commands: WorkloadCommand[] = [];

afterEach(() => {
  for (const command of commands.splice(0)) command.signal('SIGKILL');
});

/** A shell script as COMMAND that has begun: its first word is printed. */
async function begin(script: string): Promise<WorkloadCommand> {
  const to = new PassThrough();
  const command = new WorkloadCommand(['sh', '-c', script], { onOutput: () => {}, to });
  commands.push(command);
  command.release();
  await once(to, 'data');
  return command;
}

/** Ends at no signal but SIGKILL. */
const DEAF = "trap '' TERM INT; echo ready; while :; do sleep 0.1; done";

/** Runs a program that has COMMAND, and is done with it, to its own end. */
function runProgram(program: string) {
  const at = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const imports = `import { Stopper } from ${at('./run-end.ts')};
import { WorkloadCommand } from ${at('./workload-command.ts')};\n`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', imports + program];
  // What COMMAND prints on stderr would be waited for.
  const stdio = ['ignore', 'pipe', 'ignore'] as const;
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000, stdio: [...stdio] });
}

describe('this process ends', () => {
  it('while COMMAND, which was left alone, goes on', () => {
    const { status, stdout } = runProgram(`
      const words = ['sh', '-c', ${JSON.stringify(DEAF)}];
      const command = new WorkloadCommand(words, { onOutput: () => stopper.every(1, () => { throw new Error(); }) });
      const stopper = new Stopper(undefined, command);
      command.release();
      await stopper.wait();
      await stopper.settle(${SHORT});
      console.log(command.pid);`);
    const pid = Number(/^ready\n(\d+)\n$/.exec(stdout)?.[1]);
    process.kill(pid, 'SIGKILL');
    expect(status).toBe(0);
  });

  it('while something that COMMAND left behind holds its output', () => {
    const { status, stdout } = runProgram(`
      const command = new WorkloadCommand(['sh', '-c', 'sleep 300 & echo $!'], { onOutput: () => {} });
      command.release();
      await command.ended();`);
    process.kill(Number(stdout));
    expect(status).toBe(0);
  });
});

describe('a run is over', () => {
  it('when COMMAND has ended, with its status', async () => {
    const stopper = new Stopper(undefined, await begin('echo ready; exit 7'), new EventEmitter());
    expect(await stopper.wait()).toEqual({ status: 7 });
    expect(await stopper.settle()).toBeNull();
  });

  it('when the terminal is gone, or somebody says so: COMMAND is told to end', async () => {
    const signals = new EventEmitter();
    const stopper = new Stopper(undefined, await begin('echo ready; exec sleep 300'), signals);
    const stopped = stopper.wait();
    signals.emit('SIGHUP');
    expect(await stopped).toEqual({ status: 129, signal: 'SIGHUP' });
    expect(await stopper.settle()).toBeNull();
    const alone = new Stopper(undefined, null, new EventEmitter());
    alone.every(1, () => alone.end({ status: 0 }));
    expect(await alone.wait()).toEqual({ status: 0 });
  });

  it('when the time is up: COMMAND is told to end', async () => {
    const command = await begin('echo ready; exec sleep 300');
    const stopper = new Stopper(0.01, command, new EventEmitter());
    expect(await stopper.wait()).toEqual({ status: 0 });
    expect(await stopper.settle()).toBeNull();
    expect(await command.ended()).toEqual({ status: 143 });
  });

  it('when the time is up, also where COMMAND does not listen: it is left alone, and that is said', async () => {
    const command = await begin(DEAF);
    const stopper = new Stopper(0.01, command, new EventEmitter());
    expect(await stopper.wait()).toEqual({ status: 0 });
    expect(await stopper.settle(SHORT)).toBe(`sh (process ${command.pid}) did not end and is left running`);
    expect(() => process.kill(command.pid, 0)).not.toThrow();
  });

  it('at SIGTERM, which COMMAND gets as well', async () => {
    const signals = new EventEmitter();
    const command = await begin('echo ready; exec sleep 300');
    const stopper = new Stopper(undefined, command, signals);
    const stop = stopper.wait();
    signals.emit('SIGTERM');
    expect(await stop).toEqual({ status: 143, signal: 'SIGTERM' });
    expect(await stopper.settle()).toBeNull();
  });

  it('at Ctrl-C when COMMAND ends by it, in its own way', async () => {
    const signals = new EventEmitter();
    const stopper = new Stopper(
      undefined,
      await begin("trap 'exit 5' INT; echo ready; while :; do sleep 0.1; done"),
      signals,
    );
    const stop = stopper.wait();
    signals.emit('SIGINT');
    expect(await stop).toEqual({ status: 5, signal: 'SIGINT' });
  });

  it('at the second Ctrl-C where COMMAND ignores the first, without waiting for it', async () => {
    const signals = new EventEmitter();
    const command = await begin(DEAF);
    const stopper = new Stopper(undefined, command, signals);
    const stop = stopper.wait();
    signals.emit('SIGINT');
    signals.emit('SIGINT');
    expect(await stop).toEqual({ status: 130, signal: 'SIGINT' });
    // Were it to wait as long as it was told to, the test would not end in time.
    expect(await stopper.settle(1 << 30)).toContain('left running');
  });

  it('at the first Ctrl-C where there is no COMMAND, and leaves no listener behind', async () => {
    const signals = new EventEmitter();
    const stopper = new Stopper(undefined, null, signals);
    const stop = stopper.wait();
    signals.emit('SIGINT');
    expect(await stop).toEqual({ status: 0 });
    expect(await stopper.settle()).toBeNull();
    expect(signals.eventNames()).toEqual([]);
  });

  it('when something fails that is done on the way', async () => {
    const command = await begin('echo ready; exec sleep 300');
    const stopper = new Stopper(undefined, command, new EventEmitter());
    let steps = 0;
    stopper.every(1, () => {
      if (++steps === 3) throw new Error('the map is gone');
    });
    expect(await stopper.wait()).toEqual({ status: 1, problem: 'the map is gone' });
    expect(await stopper.settle()).toBeNull();
    const before = steps;
    await new Promise((resolve) => setTimeout(resolve, SHORT));
    expect(steps).toBe(before);
  });
});
