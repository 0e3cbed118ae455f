import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildAtlas } from './build-atlas.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whocalls-atlas-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Compiles an atlas that consists of these files; returns what a table became. */
function build(files: Readonly<Record<string, string>>, table = ''): unknown {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'atlas', name)), { recursive: true });
    writeFileSync(join(folder, 'atlas', name), text);
  }
  buildAtlas(join(folder, 'atlas'), join(folder, 'dist'));
  return table === '' ? undefined : JSON.parse(readFileSync(join(folder, 'dist', `${table}.json`), 'utf8'));
}

const TREE = `- id: a-tree
  name: a tree
  root: r
  node: n
  key: k
  purpose: p
  inserted_by:
    - { function: f, file: a.c, kernels: 6.1-6.12 }
`;

describe('an atlas', () => {
  it('becomes tables as they are looked up', () => {
    expect(build({ 'helpers.yaml': 'timers:\n  - a\n  - b\n' }, 'helpers')).toEqual({ timers: ['a', 'b'] });
    expect(build({ 'glosses.tsv': '# comment\nfunction\tgloss\nf\twakes a task\n' }, 'glosses')).toEqual({
      f: 'wakes a task',
    });
    const callers = 'function\tfile\tkernels\tcallers\nf\ta.c\t6.1\tg h | i\n';
    expect(build({ 'tree-callers.tsv': callers }, 'tree-callers')).toEqual({
      inserters: ['f a.c'],
      callers: { g: [0, 0], h: [0, 0], i: [0, 1] },
    });
    const two = { 'trees/a.yaml': TREE, 'trees/b.yaml': TREE.replaceAll('a-tree', 'b').replaceAll('a tree', 'b') };
    expect(build(two, 'trees')).toMatchObject([{ id: 'a-tree', inserted_by: [{ kernels: '6.1-6.12' }] }, { id: 'b' }]);
  });

  it.each([
    ['entries.yaml', '- kind: syscal\n  name: n\n  rank: 1\n  functions: [f]\n', 'entries.yaml:1: "syscal" is none of'],
    ['entries.yaml', '- kind: idle\n  name: n\n  functions: [f]\n', 'entries.yaml:1: "rank" is missing'],
    ['entries.yaml', '- kind: idle\n  name: n\n  rank: x\n  functions: [f]\n', 'entries.yaml:3: "x" is not a number'],
    ['entries.yaml', '- kind: idle\n  name: n\n  rank: 1\n  functions: [f, f]\n', 'entries: "f" stands in two rules'],
    ['helpers.yaml', 'timers: [a]\nqueues: b\n', 'helpers.yaml:2: "b" is not a list'],
    ['helpers.yaml', 'timers: [a]\nqueues: [x.y]\n', 'helpers.yaml:2: "x.y" is not a function name'],
    ['helpers.yaml', 'timers: [a\n', 'helpers.yaml:'],
    ['glosses.tsv', 'function\tgloss\nf\tWakes a task.\n', 'glosses.tsv:2: "Wakes a task." is not a gloss'],
    ['glosses.tsv', 'function\tgloss\nf\n', 'glosses.tsv:2: 1 columns instead of 2'],
    ['glosses.tsv', 'function\tgloss\nf\truns it\nf\truns it\n', 'glosses: "f" stands twice'],
    ['trees/a.yaml', `${TREE}  depth: 3\n`, 'trees/a.yaml:9: unknown key "depth"'],
    ['trees/a.yaml', TREE.replace('6.1-6.12', 'new'), 'trees/a.yaml:8: "new" is not a kernel version'],
    ['trees/a.yaml', `${TREE}  likelier_than: [other]\n`, 'trees: "a-tree" is likelier than "other"'],
    ['unheard-of.yaml', '[]\n', 'unheard-of.yaml:1: no rules for this file'],
  ])('with a mistake in %s is refused, with the line', (file, text, mistake) => {
    expect(() => build({ [file]: text })).toThrow(`mistakes:\natlas/${mistake}`);
  });

  it('with many mistakes shows the first of them', () => {
    const rows = Array.from({ length: 30 }, (_, i) => `f${i}\tNO\n`).join('');
    expect(() => build({ 'glosses.tsv': `function\tgloss\n${rows}` })).toThrow(
      /has 30 mistakes:\n(.*\n){20}… and 10 more$/,
    );
  });
});
