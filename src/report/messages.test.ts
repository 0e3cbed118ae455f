import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DIMENSIONS } from '../census/dimensions.ts';
import { lossText, MESSAGE_CODES, noteText, warningText } from './messages.ts';

const doc = readFileSync(new URL('../../docs/report.md', import.meta.url), 'utf8');

test.each(['losses', 'notes', 'warnings'] as const)('docs/report.md lists every code of %s', (kind) => {
  const [, list = ''] = new RegExp(`^Codes of ${kind}: (.*)\\.$`, 'm').exec(doc) ?? [];
  expect(list.split(', ')).toEqual(MESSAGE_CODES[kind].map((code) => `\`${code}\``));
});

test('docs/report.md lists every dimension as help has it', () => {
  for (const { name, summary } of DIMENSIONS) expect(doc).toContain(`| \`${name}\` | ${summary}`);
});

test('facts stand in the sentences', () => {
  expect(lossText({ code: 'map-full', map: 'stacks', limit: 100, count: 7 })).toBe(
    'more distinct stacks than --max-stacks 100',
  );
  expect(noteText({ code: 'edge-calls', target: 'vfs_read', calls: 1 })).toMatch(/^vfs_read: up to 1 call right/);
  expect(noteText({ code: 'target-aliases', aliases: ['a', 'b', 'c', 'd', 'e'] })).toContain('a, b, c, d and 1 more');
  expect(warningText({ code: 'stated', text: 'As it was.' })).toBe('As it was.');
});

test('a code of a later version is shown with its facts', () => {
  expect(lossText({ code: 'eaten' as never, by: 'a grue', count: 3 } as never)).toBe('eaten by a grue');
});
