import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guestKernel, needs, VIRTUAL_MACHINE } from '../../test/support/needs.ts';
import { findKernel } from './kernels.ts';
import { runInLab } from './run.ts';

/** A guest on a busy machine is slow; nothing here is about how long it takes. */
const PATIENCE = 240_000;

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'whocalls-lab-test-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.each(['6.1', '6.12'])('a guest with Linux %s', (series) => {
  it('is what it was asked to be, and brings back both streams and the status', {
    ...needs(guestKernel(series)),
    timeout: PATIENCE,
  }, async () => {
    const before = Math.floor(Date.now() / 1000);
    const script = [
      'uname -r; pwd; echo "$WHOCALLS_TEST"; echo err >&2',
      'cat /sys/block/vda/queue/scheduler; df --output=size,fstype /data | tail -n 1; nproc',
      'for m in cgroup2 bpf tracefs debugfs; do grep -c " $m " /proc/mounts; done',
      'cat /sys/class/net/lo/flags; date +%s; tail -n 1 /proc/kallsyms | cut -d" " -f1',
      'touch /written-in-the-guest && ls /written-in-the-guest; ls /tmp | wc -l; exit 7',
    ];
    const directory = join(scratch, "it's odd, $HOME");
    // A directory below /tmp, where the guest has its own files: the current directory is there all the same.
    const environment = { ...process.env, WHOCALLS_TEST: 'a\n"b" \'c\' $d `e` \\', PWD: undefined };
    mkdirSync(directory, { recursive: true });
    const result = await runInLab(
      { kernel: series, accelerator: 'tcg', scheduler: 'bfq', disk: 2048, cpus: 2, directory, environment },
      ['sh', '-c', script.join('\n')],
    );
    const lines = result.stdout.toString().split('\n');
    expect(lines.slice(0, 4)).toEqual([findKernel(series).release, directory, 'a', '"b" \'c\' $d `e` \\']);
    expect(lines[4]).toContain('[bfq]');
    expect(lines[5]).toMatch(/^ *(19|20)\d{5} ext4$/);
    expect(lines.slice(6, 11)).toEqual(['2', '1', '1', '1', '1']);
    expect(Number(lines[11]) & 1).toBe(1); // IFF_UP
    expect(Number(lines[12])).toBeGreaterThanOrEqual(before - 2);
    expect(Number(lines[12])).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + 2);
    expect(lines[13]).toMatch(/^ffffffff[0-9a-f]{8}$/);
    expect(lines[14]).toBe('/written-in-the-guest');
    expect(readdirSync('/')).not.toContain('written-in-the-guest');
    expect(result.stderr.toString()).toBe('err\n');
    expect(result.status).toBe(7);
  });
});

describe.each(['6.1', '6.12'])('modules of Linux %s', (series) => {
  it('are loaded by name, for file systems and for devices', {
    ...needs(guestKernel(series)),
    timeout: PATIENCE,
  }, async () => {
    const script = [
      'set -e; cd /data',
      '/sbin/modprobe dummy && ls -d /sys/module/dummy',
      'ls -d /sys/module/loop 2>/dev/null || echo no loop yet; truncate -s 20M image; mkfs.ext4 -q image; mkdir at',
      'mount -o loop image at; df --output=fstype,source at | tail -n 1; umount at',
      '/sbin/modprobe no-such-module 2>/dev/null || echo refused',
      'mount -t xfs image at 2>/dev/null || ls -d /sys/module/xfs',
    ];
    const result = await runInLab({ kernel: series, accelerator: 'tcg' }, ['sh', '-c', script.join('\n')]);
    expect(result.stderr.toString()).toBe('');
    expect(result.stdout.toString().split('\n')).toEqual([
      ...['/sys/module/dummy', 'no loop yet', expect.stringMatching(/^ext4 +\/dev\/loop0$/), 'refused'],
      ...['/sys/module/xfs', ''],
    ]);
    expect(result.status).toBe(0);
  });
});

