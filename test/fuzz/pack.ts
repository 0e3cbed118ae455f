import { gzipSync } from 'node:zlib';

/** Most bytes of one block of zstd. */
const LARGEST_BLOCK = 1 << 17;

/** Bytes as compressed files hold them. Only gzip makes them smaller: what matters is how they are read. */
export const PACKERS: readonly ((bytes: Buffer) => Buffer)[] = [(bytes) => gzipSync(bytes, { level: 1 }), zstdFrame];

/** A frame of raw blocks (RFC 8878), its window 128 KiB. */
function zstdFrame(bytes: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3])];
  for (let at = 0; at < bytes.length || at === 0; at += LARGEST_BLOCK) {
    const block = bytes.subarray(at, at + LARGEST_BLOCK);
    const head = Buffer.alloc(3);
    head.writeUIntLE((block.length << 3) | Number(at + LARGEST_BLOCK >= bytes.length), 0, 3);
    parts.push(head, block);
  }
  return Buffer.concat(parts);
}
