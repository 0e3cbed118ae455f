import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { needs, program } from '../../test/support/needs.ts';
import { extractVmlinux, identifyKernel } from './kernel-image.ts';

const scratch = mkdtempSync(join(tmpdir(), 'whocalls-image-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** An ELF kernel that consists of one note: its type, and some bytes that do not pack well. */
function vmlinux(noteType: number, machine = 62): Buffer {
  const file = Buffer.alloc(5000);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeUInt16LE(machine, 18);
  file.writeBigUInt64LE(64n, 32); // program headers: one of 56 bytes
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(4, 64); // PT_NOTE
  file.writeBigUInt64LE(200n, 64 + 8);
  file.writeBigUInt64LE(40n, 64 + 32);
  // Before it a note of another kind: name of 4 bytes, content of 3.
  file.writeUInt32LE(4, 200);
  file.writeUInt32LE(3, 204);
  file.write('GNU\0', 212, 'latin1');
  file.writeUInt32LE(4, 220);
  file.writeUInt32LE(noteType, 228);
  file.write('Xen\0', 232, 'latin1');
  for (let at = 300; at < file.length; at++) file[at] = (at * at * 31) >> 5;
  return file;
}

/** A bzImage with this payload; behind it come other sections. */
function bzImage(payload: Buffer, release = '6.1.0-test'): string {
  const image = Buffer.alloc(5 * 512 + 100 + payload.length + 64);
  image[0x1f1] = 4;
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x300, 0x20e);
  image.write(`${release} (builder@host) #1 SMP`, 0x500, 'latin1');
  image.writeUInt32LE(100, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  payload.copy(image, 5 * 512 + 100);
  const path = join(scratch, 'bzImage');
  writeFileSync(path, image);
  return path;
}

/** As the kernel's build puts the size behind what it has compressed. */
function withSize(packed: Buffer, size: number): Buffer {
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(size);
  return Buffer.concat([packed, tail]);
}

const PVH = 18;
const kernel = vmlinux(PVH);
const packed = (tool: string, ...args: string[]) =>
  withSize(execFileSync(tool, [...args, '-c'], { input: kernel }), kernel.length);

describe('a bzImage', () => {
  const ways = [
    ['gzip', {}, () => gzipSync(kernel)],
    ['xz', needs(program('xz', 'xz-utils')), () => packed('xz', '--check=crc32', '--x86', '--lzma2')],
    ['zstd', needs(program('zstd', 'zstd')), () => packed('zstd', '-22', '--ultra')],
  ] as const;
  for (const [name, here, payload] of ways) {
    it(`compressed with ${name} gives its kernel`, here, async () => {
      const path = bzImage(payload());
      expect(identifyKernel(path)).toEqual({ path, kind: 'bzImage', release: '6.1.0-test' });
      expect((await extractVmlinux(path))?.equals(kernel)).toBe(true);
    });
  }

  it('that is compressed in another way, damaged or without PVH decompresses itself in the guest', async () => {
    const lz4 = Buffer.from([0x02, 0x21, 0x4c, 0x18]);
    const damaged = gzipSync(kernel).fill(7, 40, 60);
    for (const payload of [withSize(lz4, 1000), damaged, gzipSync(vmlinux(PVH + 1)), withSize(Buffer.alloc(0), 0)]) {
      expect(await extractVmlinux(bzImage(payload))).toBeUndefined();
    }
  });
});

it('an ELF kernel is known, if it is for this processor', () => {
  const path = join(scratch, 'vmlinux');
  writeFileSync(path, kernel);
  expect(identifyKernel(path)).toEqual({ path, kind: 'vmlinux', release: undefined });
  writeFileSync(path, vmlinux(PVH, 183));
  expect(() => identifyKernel(path)).toThrow('for another processor');
});
