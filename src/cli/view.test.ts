import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { recording } from '../../test/support/recordings.ts';

const program = fileURLToPath(new URL('../../bin/whocalls', import.meta.url));
const FILE = recording('rbtree-inserts-under-db_bench.txt');

let child: ChildProcess | undefined;
afterEach(() => void child?.kill('SIGKILL'));

/** Starts `whocalls view`; the address it tells. */
function view(...args: string[]): Promise<URL> {
  const running = spawn(program, ['view', FILE, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  child = running;
  return new Promise((resolve, reject) => {
    let told = '';
    running.stderr.on('data', (chunk) => {
      told += chunk;
      const [, url] = /the page is at (\S+) \(Ctrl-C ends\)\n/.exec(told) ?? [];
      if (url !== undefined) resolve(new URL(url));
    });
    running.once('exit', () => reject(new Error(told)));
  });
}

function ask(url: URL, path = url.pathname, { method = 'GET', host = url.host } = {}) {
  return new Promise<{ status: number | undefined; body: string; headers: NodeJS.Dict<string | string[]> }>(
    (resolve, reject) => {
      const asked = request({ host: url.hostname, port: url.port, path, method, headers: { host } }, (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, body, headers: response.headers }));
      });
      asked.once('error', reject);
      asked.end();
    },
  );
}

test('serves the page to this machine alone, by its token, until Ctrl-C', async () => {
  const url = await view('--no-open');
  expect(url.hostname).toBe('127.0.0.1');
  expect(url.pathname).toMatch(/^\/[\w-]{22}\/$/);
  const { status, body, headers } = await ask(url);
  expect(status).toBe(200);
  expect(body).toMatch(/^<!doctype html>.*<title>Who calls rbinsert\? · whocalls<\/title>/s);
  expect(headers['cache-control']).toBe('no-store');
  expect((await ask(url, '/')).status).toBe(404);
  expect((await ask(url, `${url.pathname.slice(0, -2)}x/`)).status).toBe(404);
  expect((await ask(url, url.pathname, { host: 'example.org' })).status).toBe(404);
  expect((await ask(url, url.pathname, { method: 'POST' })).status).toBe(405);
  expect((await ask(url, url.pathname, { method: 'HEAD' })).body).toBe('');
  const ended = new Promise((resolve) => child?.once('exit', (code, signal) => resolve([code, signal])));
  child?.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
});

test('a port that is taken, a filter with a mistake and a file that is none are one line each', async () => {
  const url = await view('--no-open');
  const run = (...args: string[]) =>
    spawnSync(program, ['view', ...args, '--no-open'], { encoding: 'utf8', timeout: 20_000 });
  const taken = run(FILE, '--port', url.port);
  expect([taken.status, taken.stderr]).toEqual([
    1,
    expect.stringMatching(/^whocalls: cannot serve the page on port \d+: .*; without --port one is found\n$/),
  ]);
  const mistake = run(FILE, '--where', 'colour=red');
  expect([mistake.status, mistake.stderr]).toEqual([
    2,
    expect.stringMatching(/^whocalls: --where: unknown field .*\n$/),
  ]);
  const missing = run('/nosuch');
  expect([missing.status, missing.stderr]).toEqual([1, 'whocalls: no such file: /nosuch\n']);
});
