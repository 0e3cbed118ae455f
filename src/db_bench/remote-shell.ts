import { type ChildProcess, spawn } from 'node:child_process';
import { createConnection, createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import { UserError } from '../errors.ts';

/** How to run a command as a remote shell would. */
export interface RemoteShellOptions {
  /** Takes what the command prints, as it arrives over the network. */
  readonly out: (chunk: Buffer) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs a command whose standard output is a TCP connection over the loopback interface, as under ssh or telnet: what
 * it prints goes through the kernel's network stack. Returns its exit status, 128 + signal for a killed command.
 *
 * @throws {UserError} no loopback interface, or no such command
 */
export async function runOverTcp(
  command: string,
  args: readonly string[],
  options: RemoteShellOptions,
): Promise<number> {
  const server = createServer();
  try {
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const port = await listen(server);
    const terminal = createConnection({ host: '127.0.0.1', port });
    terminal.on('data', options.out);
    const received = new Promise<void>((resolve, reject) => {
      terminal.once('close', () => resolve());
      terminal.once('error', reject);
    });
    const shell = await accepted;
    shell.setNoDelay(true);
    const child = spawn(command, args, {
      stdio: ['ignore', shell, 'inherit'],
      ...(options.signal && { signal: options.signal }),
    });
    const status = await exitOf(child, command);
    shell.destroySoon();
    await received;
    return status;
  } finally {
    server.close();
  }
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new UserError(`no loopback connection: ${error.message}`, { cause: error })),
    );
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function exitOf(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      if (error.name === 'AbortError') return; // the exit follows
      reject(new UserError(`cannot run ${command}: ${error.message}`, { cause: error }));
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
