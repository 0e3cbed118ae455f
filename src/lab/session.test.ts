import { Duplex, PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Machine } from './machine.ts';
import { Session } from './session.ts';

const TOKEN = 'end-of-output';
const SILENCE = 60;
const GRACE = 30;

/** What Linux 6.12 says in a guest where kprobes were switched on a function two other processes kept calling. */
const OOPS = `[   11.4090] BUG: kernel NULL pointer dereference, address: 0000000000000000
[   11.4091] #PF: supervisor instruction fetch in kernel mode
[   11.4123] Oops: Oops: 0010 [#1] PREEMPT SMP NOPTI
[   11.4270] RIP: 0010:0x0
[   11.4400] Kernel panic - not syncing: Fatal exception
`;
const LOCKUP = `[   52.8531] watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [sh:175]
[   52.8534] Call Trace:
`;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a guest', () => {
  it('whose heart beats may be silent otherwise, up to the time limit', async () => {
    const { guest, run } = await startGuest({ timeout: 1000 });
    for (let second = 0; second < 990; second += 45) {
      guest.says('alive');
      await vi.advanceTimersByTimeAsync(45_000);
    }
    guest.says('alive');
    await vi.advanceTimersByTimeAsync(11_000);
    expect(guest.signals).toEqual(['signal TERM']);
    guest.says('alive');
    await vi.advanceTimersByTimeAsync(GRACE * 1000);
    expect(await run).toMatchObject({
      exitStatus: 124,
      message: 'the command took longer than 1000 s (--timeout), and 30 s more when it was told to end',
    });
    expect(guest.switchedOff).toBe(true);
  });

  it('whose time is up is told to end, and what it then says is kept', async () => {
    let collected = 0;
    const stdout = new PassThrough();
    const { guest, run } = await startGuest({ timeout: 20, stdout, collect: async () => void collected++ });
    guest.stdout.write('counting ');
    await vi.advanceTimersByTimeAsync(19_000);
    expect(guest.signals).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(guest.signals).toEqual(['signal TERM']);
    expect(guest.switchedOff).toBe(false);
    guest.stdout.write('Total 7 calls');
    guest.ends(143);
    const message = 'the command took longer than 20 s (--timeout) and was ended';
    expect(await run).toMatchObject({ name: 'LabError', exitStatus: 124, started: true, message });
    expect([collected, String(stdout.read())]).toEqual([1, 'counting Total 7 calls']);
  });

  it('that gives none is switched off, and the processor that got stuck is named', async () => {
    const { guest, run } = await startGuest({ timeout: 3600 });
    guest.says('alive');
    guest.console.write(LOCKUP);
    guest.stdout.write('the last words');
    await vi.advanceTimersByTimeAsync((SILENCE + 1) * 1000);
    expect(guest.switchedOff).toBe(true);
    const error = await run;
    expect(error).toMatchObject({ name: 'LabError', exitStatus: 125, started: true });
    expect(String(error.message).split('\n')).toEqual([
      'the guest is not responding: no heartbeat for 60 s: BUG: soft lockup - CPU#0 stuck for 26s! [sh:175]',
      'what follows on its console:',
      '  [   52.8534] Call Trace:',
    ]);
  });

  it('is not taken to hang because nobody listened to it', async () => {
    const { guest, run } = await startGuest({ timeout: 3600 });
    // The host slept for a day: one tick comes late, instead of many.
    vi.setSystemTime(Date.now() + 86_400_000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(guest.switchedOff).toBe(false);
    guest.ends(0);
    expect(await run).toMatchObject({ status: 0 });
  });

  it('whose kernel has a fault of its own fails with the first thing that kernel said', async () => {
    const { guest, run } = await startGuest({ timeout: 3600 });
    guest.stdout.write('Total 0 calls\n');
    guest.console.write(OOPS);
    await vi.advanceTimersByTimeAsync(10);
    guest.dies();
    const error = await run;
    expect(error).toMatchObject({ name: 'LabError', exitStatus: 125 });
    const [first, ...rest] = String(error.message).split('\n');
    expect(first).toMatch(
      /^the guest died: BUG: kernel NULL pointer dereference, address: 0{16} \(.*--cpus 1.*docs\/lab\.md\)$/,
    );
    expect(rest).toContain('  [   11.4270] RIP: 0010:0x0');
  });

  it('that ends well is no failure, whatever else its console says', async () => {
    const { guest, run } = await startGuest({ timeout: 3600 });
    guest.console.write(LOCKUP);
    guest.stdout.write('out');
    guest.ends(3);
    expect(await run).toMatchObject({ status: 3, stdout: Buffer.from('out') });
  });
});

/** A session with a guest that has just started COMMAND. `run` resolves to what came of it, an error too. */
async function startGuest({
  timeout,
  ...given
}: {
  timeout: number;
  stdout?: PassThrough;
  collect?: () => Promise<void>;
}) {
  const { collect = async () => {}, ...streams } = given;
  const guest = new FakeGuest();
  const session = new Session(guest.machine, streams, TOKEN, SILENCE);
  guest.says('ready');
  await session.boot(120);
  const run = session.run({ timeout, grace: GRACE }, collect).then(
    (outcome) => outcome as unknown as Record<string, unknown>,
    (error: unknown) => error as Record<string, unknown>,
  );
  return { guest, run };
}

/** The guest's ends of the ports. */
class FakeGuest {
  readonly console = new PassThrough();
  readonly stdout = new PassThrough();
  readonly #stderr = new PassThrough();
  /** What the host has said, but for its greeting. */
  readonly signals: string[] = [];
  readonly #control = new Duplex({
    read() {},
    write: (chunk, _encoding, done) => {
      const line = String(chunk).trim();
      if (line !== 'hello') this.signals.push(line);
      done();
    },
  });
  #end = () => {};
  switchedOff = false;
  readonly machine: Machine = {
    console: this.console,
    complaints: new PassThrough(),
    stdout: this.stdout,
    stderr: this.#stderr,
    stdin: new PassThrough(),
    control: this.#control,
    ended: new Promise((resolve) => {
      this.#end = resolve;
    }),
    kill: () => {
      this.switchedOff = true;
      this.#end();
    },
  };

  says(line: string): void {
    this.#control.push(`${line}\n`);
  }

  ends(status: number): void {
    this.stdout.write(TOKEN);
    this.#stderr.write(TOKEN);
    this.says(`exit ${status}`);
  }

  dies(): void {
    this.#end();
  }
}
