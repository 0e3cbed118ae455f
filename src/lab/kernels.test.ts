import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findKernel, installedKernels } from './kernels.ts';
import { modulesInOrder, readModuleTree } from './modules.ts';
import { runInLab } from './run.ts';

let scratch = '';
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'whocalls-kernels-'));
  vi.stubEnv('XDG_CACHE_HOME', scratch);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(scratch, { recursive: true, force: true });
});

describe('findKernel', () => {
  it('takes the newest of a series, and never 6.12 for 6.1', () => {
    for (const release of ['6.1.0-9-amd64', '6.1.0-56-amd64', '6.12.9+deb12-amd64', '6.12.117+deb12-amd64']) {
      mkdirSync(join(scratch, 'whocalls/kernels', release, 'boot'), { recursive: true });
      writeFileSync(join(scratch, 'whocalls/kernels', release, 'boot', `vmlinuz-${release}`), '');
    }
    expect(findKernel('6.1').release).toBe('6.1.0-56-amd64');
    expect(findKernel('6.12').release).toBe('6.12.117+deb12-amd64');
    expect(findKernel('6.1.0-9-amd64').release).toBe('6.1.0-9-amd64');
    expect(findKernel(undefined).release).toBe('6.1.0-56-amd64');
    expect(installedKernels().map(({ release }) => release)[0]).toBe('6.12.117+deb12-amd64');
    expect(() => findKernel('6.2')).toThrow('no kernel 6.2 here; get it with: whocalls lab setup --kernel 6.2');
  });

  it('refuses files that are no kernels', async () => {
    const file = join(scratch, 'bzImage');
    writeFileSync(file, Buffer.alloc(100_000));
    expect(() => findKernel(file)).toThrow(`${file}: is not a kernel`);
    expect(() => findKernel(`${file}.gone`)).toThrow('cannot read the kernel');
    await expect(runInLab({ kernel: file }, ['true'])).rejects.toThrow('is not a kernel');
    expect(() => findKernel('6.1', scratch)).toThrow('--modules goes with --kernel FILE');
  });
});

describe('modulesInOrder', () => {
  /** As much of a module as is looked at: its .modinfo strings. */
  const module = (depends: string) => `\x7fELF\0license=GPL\0depends=${depends}\0name=x\0`;

  beforeEach(() => {
    mkdirSync(join(scratch, 'kernel/fs'), { recursive: true });
    writeFileSync(join(scratch, 'kernel/fs/top.ko'), module('middle-one,base'));
    writeFileSync(join(scratch, 'kernel/fs/middle_one.ko'), module('base,inside'));
    writeFileSync(join(scratch, 'kernel/fs/base.ko'), module(''));
    writeFileSync(join(scratch, 'kernel/fs/lonely.ko'), module('nowhere'));
    writeFileSync(join(scratch, 'modules.builtin'), 'kernel/fs/inside.ko\n');
  });

  const order = async (...wanted: string[]) =>
    (await modulesInOrder(readModuleTree(scratch), wanted)).map(({ name }) => name);

  it('loads dependencies first, each once, and none that is built in', async () => {
    expect(await order('top', 'inside', 'base')).toEqual(['base', 'middle_one', 'top']);
  });

  it('goes by modules.dep where there is one', async () => {
    writeFileSync(join(scratch, 'modules.dep'), 'kernel/fs/top.ko: kernel/fs/lonely.ko\nkernel/fs/lonely.ko:\n');
    expect(await order('top')).toEqual(['lonely', 'top']);
  });

  it('names a module that is missing, and who needs it', async () => {
    await expect(order('overlay')).rejects.toThrow(`no kernel module overlay in ${scratch} (the lab needs it)`);
    await expect(order('lonely')).rejects.toThrow('(lonely needs it)');
  });
});
