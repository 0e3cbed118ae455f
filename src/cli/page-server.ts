import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, UserError } from '../errors.ts';

/** How a page is shown. */
export interface ShowOptions {
  /** Start a browser. */
  readonly open: boolean;
  /** 0: any that is free. */
  readonly port: number;
}

/** A page being served. */
export interface ServedPage {
  /** Where it is, with the token that lets one in. */
  readonly url: string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * Serves one page to this machine alone. Other users of it are kept out by a token in the address, pages of other sites
 * by the name of the host they would ask for (DNS rebinding).
 *
 * @throws {UserError} the port is taken
 */
export async function servePage(page: string, port: number): Promise<ServedPage> {
  const path = `/${randomBytes(16).toString('base64url')}/`;
  const content = Buffer.from(page);
  const server = createServer((request, response) => answer(request, response, path, content));
  await listening(server, port);
  const url = `http://${HOST}:${(server.address() as AddressInfo).port}${path}`;
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new UserError(`cannot serve the page on port ${port}: ${messageOf(error)}; without --port one is found`));
    });
    server.listen(port, HOST, resolve);
  });
}

function answer(request: IncomingMessage, response: ServerResponse, path: string, content: Buffer): void {
  const { method = '', url = '', headers } = request;
  const isOurs = /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(headers.host ?? '');
  if (!isOurs || url !== path) {
    refuse(response, 404, 'no such page\n');
    return;
  }
  if (method !== 'GET' && method !== 'HEAD') {
    refuse(response, 405, 'only GET\n');
    return;
  }
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': content.length,
    // The page brings its own policy; only a header can keep it out of frames of others.
    'Content-Security-Policy': "frame-ancestors 'none'",
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(method === 'HEAD' ? undefined : content);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' });
  response.end(why);
}

/** Serves a page, says where, and waits for Ctrl-C. */
export async function showPage(page: string, { open, port }: ShowOptions): Promise<void> {
  const { url, close } = await servePage(page, port);
  process.stderr.write(`whocalls: the page is at ${url} (Ctrl-C ends)\n`);
  if (open) openBrowser(url);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await close();
}

/** Starts the browser of who looks at this screen, if there is one; says why not otherwise. */
function openBrowser(url: string): void {
  const why = noBrowserBecause();
  if (why !== null) {
    process.stderr.write(`whocalls: ${why}: open the address yourself\n`);
    return;
  }
  const child = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [url], { stdio: 'ignore', detached: true });
  child.once('error', () => process.stderr.write('whocalls: no xdg-open here: open the address yourself\n'));
  child.unref();
}

function noBrowserBecause(): string | null {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform !== 'darwin' && !DISPLAY && !WAYLAND_DISPLAY) return 'no screen is known here';
  return process.getuid?.() === 0 ? 'no browser is started as root' : null;
}
