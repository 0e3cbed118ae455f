import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The files that a name stands for: itself, or, if it is a directory, the files in it and below, in the order of their
 * names. Hidden files, links to directories, and whatever is no file (pipes, devices) are left out. A directory that
 * cannot be read stands for itself: opening it says why.
 */
export async function filesUnder(name: string): Promise<string[]> {
  if (name === '-' || !(await isDirectory(name))) return [name];
  const entries = await readdir(name, { withFileTypes: true }).catch(() => null);
  if (!entries) return [name];
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(name, entry.name);
    if (entry.isDirectory()) files.push(...(await filesUnder(path)));
    else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path)))) files.push(path);
  }
  return files;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
