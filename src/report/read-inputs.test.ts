import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { perfScript, SAMPLES } from '../../test/support/perf-output.ts';
import { fileLines } from './input-text.ts';
import { jsonReport } from './json.ts';
import { readInputs } from './read-inputs.ts';
import { buildReport, type InputFile } from './report.ts';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-inputs-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const PERF = perfScript(SAMPLES, ['comm', 'tid', 'cpu', 'time', 'event', 'ip', 'sym', 'dso']);
const FOLDED = 'alpha;main_[u];vfs_write_[k] 5\n';

function directory(name: string, files: Record<string, string>): string {
  const path = join(scratch, name);
  mkdirSync(path, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}

const mixed = directory('mixed', {
  'a.txt': PERF,
  'b.txt': 'Once upon a time.\n',
  'c.folded': FOLDED,
  'd.data': 'PERFILE2h\0\0',
  '.hidden': FOLDED,
});
directory('mixed/e', { 'f.txt': PERF, empty: '' });
symlinkSync(mixed, join(mixed, 'loop'));
symlinkSync(join(mixed, 'c.folded'), join(mixed, 'g.folded'));

test('of a directory every file is read, and each that cannot be has its reason', async () => {
  const { census, files, unreadable } = await readInputs([mixed]);
  expect(files.map(({ name, format, calls }) => [name.slice(mixed.length + 1), format, calls])).toEqual([
    ['a.txt', 'perf-script', 2],
    ['c.folded', 'folded', 5],
    ['e/f.txt', 'perf-script', 2],
    ['g.folded', 'folded', 5],
  ]);
  expect(census.total).toBe(14);
  expect(unreadable.map(({ name }) => name.slice(mixed.length + 1))).toEqual(['b.txt', 'd.data', 'e/empty']);
  for (const { name, why } of unreadable) {
    expect(why.split(name), why).toHaveLength(2);
    expect(why).not.toContain('\n');
  }
  expect(unreadable[1]?.why).toContain('the header says it has');
});

test('a report says what each file was read as, and in JSON which were not', async () => {
  const inputs = await readInputs([join(mixed, 'a.txt'), join(mixed, 'b.txt'), '/no/such/file']);
  const { input } = JSON.parse(jsonReport(buildReport(inputs.census, {}, inputs), '0.0.0'));
  expect(input.files).toMatchObject([{ name: join(mixed, 'a.txt'), format: 'perf-script', calls: 2, lost: 0 }]);
  expect(input.unreadable.map(({ name }: { name: string }) => name)).toEqual(['/no/such/file', join(mixed, 'b.txt')]);
  expect(fileLines(inputs, { width: 80, verbose: false })[0]).toBe('Read 1 of 3 files:');
});

test('nothing usable: every reason is told', async () => {
  const empty = directory('empty', {});
  await expect(readInputs([empty])).rejects.toThrow(`${empty} is a directory without files`);
  await expect(readInputs([join(mixed, 'b.txt'), '/no/such/file', empty])).rejects.toThrow(
    /^none of 3 files could be read:\n {2}.*b\.txt: no known format.*\n {2}no such file: \/no\/such\/file\n {2}.*without files$/,
  );
});

test('a file that opens and cannot be read is one of them', async () => {
  const { unreadable } = await readInputs(['/proc/self/mem', join(mixed, 'a.txt')]);
  expect(unreadable.map(({ why }) => why)).toEqual([expect.stringMatching(/^cannot read \/proc\/self\/mem: /)]);
});

function file(name: string, format: string, calls: number, lost = 0): InputFile {
  return { name, format, calls, lost, skippedLines: 0, examples: [], truncated: null, notes: [], peeled: new Map() };
}

test('few files are listed, many are counted by format', () => {
  const narrow = { width: 80, verbose: false };
  const two = [file('a.txt', 'dmesg', 1), file(`${'deep/'.repeat(30)}perf.txt`, 'perf-script', 1200, 3)];
  const lines = fileLines({ files: two, unreadable: [] }, narrow);
  expect(lines.slice(0, 2)).toEqual(['Read 2 of 2 files:', `    ${'a.txt'.padEnd(35)}  dmesg        1 call`]);
  expect(lines[2]).toMatch(/^ {4}….*\/perf\.txt {2}perf-script {2}1200 calls, 3 lost$/);
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(fileLines({ files: two.slice(1), unreadable: [] }, narrow)).toEqual([]);

  const many = Array.from({ length: 40 }, (_, i) => file(`${i}.txt`, i % 4 === 0 ? 'folded' : 'dmesg', 1));
  expect(fileLines({ files: many, unreadable: [{ name: 'x', why: 'x is empty' }] }, narrow)).toEqual([
    'Read 40 of 41 files: dmesg 30, folded 10 (--verbose lists them)',
  ]);
  expect(fileLines({ files: many, unreadable: [] }, { width: 80, verbose: true })).toHaveLength(41);
});
