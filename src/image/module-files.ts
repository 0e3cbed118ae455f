import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf } from '../errors.ts';
import { decompressBytes } from './compression.ts';

/** A kernel module's file. */
export interface ModuleFile {
  /** With underscores. */
  readonly name: string;
  readonly path: string;
}

/** What became of reading modules. */
export interface ReadModules {
  readonly read: number;
  /** Those that could not be read, and why. */
  readonly failed: readonly { readonly module: ModuleFile; readonly why: string }[];
}

/** The modules below a folder (`/lib/modules/6.12.1`), by name. */
export function moduleFiles(directory: string): ModuleFile[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ko(?:\.(?:xz|zst|gz))?$/.test(entry.name))
    .map((entry) => ({ name: moduleName(entry.name), path: join(entry.parentPath, entry.name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names of the modules that the running kernel has loaded; none where /proc does not say. */
export function loadedModules(): string[] {
  try {
    return readFileSync('/proc/modules', 'latin1')
      .split('\n')
      .flatMap((line) => line.split(' ', 1))
      .filter((name) => name !== '');
  } catch {
    return [];
  }
}

/**
 * Reads modules one after another.
 *
 * @param take gets the decompressed file; what it throws is told as the module's failure
 */
export async function readModules(
  files: readonly ModuleFile[],
  take: (module: ModuleFile, file: Buffer) => void,
): Promise<ReadModules> {
  const failed: { module: ModuleFile; why: string }[] = [];
  for (const module of files) {
    try {
      take(module, await decompressBytes(readFileSync(module.path)));
    } catch (error) {
      failed.push({ module, why: messageOf(error) });
    }
  }
  return { read: files.length - failed.length, failed };
}

/** `kernel/fs/9p/9p.ko.xz` is the module `9p`; dashes and underscores are the same. */
export function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko.*$/, '')
    .replaceAll('-', '_');
}
