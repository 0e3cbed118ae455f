import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { elfSegments, isElf, PT_NOTE } from './elf.ts';
import { buildIdOfNotes } from './elf-notes.ts';

/** Where packages with debug symbols put them, by build id (gdb(1)). */
const DIRECTORY = '/usr/lib/debug/.build-id';
/** Notes lie right after the headers. */
const HEAD_BYTES = 64 * 1024;

/** The installed file with the symbols that were stripped off a program or library; undefined where there is none. */
export function debugFileOf(path: string, directory = DIRECTORY): string | undefined {
  const id = buildId(path);
  if (id === undefined) return undefined;
  const file = `${directory}/${id.slice(0, 2)}/${id.slice(2)}.debug`;
  return existsSync(file) ? file : undefined;
}

/** What its build and no other is known by, in hexadecimal digits. */
export function buildId(path: string): string | undefined {
  try {
    return buildIdIn(headOf(path));
  } catch {
    return undefined; // not ELF, or cut off
  }
}

function headOf(path: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(descriptor, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}

function buildIdIn(head: Buffer): string | undefined {
  if (!isElf(head)) return undefined;
  for (const { type, offset, size } of elfSegments(head)) {
    if (type !== PT_NOTE || offset + size > head.length) continue;
    const id = buildIdOfNotes(head.subarray(offset, offset + size));
    if (id !== '') return id;
  }
  return undefined;
}
