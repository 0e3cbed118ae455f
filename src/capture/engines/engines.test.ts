import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BPF_ENGINES, ENGINE_NAMES, ENGINES } from './engines.ts';

const DOCUMENTATION = readFileSync(new URL('../../../docs/how-it-counts.md', import.meta.url), 'utf8');

it('stand in the documentation, each with what it is for and what limits it', () => {
  const rows = ENGINES.map(
    ({ name, summary: { targets, how, limits } }) => `| ${[name, targets, how, limits].join(' | ')} |`,
  );
  expect(DOCUMENTATION).toContain(
    ['| engine | for | how | limits |', '| --- | --- | --- | --- |', ...rows]
      .map((row) => row.replace('|  |', '| |'))
      .join('\n'),
  );
});

it('say in the documentation who else counts their calls', () => {
  const [, accounting = ''] = DOCUMENTATION.split('| engine | what else counts | what it proves |');
  const named = [...accounting.matchAll(/^\| (\w+)/gm)].map(([, name]) => name);
  for (const name of ENGINE_NAMES) expect(named).toContain(name);
});

it('have names of their own', () => {
  expect(new Set(ENGINE_NAMES).size).toBe(ENGINES.length);
});

it('take every kind of target, by BPF', () => {
  const kinds = [
    { kind: 'function', name: 'f', functions: [] },
    { kind: 'tracepoint', name: 'c:e', category: 'c', event: 'e' },
    { kind: 'user', name: '/f:f', path: '/f', file: '/f', symbol: 'f', offsets: [] },
  ] as const;
  for (const target of kinds) expect(BPF_ENGINES.some((engine) => engine.fits(target))).toBe(true);
});
