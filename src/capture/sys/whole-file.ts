import { allocate, cFunction, SystemCallError } from './native.ts';

/** Bytes of one call of fread(3); /proc/kallsyms is 5 to 15 MB. */
const ROOM = 16 << 20;

/**
 * Reads a file on another thread, by one call of the C library. For files of /proc, of which the kernel gives a page at
 * a time and no size: reading them with node takes twice as long, and the thread that has other things to do.
 *
 * @throws {SystemCallError} where it cannot be read
 */
export async function readWholeAside(path: string): Promise<Buffer> {
  const fopen = cFunction('void *fopen(str path, str mode)');
  const fread = cFunction('size_t fread(void *to, size_t size, size_t count, void *file)');
  const ferror = cFunction('int ferror(void *file)');
  const fclose = cFunction('int fclose(void *file)');
  const file = fopen(path, 're'); // e: programs that are started do not inherit it
  if (!file) throw new SystemCallError({ call: 'open', name: path }, 'ENOENT');
  try {
    const pieces: Buffer[] = [];
    for (;;) {
      const room = allocate(ROOM);
      const length = await new Promise<number>((resolve, reject) => {
        fread.async(room, 1, ROOM, file, (error, result) => (error ? reject(error) : resolve(Number(result))));
      });
      pieces.push(room.subarray(0, length));
      if (length < ROOM) break;
    }
    if (ferror(file)) throw new SystemCallError({ call: 'read', name: path }, 'EIO');
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  } finally {
    fclose(file);
  }
}
