import type { Duplex, Writable } from 'node:stream';
import { UserError } from '../errors.ts';
import { ConsoleTail } from './console.ts';
import { COMPLAINT } from './guest.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Machine } from './machine.ts';
import { MarkedStream } from './marked-stream.ts';
import type { LabStreams, SignalName } from './streams.ts';

/** The guest did not do its part: it did not boot, died, hung, or took too long. */
export class LabError extends UserError {
  override readonly name = 'LabError';
  /** Whether COMMAND had been started. */
  readonly started: boolean;

  constructor(message: string, started: boolean, exitStatus: number) {
    super(message, { exitStatus });
    this.started = started;
  }
}

/** Exit statuses as `timeout(1)` and container tools have them. */
const TIMED_OUT = 124;
const GUEST_FAILED = 125;
const ABORTED = 130;
/** Console lines that an error message shows. */
const SHOWN_LINES = 16;
const ABOUT_OOPSES =
  'kprobes on busy functions may do this under emulation, with --cpus 1 they do not: see docs/lab.md';

/** How waiting for the guest ended. */
type WaitEnd = 'met' | 'died' | 'aborted' | 'hangs' | 'late';

/** How COMMAND ended. */
export interface GuestOutcome {
  /** Its exit status; 128 + N if signal N ended it, as in a shell. */
  readonly status: number;
  /** What it wrote, where no stream was given. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Name of the last process that the guest's kernel killed because it was out of memory. */
  readonly outOfMemory: string | undefined;
}

/** The host's side of one running guest: its ports, its console, its deadlines. */
export class Session {
  readonly #machine: Machine;
  readonly #streams: LabStreams;
  readonly #console = new ConsoleTail();
  readonly #outputs: readonly Output[];
  /** Seconds. */
  readonly #silence: number;
  readonly #startTime = process.hrtime.bigint();
  #complaints = '';
  #started = false;
  #heartbeat: Heartbeat | undefined;
  #hangs = false;
  #status: number | undefined;
  #settle: () => void = () => {};
  #ended = false;

