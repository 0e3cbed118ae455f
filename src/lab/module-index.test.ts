import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lackIf, needs } from '../../test/support/needs.ts';
import { devicesOf, indexModules } from './module-index.ts';
import { findTools } from './tools.ts';

const tools = findTools();
const BUSYBOX = needs(lackIf(tools.busybox === undefined, 'no static busybox', 'bin/whocalls lab setup'));

let tree = '';
beforeEach(() => {
  tree = join(mkdtempSync(join(tmpdir(), 'whocalls-modules-')), '6.1.0-test');
  mkdirSync(join(tree, 'kernel', 'fs', 'deep'), { recursive: true });
});
afterEach(() => rmSync(join(tree, '..'), { recursive: true }));

describe('the index of modules', () => {
  it('is made once, beside what was there, and nothing else is left', BUSYBOX, () => {
    writeFileSync(join(tree, 'modules.order'), 'kernel/fs/deep/a.ko\n');
    writeFileSync(join(tree, 'kernel', 'fs', 'deep', 'a.ko'), '\x7fELF no module');
    expect(indexModules(tree, '6.1.0-test', tools)).toBe(true);
    expect(readdirSync(tree)).toEqual(
      expect.arrayContaining(['kernel', 'modules.alias', 'modules.dep', 'modules.devname', 'modules.order']),
    );
    expect(readFileSync(join(tree, 'modules.dep'), 'utf8')).toContain('kernel/fs/deep/a.ko:');
    expect(readdirSync(join(tree, '..'))).toEqual(['6.1.0-test']);
    writeFileSync(join(tree, 'modules.devname'), 'as it was');
    expect(indexModules(tree, '6.1.0-test', tools)).toBe(true);
    expect(readFileSync(join(tree, 'modules.devname'), 'utf8')).toBe('as it was');
  });

  it('that cannot be made leaves everything as it was', () => {
    rmSync(join(tree, 'kernel', 'fs'), { recursive: true });
    expect(indexModules(tree, '6.1.0-test', { busybox: '/bin/false', depmod: undefined })).toBe(false);
    expect(readdirSync(tree)).toEqual(['kernel']);
    expect(readdirSync(join(tree, '..'))).toEqual(['6.1.0-test']);
  });
});

it('devices are found among aliases', () => {
  const aliases = [
    '# Aliases extracted from modules themselves.',
    'alias devname:loop-control loop',
    'alias char-major-10-237 loop',
    'alias block-major-7-* loop',
    'alias devname:net/tun tun',
    'alias char-major-10-200 tun',
    'alias devname:strange strange',
    'alias fs-xfs xfs',
    '',
  ].join('\n');
  expect(devicesOf(aliases)).toBe('loop loop-control c10:237\ntun net/tun c10:200\n');
});
