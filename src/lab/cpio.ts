/** One entry of an archive: a file, or (by its mode) a directory or symbolic link whose target is the content. */
export interface CpioEntry {
  /** Path without a leading slash, as in `bin/busybox`. */
  readonly path: string;
  /** File type and permission bits as in `stat(2)`, for example 0o100755. */
  readonly mode: number;
  readonly content?: Uint8Array;
}

export const DIRECTORY = 0o040755;
export const EXECUTABLE = 0o100755;
export const REGULAR = 0o100644;

/**
 * Writes an archive in the "newc" format that the kernel unpacks its initial file system from
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Archives may be concatenated: later entries win.
 * Everything belongs to root and has no time stamp, so the same entries give the same bytes.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  let inode = 0;
  for (const { path, mode, content = new Uint8Array() } of entries) {
    inode += 1;
    parts.push(header(inode, path, mode, content.length), content, padding(content.length));
  }
  parts.push(header(0, 'TRAILER!!!', 0, 0));
  const archive = Buffer.concat(parts);
  // A following archive has to start at a multiple of four bytes; 512 is what cpio itself pads to.
  return Buffer.concat([archive, Buffer.alloc((512 - (archive.length % 512)) % 512)]);
}

/** Magic number and 13 fields of 8 hexadecimal digits, then the path with a final NUL, filled up to 4 bytes. */
function header(inode: number, path: string, mode: number, size: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const links = 1;
  const fields = [inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name.length, 0];
  const text = `070701${fields.map((field) => field.toString(16).padStart(8, '0').toUpperCase()).join('')}`;
  return Buffer.concat([Buffer.from(text), name, padding(text.length + name.length)]);
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