  /** @param silence seconds without a heartbeat after which the guest, once COMMAND runs, is given up */
  constructor(machine: Machine, streams: LabStreams, token: string, silence: number) {
    this.#machine = machine;
    this.#streams = streams;
    this.#silence = silence;
    machine.console.on('data', (chunk: Buffer) => {
      this.#console.push(chunk);
      streams.console?.write(chunk);
    });
    machine.complaints.on('data', (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-4000);
    });
    const changed = (): void => this.#settle();
    this.#outputs = [
      new Output(machine.stdout, streams.stdout, token, changed),
      new Output(machine.stderr, streams.stderr, token, changed),
    ];
    this.#listen();
    machine.stdin.write('\n');
    machine.control.write('hello\n');
    machine.ended.then(
      () => {
        this.#ended = true;
        changed();
      },
      (error: unknown) => {
        this.#complaints += String(error);
        this.#ended = true;
        changed();
      },
    );
    streams.abort?.addEventListener('abort', changed);
  }

  /** Waits until COMMAND is about to start; returns the seconds it took. */
  async boot(deadline: number): Promise<number> {
    await this.#until(() => this.#started, deadline, `the guest did not boot within ${deadline} s`);
    const seconds = Number(process.hrtime.bigint() - this.#startTime) / 1e9;
    if (this.#streams.stdin) this.#streams.stdin.pipe(this.#machine.stdin);
    else this.#machine.stdin.end();
    this.#streams.onRunning?.({ signal: (name) => this.#signal(name) });
    return seconds;
  }

  /**
   * Waits for COMMAND and the end of its output, then switches the machine off. `collect` runs just before.
   * COMMAND is told to end after `timeout` seconds and has `grace` seconds to do so: what it has to say, it can say.
   */
  async run(
    { timeout, grace }: { timeout: number; grace: number },
    collect: () => Promise<void>,
  ): Promise<GuestOutcome> {
    this.#heartbeat = new Heartbeat(this.#silence, () => {
      this.#hangs = true;
      this.#settle();
    });
    const finished = (): boolean => this.#status !== undefined && this.#outputs.every((output) => output.ended);
    const tooLate = `the command took longer than ${timeout} s (--timeout)`;
    const isLate = (await this.#wait(finished, timeout)) === 'late';
    if (isLate) this.#signal('TERM');
    await this.#until(finished, grace, `${tooLate}, and ${grace} s more when it was told to end`);
    try {
      await collect();
    } finally {
      await this.#end();
    }
    if (isLate) throw new LabError(`${tooLate} and was ended`, true, TIMED_OUT);
    const [stdout, stderr] = this.#outputs.map((output) => output.collected());
    return {
      status: this.#status ?? GUEST_FAILED,
      stdout: stdout ?? Buffer.alloc(0),
      stderr: stderr ?? Buffer.alloc(0),
      outOfMemory: this.#console.outOfMemory(),
    };
  }

  /** Control lines of the guest: `ready`, `alive` every second, `exit STATUS`. */
  #listen(): void {
    let text = '';
    this.#machine.control.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString()).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const [verb, argument] = line.split(' ');
        if (verb === 'ready') this.#started = true;
        if (verb === 'alive') this.#heartbeat?.beat();
        if (verb === 'exit') this.#status = Number(argument);
      }
      this.#settle();
    });
  }

  /** Sends a signal to COMMAND's process group. */
  #signal(name: SignalName): void {
    this.#machine.control.write(`signal ${name}\n`);
  }

  /** Waits for a condition, for `deadline` seconds at most; anything but `met` means that it may never come true. */
  async #wait(condition: () => boolean, deadline: number): Promise<WaitEnd> {
    let isLate = false;
    let timer: NodeJS.Timeout | undefined;
    const end = await new Promise<WaitEnd>((resolve) => {
      this.#settle = () => {
        if (condition()) resolve('met');
        else if (this.#ended) resolve('died');
        else if (this.#streams.abort?.aborted) resolve('aborted');
        else if (this.#hangs) resolve('hangs');
        else if (isLate) resolve('late');
      };
      timer = setTimeout(() => {
        isLate = true;
        this.#settle();
      }, deadline * 1000);
      this.#settle();
    });
    clearTimeout(timer);
    this.#settle = () => {};
    return end;
  }

  /** Waits for a condition, and switches the machine off if it does not come true. */
  async #until(condition: () => boolean, deadline: number, tooLate: string): Promise<void> {
    const end = await this.#wait(condition, deadline);
    if (end === 'met') return;
    await this.#end();
    switch (end) {
      case 'aborted':
        throw new LabError('the guest was switched off', this.#started, ABORTED);
      case 'died':
        throw this.#failure(this.#started ? 'the guest died' : 'the guest did not boot', GUEST_FAILED);
      case 'hangs':
        throw this.#failure(`the guest is not responding: no heartbeat for ${this.#silence} s`, GUEST_FAILED);
      case 'late':
        throw this.#failure(tooLate, this.#started ? TIMED_OUT : GUEST_FAILED);
    }
  }

  async #end(): Promise<void> {
    this.#heartbeat?.stop();
    this.#streams.stdin?.unpipe(this.#machine.stdin);
    this.#machine.kill();
    await this.#machine.ended.catch(() => {});
    for (const output of this.#outputs) output.finish();
  }

  /** The guest's own complaint if there is one, else what its kernel reports, else the last lines of its console. */
  #failure(what: string, status: number): LabError {
    const complaint = this.#console.lines().find((line) => line.startsWith(COMPLAINT));
    const oops = this.#console.oops();
    const report = oops.length > 0 ? oops : this.#hangs ? this.#console.lockup() : [];
    const reason = complaint?.slice(COMPLAINT.length).trim() ?? report[0] ?? this.#console.panic();
    const parts = [reason === undefined ? what : `${what}: ${reason}`];
    if (oops.length > 0) parts[0] += ` (${ABOUT_OOPSES})`;
    const said = this.#complaints.trim();
    if (said) parts.push(`QEMU says: ${said}`);
    if (complaint === undefined) parts.push(...this.#consoleLines(report));
    return new LabError(parts.join('\n'), this.#started, status);
  }

  #consoleLines(report: readonly string[]): string[] {
    const lines = report.length > 0 ? report.slice(1, 1 + SHOWN_LINES) : this.#console.lines(SHOWN_LINES);
    if (lines.length === 0) return [];
    const title = report.length > 0 ? 'what follows on its console:' : 'last lines of its console:';
    return [title, ...lines.map((line) => `  ${line}`)];
  }
}

/** One of COMMAND's output streams on its way to the caller, with back pressure. */
class Output {
  readonly #marked: MarkedStream;
  readonly #chunks: Buffer[] = [];

  constructor(port: Duplex, target: Writable | undefined, token: string, changed: () => void) {
    this.#marked = new MarkedStream(token, (bytes) => {
      if (!target) this.#chunks.push(bytes);
      else if (!target.write(bytes)) {
        port.pause();
        target.once('drain', () => port.resume());
      }
    });
    port.on('data', (chunk: Buffer) => {
      this.#marked.push(chunk);
      if (this.#marked.ended) changed();
    });
  }

  get ended(): boolean {
    return this.#marked.ended;
  }

  finish(): void {
    this.#marked.flush();
  }

  collected(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}
