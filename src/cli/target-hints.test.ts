import { expect, test } from 'vitest';
import { Refused } from '../capture/refusals/refused.ts';
import { messageOf, UserError } from '../errors.ts';
import { whatWasMeant } from './target-hints.ts';

const COMMANDS = ['record', 'read', 'lab'];

function notFound(word: string): Refused {
  return new Refused({ code: 'no-function', word, near: [], isData: false, isFile: false });
}

function said(targets: readonly string[], hasCommand: boolean, word = targets.at(-1) ?? ''): string {
  return messageOf(whatWasMeant(notFound(word), targets, hasCommand, COMMANDS));
}

test('a first word close to a command of whocalls may be one', () => {
  const meant = "no kernel function is called recrod; did you mean 'whocalls record'?";
  expect(said(['recrod', 'X'], true, 'recrod')).toBe(meant);
  expect(said(['vfs_write', 'recrod'], true)).toBe(notFound('recrod').message);
  expect(said(['frobnicate'], true)).toBe(notFound('frobnicate').message);
});

test('a later word that is a program may begin COMMAND', () => {
  const meant = 'no kernel function is called true; if true is COMMAND, put -- before it';
  expect(said(['vfs_write', 'true'], false)).toBe(meant);
  expect(said(['vfs_write', 'true', 'x'], false, 'true')).toBe(meant);
  expect(said(['vfs_write', 'true'], true)).toBe(notFound('true').message);
  expect(said(['vfs_write', 'no-such-program'], false)).toBe(notFound('no-such-program').message);
});

test('other errors stay what they are', () => {
  const error = new UserError('something else');
  expect(whatWasMeant(error, ['recrod'], false, COMMANDS)).toBe(error);
});
