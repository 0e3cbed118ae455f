import { expect, test } from 'vitest';
import { NoSuchFunction } from '../capture/targets/resolve-targets.ts';
import { messageOf, UserError } from '../errors.ts';
import { whatWasMeant } from './target-hints.ts';

const COMMANDS = ['record', 'read', 'lab'];

function said(targets: readonly string[], hasCommand: boolean, word = targets.at(-1) ?? ''): string {
  return messageOf(whatWasMeant(new NoSuchFunction(word, 'as it was'), targets, hasCommand, COMMANDS));
}

test('a first word close to a command of whocalls may be one', () => {
  const meant = "no kernel function is called recrod; did you mean 'whocalls record'?";
  expect(said(['recrod', 'X'], true, 'recrod')).toBe(meant);
  expect(said(['vfs_write', 'recrod'], true)).toBe('as it was');
  expect(said(['frobnicate'], true)).toBe('as it was');
});

test('a later word that is a program may begin COMMAND', () => {
  const meant = 'no kernel function is called true; if true is COMMAND, put -- before it';
  expect(said(['vfs_write', 'true'], false)).toBe(meant);
  expect(said(['vfs_write', 'true', 'x'], false, 'true')).toBe(meant);
  expect(said(['vfs_write', 'true'], true)).toBe('as it was');
  expect(said(['vfs_write', 'no-such-program'], false)).toBe('as it was');
});

test('other errors stay what they are', () => {
  const error = new UserError('something else');
  expect(whatWasMeant(error, ['recrod'], false, COMMANDS)).toBe(error);
});
