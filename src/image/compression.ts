import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import { UserError } from '../errors.ts';

/** How kernels and their modules come compressed, by the first bytes. */
const MAGICS = [
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
] as const;

/**
 * Decompresses xz, zstd or gzip; anything else is returned as it is.
 * Node has no xz: that is left to `xz`, or to the `busybox` that the lab needs anyway.
 *
 * @param what names the input in the error message
 */
export function decompress(input: Buffer, what: string, busybox: string): Buffer {
  const format = MAGICS.find(([, magic]) => input.subarray(0, magic.length).equals(magic))?.[0];
  if (format === undefined) return input;
  if (format === 'gzip') return gunzipSync(input);
  if (format === 'zstd') return Buffer.from(unzstd(input));
  for (const [command, args] of [
    ['xz', ['-dc']],
    [busybox, ['xz', '-dc']],
  ] as const) {
    const { status, stdout } = spawnSync(command, args, { input, maxBuffer: 1 << 30 });
    if (status === 0) return stdout;
  }
  throw new UserError(`${what}: cannot decompress xz; install xz-utils`);
}
