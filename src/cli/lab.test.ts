import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { guestKernel, needs } from '../../test/support/needs.ts';
import { guestPath } from '../lab/guest.ts';
import { LAB_FLAGS, labSettings } from '../lab/options.ts';
import { newCommand } from './command.ts';
import { addMachineOptions, machineOptions } from './lab-machine.ts';
import { recordOutputs } from './lab-record.ts';

describe('lab options', () => {
  const lab = () => addMachineOptions(newCommand('lab'));
  const read = (...args: string[]) => machineOptions(lab().parse(args, { from: 'user' }).opts());

  it('are read by the names of the settings, and have one default', () => {
    expect(read()).toEqual({ cpus: 2, memory: 2048, disk: 4096, timeout: 3600, accelerator: 'auto' });
    const args = '--kernel 6.12 --cpus 4 --memory 1G --disk 512M --scheduler bfq --timeout 5m --accel tcg --append a=b';
    expect(read(...args.split(' '), '--share', '/a', '--share', '/b/../c')).toEqual({
      ...{ kernel: '6.12', cpus: 4, memory: 1024, disk: 512, scheduler: 'bfq', timeout: 300, accelerator: 'tcg' },
      ...{ append: 'a=b', shares: ['/a', '/c'] },
    });
    expect(labSettings({ cpus: undefined, disk: 100 })).toMatchObject({ cpus: 2, disk: 100, shares: [], grace: 60 });
    expect(labSettings({ kernel: 'a/bzImage' }).kernel).toBe(join(process.cwd(), 'a/bzImage'));
  });

  it('are in the help, with their defaults', () => {
    const help = lab().configureHelp({ helpWidth: 200 }).helpInformation();
    for (const line of [/--memory <size> .* \(default: 2G\)/, /--cpus <n> .* \(default: 2\)/, /--scheduler .*"bfq"/]) {
      expect(help).toMatch(line);
    }
    expect(help).not.toContain('undefined');
  });

  it('are all described in docs/lab.md', () => {
    const document = readFileSync(new URL('../../docs/lab.md', import.meta.url), 'utf8');
    for (const { flags } of LAB_FLAGS) expect(document).toContain(`\`${flags.split(' ')[0]} `);
  });

  it('with bad values are refused', () => {
    const bad = { '--memory': '2X', '--cpus': 'two', '--scheduler': 'cfq', '--accel': 'xen', '--timeout': '0' };
    for (const [flag, value] of Object.entries(bad)) expect(() => read(flag, value)).toThrow(`'${value}' is invalid`);
  });
});

describe('record options', () => {
  const lab = (...args: string[]) => {
    const main = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url));
    const { status, stderr, stdout } = spawnSync(process.execPath, [main, 'lab', ...args], { encoding: 'utf8' });
    return { status, stderr, stdout };
  };

  it('are read before a guest boots', () => {
    expect(lab('do_exit', '--keyz', 'pid', '--', 'true')).toEqual({
      status: 2,
      stderr: "whocalls: unknown option '--keyz' (Did you mean --keys?) (see 'whocalls record -h')\n",
      stdout: '',
    });
    expect(lab('do_exit', '--max-keys', '0')).toMatchObject({ status: 2, stdout: '' });
    const help = lab('do_exit', '-h');
    expect([help.status, help.stdout]).toEqual([0, expect.stringMatching(/^Usage: whocalls record /)]);
  });
});

describe('what is mistyped', () => {
  const refusal = (...args: string[]) => {
    const main = fileURLToPath(new URL('../../dist/cli/main.cjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [main, 'lab', ...args], { encoding: 'utf8' });
    return `${status} ${stderr}`;
  };

  it('is found before a guest boots: no function, options that do not go together, no such COMMAND', () => {
    const noFunction = '2 whocalls: name a function before -- COMMAND: lab vfs_write -- ls\n';
    expect(refusal('--', 'true')).toBe(noFunction);
    expect(refusal('--cpus', '2', '--', 'ls', '--', '-l')).toBe(noFunction);
    expect(refusal('do_exit', '--only-command')).toBe('2 whocalls: --only-command needs a COMMAND after --\n');
    expect(refusal('do_exit', '--', 'no-such-command')).toMatch(/^127 whocalls: cannot run no-such-command: no such/);
  });

  it("is held against the guest's kernel", needs(guestKernel('6.12')), () => {
    expect(refusal('--kernel', '6.12', 'vfs_wirte', '--', 'true')).toMatch(/^1 .* did you mean vfs_write, /);
    expect(refusal('--kernel', '6.12', 'ext4:ext4_wirtepages', '--', 'true')).toMatch(
      /did you mean ext4:ext4_writepages/,
    );
  });
});

describe('recordOutputs', () => {
  it('finds the files of record in every spelling, and none of COMMAND', () => {
    const args = ['a', '-o', 'x.json', '-oy', '--output=/z', '--output', 'w', '-o', '-', '--', 'cc', '-o', 'not'];
    expect(recordOutputs(args, '/here')).toEqual(['/here/x.json', '/here/y', '/z', '/here/w']);
  });
});

it('finds host files where the guest has its own directory', () => {
  expect(guestPath('/usr/bin/node')).toBe('/usr/bin/node');
  expect(guestPath('/tmp/x/node')).toBe('/run/whocalls/host/tmp/x/node');
});