describe('a guest', needs(VIRTUAL_MACHINE), () => {
  it(
    'passes 40 MB in and out intact, writes to shares, and hands back files',
    async () => {
      const input = randomBytes(40 * 1024 * 1024);
      const share = mkdtempSync(join(scratch, 'share-'));
      const handed = join(scratch, 'handed-back');
      const chunks = Array.from({ length: 40 }, (_, index) => input.subarray(index << 20, (index + 1) << 20));
      const script = `cat; cd "$1"; i=0; while [ $i -lt 1000 ]; do echo file $i > $i; i=$((i + 1)); done; echo back > "$2"`;
      const result = await runInLab(
        { accelerator: 'tcg', shares: [share], collect: [handed] },
        ['sh', '-c', script, 'sh', share, handed],
        { stdin: Readable.from(chunks) },
      );
      expect(result.stderr.toString()).toBe('');
      expect(result.status).toBe(0);
      expect(sha256(result.stdout)).toBe(sha256(input));
      expect(readdirSync(share)).toHaveLength(1000);
      for (const name of readdirSync(share)) expect(readFileSync(join(share, name), 'utf8')).toBe(`file ${name}\n`);
      expect(readFileSync(handed, 'utf8')).toBe('back\n');
    },
    PATIENCE,
  );

  it(
    'sees the files of the current directory below /tmp, also where a file is handed back into it',
    async () => {
      const directory = mkdtempSync(join(scratch, 'work-'));
      writeFileSync(join(directory, 'given'), 'of the host\n');
      const handed = join(directory, 'handed-back');
      const result = await runInLab({ accelerator: 'tcg', directory, collect: [handed] }, [
        'sh',
        '-c',
        'cp given handed-back',
      ]);
      expect([result.stderr.toString(), result.status]).toEqual(['', 0]);
      expect(readFileSync(handed, 'utf8')).toBe('of the host\n');
    },
    PATIENCE,
  );

  it(
    'boots a kernel given as a file, and says so when it panics',
    async () => {
      const { image, modules } = findKernel(undefined);
      const panic = runInLab({ kernel: image, modules, accelerator: 'tcg' }, [
        'sh',
        '-c',
        'echo c > /proc/sysrq-trigger; sleep 60',
      ]);
      await expect(panic).rejects.toThrow(/^the guest died: Kernel panic - not syncing: sysrq triggered crash\n/);
      await expect(panic).rejects.toMatchObject({ exitStatus: 125, started: true });
    },
    PATIENCE,
  );

  it(
    'is switched off when the command takes too long',
    async () => {
      const endless = runInLab({ accelerator: 'tcg', timeout: 2 }, ['sh', '-c', 'while :; do :; done']);
      await expect(endless).rejects.toThrow('the command took longer than 2 s');
      await expect(endless).rejects.toMatchObject({ exitStatus: 124 });
    },
    PATIENCE,
  );

  it(
    'is switched off when its heartbeat stops',
    async () => {
      const stop = 'kill -STOP $(grep -lx -- -1000 /proc/[0-9]*/oom_score_adj | cut -d/ -f3)';
      const silent = runInLab({ accelerator: 'tcg', silence: 2 }, ['sh', '-c', `${stop}; while :; do :; done`]);
      await expect(silent).rejects.toThrow('the guest is not responding: no heartbeat for 2 s');
      await expect(silent).rejects.toMatchObject({ exitStatus: 125, started: true });
    },
    PATIENCE,
  );

  it(
    'survives a full disk and running out of memory, with its heart beating, and ends what the command left behind',
    async () => {
      const script = [
        'sleep 1000 & setsid sleep 1000 &',
        'dd if=/dev/zero of=/data/x bs=1M 2>&1 | grep -o "No space left on device"',
        'tail /dev/zero; echo $?; no-such-command; echo $?',
      ];
      const result = await runInLab({ accelerator: 'tcg', memory: 512, disk: 64, silence: 6 }, [
        'sh',
        '-c',
        script.join('\n'),
      ]);
      expect(result.stdout.toString()).toBe('No space left on device\n137\n127\n');
      expect(result.outOfMemory).toBe('tail');
      expect(result.status).toBe(0);
    },
    PATIENCE,
  );

  it(
    'says what is wrong with a kernel that does not start',
    async () => {
      const broken = join(scratch, 'broken-bzImage');
      writeFileSync(broken, readFileSync(findKernel(undefined).image).fill(0x90, 0x8000));
      const boot = runInLab({ kernel: broken, accelerator: 'tcg', bootDeadline: 8 }, ['true']);
      await expect(boot).rejects.toThrow(/^the guest did not boot/);
      await expect(boot).rejects.toMatchObject({ exitStatus: 125, started: false });
    },
    PATIENCE,
  );
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
