import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandLine } from './command-line.ts';

test('only words that need it are quoted', () => {
  expect(commandLine(['./db_bench', '--num=1000,2', 'a:b@c%'])).toBe('./db_bench --num=1000,2 a:b@c%');
  expect(commandLine(['sh', '-c', 'head -c 3; cat'])).toBe("sh -c 'head -c 3; cat'");
  expect(commandLine(['echo', ''])).toBe("echo ''");
});

test('a shell takes the line for the same words', () => {
  const words = ["it's", '$HOME', '`id`', 'a b', '*', '~', '"', '\\', 'größe', '', "''", '!x', 'a\nb', '#', '&'];
  const out = execFileSync('sh', ['-c', `printf '%s\\0' ${commandLine(words)}`], { encoding: 'utf8' });
  expect(out.split('\0').slice(0, -1)).toEqual(words);
});
