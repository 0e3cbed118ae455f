import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { lackIf, needs } from './support/needs.ts';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const MAIN = join(DIST, 'cli', 'main.cjs');
const CACHE = `program.${process.platform}-${process.arch}.cache`;

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-built-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Says on stderr whether V8 refused what it was given of the program, compiled. */
const TELL = join(scratch, 'tell.cjs');
writeFileSync(
  TELL,
  `const vm = require('node:vm');
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    process.stderr.write('refused: ' + this.cachedDataRejected);
  }
};`,
);

function run(...args: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  return { stdout, stderr, status };
}

const builtBy = readFileSync(join(DIST, '.built'), 'utf8');
const isOther = lackIf(builtBy !== process.versions.v8, 'dist/ was built by another version of node', 'npm run build');
test('the program starts from what V8 made of it', needs(isOther), () => {
  expect(run('-r', TELL, MAIN, 'read', '-h').stderr).toBe('refused: false');
});

test('what another version of V8 made is refused, and does no harm', () => {
  const cli = join(scratch, 'cli');
  cpSync(join(DIST, 'cli'), cli, { recursive: true });
  const cache = readFileSync(join(cli, CACHE));
  cache.writeUInt32LE(cache.readUInt32LE(4) ^ 1, 4); // the hash of the version
  writeFileSync(join(cli, CACHE), cache);
  const expected = run(MAIN, 'read', '-h');
  expect(run('-r', TELL, join(cli, 'main.cjs'), 'read', '-h')).toEqual({ ...expected, stderr: 'refused: true' });
  rmSync(join(cli, CACHE));
  expect(run(join(cli, 'main.cjs'), 'read', '-h')).toEqual(expected);
});

test('what was compiled for another processor is not opened', () => {
  const elsewhere = join(scratch, 'elsewhere.cjs');
  const other = process.arch === 'arm64' ? 'x64' : 'arm64';
  writeFileSync(
    elsewhere,
    `require(${JSON.stringify(TELL)}); Object.defineProperty(process, 'arch', { value: '${other}' });`,
  );
  expect(run('-r', elsewhere, MAIN, 'read', '-h')).toEqual(run(MAIN, 'read', '-h'));
});

test('stack traces name the sources, where they are wanted', () => {
  const { stderr, status } = run(MAIN, 'record', '--debug');
  expect(status).toBe(2);
  expect(stderr).toMatch(/^UsageError: name a function to count[\s\S]*src\/cli\/record\.ts:\d+:\d+/);
  const commandsOwn = run(MAIN, 'record', 'do_epoll_ctl', '--', 'no-such-command', '--debug');
  expect(commandsOwn.stderr).toBe('whocalls: cannot run no-such-command: no such command\n');
  expect(run('--enable-source-maps', MAIN, 'record').stderr).toMatch(/^whocalls: name a function to count.*\n$/);
});

test('the README shows what is printed', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, words = '', output] = /\$ bin\/whocalls (.*)\n([\s\S]*?)```/.exec(readme) ?? [];
  const env = { ...process.env, COLUMNS: '100', NO_COLOR: '1' };
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { stdout } = spawnSync(process.execPath, [MAIN, ...words.split(' ')], { encoding: 'utf8', cwd: root, env });
  expect(stdout).toBe(output);
});
