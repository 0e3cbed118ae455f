import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../errors.ts';
import { mentions, moduleCalls } from './module-calls.ts';

const SOURCE = fileURLToPath(new URL('../../test/programs/module-callers.c', import.meta.url));
const hasCompiler = spawnSync('cc', ['--version']).status === 0;

describe.skipIf(!hasCompiler)('moduleCalls (needs a C compiler)', () => {
  let scratch = '';
  let object = Buffer.alloc(0);

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'whocalls-test-'));
    const out = join(scratch, 'module.o');
    const compiled = spawnSync('cc', [
      '-O2',
      '-fno-pic',
      '-mcmodel=kernel',
      '-fcf-protection=none',
      '-c',
      '-o',
      out,
      SOURCE,
    ]);
    expect(compiled.stderr.toString()).toBe('');
    object = readFileSync(out);
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('names direct calls, tail jumps and where the address is kept', () => {
    const { places, holders } = moduleCalls(object, 'module.o', (name) => name === 'target');
    const told = places.map((place) => `${place.function} ${place.kind}`).sort();
    expect(told).toEqual(['direct_caller call', 'direct_caller call', 'tail_caller jump', 'takes_address address']);
    expect(places.every(({ isExternal }) => isExternal)).toBe(true);
    expect(holders).toEqual([{ object: 'operations', offset: 8, target: 'target' }]);
  });

  it('names calls within the module, that no relocation tells', () => {
    const { places } = moduleCalls(object, 'module.o', (name) => name.startsWith('local_callee'));
    expect(places.map((place) => [place.function, place.kind, place.isExternal])).toEqual([
      ['local_caller', 'call', false],
      ['local_caller', 'call', false],
    ]);
  });

  it('knows which names a module holds', () => {
    expect(mentions(object, 'target')).toBe(true);
    expect(mentions(object, 'targe')).toBe(false);
  });

  it('gives a result or an error on 10,000 damaged files', () => {
    let seed = 20261126;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed % below;
    };
    let refused = 0;
    for (let i = 0; i < 10_000; i++) {
      const damaged = Buffer.from(i % 10 === 0 ? object.subarray(0, random(object.length)) : object);
      for (let n = random(6) + 1; n > 0 && damaged.length > 0; n--) {
        const at = i % 3 === 0 ? random(Math.min(64, damaged.length)) : random(damaged.length);
        damaged[at] = random(256);
      }
      try {
        expect(moduleCalls(damaged, 'module.o', () => true).places.length).toBeLessThan(10_000);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(refused).toBeLessThan(9_900);
  });
});
