import { analyse } from 'scslre';
import { expect, test } from 'vitest';
import { expressionsIn } from './regular-expressions.ts';

test('regular expressions are told from divisions, texts, comments and templates', () => {
  const text = [
    'const a = /a+[/]b/gi; // not /this/',
    "const b = 'x/y/z' + 1 / 2 / 3; /* nor /that/ */",
    'const c = `$' + '{/in template/.test(`/no/`) ? 1 : 2} /no/`;',
    'return /\\/end/.exec(c)?.[0] ?? list.filter((one) => /x{2}/u.test(one));',
    'const d = (a) / 2 / b;',
  ].join('\n');
  expect(expressionsIn(text)).toEqual([
    { source: 'a+[/]b', flags: 'gi', line: 1 },
    { source: 'in template', flags: '', line: 3 },
    { source: '\\/end', flags: '', line: 4 },
    { source: 'x{2}', flags: 'u', line: 4 },
  ]);
});

test.each([
  ['^(a+)+$', true],
  ['\\s+$', true],
  ['^(.*?)\\s*x', true],
  ['^(\\S.*)?$', false],
  ['^[a-z]+:\\d+$', false],
])('%s can take long: %s', (source, isSlow) => {
  expect(analyse({ source, flags: '' }).reports.length > 0).toBe(isSlow);
});
