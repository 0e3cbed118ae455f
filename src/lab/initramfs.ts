import { createHash } from 'node:crypto';
import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildInPlace, cacheDirectory, pruneOldest } from '../host/cache.ts';
import { type CpioEntry, cpioArchive, DIRECTORY, EXECUTABLE, REGULAR } from './cpio.ts';
import { commandScript, type GuestRun, guestScript, guestSettings, NEEDED_MODULES } from './guest.ts';
import { extractVmlinux, identifyKernel } from './kernel-image.ts';
import type { LabKernel } from './kernels.ts';
import { type KernelModule, modulesInOrder, readModuleTree } from './modules.ts';

/** Built files that are kept, each with its sum; using one makes it the youngest. */
const KEPT = 24;

/**
 * The initial file system of a kernel with a set of modules: busybox, the modules, the scripts.
 * It depends on nothing else, so it is built once and kept; what differs from run to run is appended by
 * {@link runArchive}. Not compressed: copying is faster than decompressing, above all under emulation.
 */
export async function initramfsFor(kernel: LabKernel, wanted: readonly string[], busybox: string): Promise<string> {
  const init = guestScript('init');
  const agent = guestScript('agent');
  const common = guestScript('common');
  const scripts = [init, agent, common, identity(busybox)];
  const modules = kernel.modules === undefined ? [] : [identity(kernel.modules), ...wanted];
  return keptFor([identity(kernel.image), ...modules, ...scripts], 'cpio', async () => {
    const tree = kernel.modules === undefined ? undefined : readModuleTree(kernel.modules);
    const loaded = tree ? await modulesInOrder(tree, wanted) : [];
    const first = tree ? (await modulesInOrder(tree, NEEDED_MODULES)).length : 0;
    return cpioArchive([
      ...['proc', 'sys', 'dev', 'host', 'scratch', 'root', 'bin', 'lib', 'lab'].map(directory),
      { path: 'bin/busybox', mode: EXECUTABLE, content: readFileSync(busybox) },
      text('init', init, EXECUTABLE),
      text('lab/agent', agent),
      text('lab/common', common),
      text('lib/order', listed(loaded.slice(0, first))),
      text('lib/order-later', listed(loaded.slice(first))),
      ...loaded.map(({ name, content }) => ({ path: `lib/${name}.ko`, mode: REGULAR, content })),
    ]);
  });
}

function listed(modules: readonly KernelModule[]): string {
  return modules.map(({ name }) => `${name}\n`).join('');
}

/** What one run adds to the initial file system: its settings, COMMAND, and the mark that ends its output. */
export function runArchive(run: GuestRun, token: string): Buffer {
  return cpioArchive([
    directory('lab'),
    text('lab/settings', guestSettings(run)),
    text('lab/command', commandScript(run)),
    text('lab/token', token),
  ]);
}

/** The file to start: the kernel decompressed beforehand where possible, else as it is. */
export async function bootImage(kernel: LabKernel): Promise<string> {
  if (identifyKernel(kernel.image).kind === 'vmlinux') return kernel.image;
  const kept = await keptFor(
    [identity(kernel.image)],
    'vmlinux',
    async () => (await extractVmlinux(kernel.image)) ?? Buffer.alloc(0),
  );
  return statSync(kept).size > 0 ? kept : kernel.image; // an empty one remembers that it cannot be had
}

/** The file of the cache that is built from these parts and has this ending, built now unless it is there. */
export async function keptFor(parts: readonly string[], ending: string, build: () => Promise<Buffer>): Promise<string> {
  const file = join(cacheDirectory(), 'boot', `${hash(parts)}.${ending}`);
  if (isSound(file)) {
    markUsed(file);
    return file;
  }
  const content = await build();
  buildInPlace(file, (draft) => writeFileSync(draft, content));
  buildInPlace(`${file}.sha256`, (draft) => writeFileSync(draft, digest(content)));
  pruneOldest(join(cacheDirectory(), 'boot'), KEPT);
  return file;
}

/** Whether a kept file is what was built: a disk that fills up or fails leaves others. Else it is built again. */
function isSound(file: string): boolean {
  try {
    return digest(readFileSync(file)) === readFileSync(`${file}.sha256`, 'utf8');
  } catch {
    return false;
  }
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Of a cache that is somebody else's the times are theirs, too. */
function markUsed(file: string): void {
  const now = new Date();
  for (const path of [file, `${file}.sha256`]) {
    try {
      utimesSync(path, now, now);
    } catch {
      return;
    }
  }
}

/** A file or directory as it stands: its path, size and time of change. */
export function identity(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${path} ${size} ${mtimeMs}`;
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 24);
}

function directory(path: string): CpioEntry {
  return { path, mode: DIRECTORY };
}

function text(path: string, content: string, mode = REGULAR): CpioEntry {
  return { path, mode, content: Buffer.from(content) };
}
