/**
 * How long the lab takes from starting QEMU to the first line of COMMAND, under software emulation.
 * The yardstick is the same kernel started in the plain way (compressed, QEMU's own firmware and defaults) up to its
 * first process, on the same machine at the same time; boots alternate, and the quickest of each counts.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { labAvailability } from '../src/lab/availability.ts';
import { cpioArchive, DIRECTORY, EXECUTABLE } from '../src/lab/cpio.ts';
import { findKernel, type LabKernel, matches } from '../src/lab/kernels.ts';
import { runInLab } from '../src/lab/run.ts';
import { findTools } from '../src/lab/tools.ts';

const ROUNDS = Number(process.argv[2] ?? 3);
const { ready, missing, kernels } = labAvailability();
if (!ready) {
  process.stdout.write(`skipped: needs ${missing.join(', ')} (whocalls lab setup --kernel all)\n`);
  process.exit(0);
}
const { qemu = '', busybox = '' } = findTools();
const scratch = mkdtempSync(join(tmpdir(), 'whocalls-bench-'));
try {
  process.stdout.write(`load ${loadavg()[0]?.toFixed(1)}, quickest of ${ROUNDS}, seconds\n`);
  process.stdout.write(
    'kernel                 plain boot   lab to first line of COMMAND   ratio   node --version in it\n',
  );
  for (const series of ['6.1', '6.12']) {
    if (kernels.some(({ release }) => matches(release, series))) await measure(findKernel(series));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function measure(kernel: LabKernel): Promise<void> {
  const times = { plain: Number.POSITIVE_INFINITY, lab: Number.POSITIVE_INFINITY, node: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    times.plain = Math.min(times.plain, await plainBoot(kernel));
    times.lab = Math.min(times.lab, await firstLine(kernel, ['echo', 'up']));
    times.node = Math.min(times.node, await firstLine(kernel, [process.execPath, '--version']));
  }
  const columns = [
    (kernel.release ?? '').padEnd(22),
    times.plain.toFixed(2).padStart(10),
    times.lab.toFixed(2).padStart(30),
    (times.lab / times.plain).toFixed(2).padStart(7),
    times.node.toFixed(2).padStart(22),
  ];
  process.stdout.write(`${columns.join(' ')}\n`);
}

/** Everything counts: laying out the machine, QEMU's start, the boot, the command, its line's way back. */
async function firstLine(kernel: LabKernel, command: string[]): Promise<number> {
  const start = process.hrtime.bigint();
  let seconds = Number.NaN;
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      seconds = Number(process.hrtime.bigint() - start) / 1e9;
      done();
    },
  });
  await runInLab({ kernel: kernel.release, accelerator: 'tcg' }, command, { stdout });
  return seconds;
}

function plainBoot(kernel: LabKernel): Promise<number> {
  const initramfs = join(scratch, 'plain.cpio');
  const init = '#!/bin/busybox sh\necho yardstick\n/bin/busybox poweroff -f\n';
  const content = cpioArchive([
    { path: 'bin', mode: DIRECTORY },
    { path: 'bin/busybox', mode: EXECUTABLE, content: readFileSync(busybox) },
    { path: 'init', mode: EXECUTABLE, content: Buffer.from(init) },
  ]);
  writeFileSync(initramfs, content);
  const start = process.hrtime.bigint();
  const args = ['-nographic', '-no-reboot', '-accel', 'tcg', '-cpu', 'max', '-smp', '2', '-m', '2048M'];
  args.push(
    '-machine',
    'q35',
    '-kernel',
    kernel.image,
    '-initrd',
    initramfs,
    '-append',
    'console=ttyS0 quiet panic=-1',
  );
  return new Promise((resolve, reject) => {
    const child = spawn(qemu, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 120_000, killSignal: 'SIGKILL' });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      if (!output.includes('yardstick')) return;
      resolve(Number(process.hrtime.bigint() - start) / 1e9);
      child.kill('SIGKILL');
    });
    child.once('close', () => reject(new Error(`the plain boot ended early:\n${output.slice(-500)}`)));
  });
}
