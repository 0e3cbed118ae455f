import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { needs, program } from '../../test/support/needs.ts';
import { compressionOf, DamagedCompression, decompressBytes, decompressStream } from './compression.ts';

const XZ = program('xz', 'xz-utils');
const ZSTD = program('zstd', 'zstd');

const pack = (tool: string, args: readonly string[], input: Buffer) =>
  execFileSync(tool, [...args, '-c'], { input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] });

/** Bytes such as machine code has, with many calls and jumps and targets near and far. */
function machineCode(size: number, seed: number): Buffer {
  const common = [0xe8, 0xe9, 0xe8, 0x00, 0xff, 0x00, 0xff, 0x0f, 0x85];
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >>> 12;
  };
  return Buffer.from(
    Array.from({ length: size }, () => (next() % 3 === 0 ? next() : (common[next() % 9] ?? 0)) & 0xff),
  );
}

/** Every way of {@link decompressBytes} and {@link decompressStream}. */
const PACKED: readonly (readonly [string, () => Buffer, ReturnType<typeof needs>])[] = [
  ['gzip', () => gzipSync(machineCode(300_000, 1)), {}],
  ['zstd', () => pack('zstd', [], machineCode(300_000, 1)), needs(ZSTD)],
  ['xz', () => pack('xz', [], machineCode(300_000, 1)), needs(XZ)],
];

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe.each(PACKED)('%s', (name, packed, here) => {
  it('is told by its first bytes, and comes out whole and in chunks', here, async () => {
    const bytes = packed();
    const compression = compressionOf(bytes.subarray(0, 6));
    expect(compression).toBe(name);
    const content = machineCode(300_000, 1);
    expect((await decompressBytes(bytes)).equals(content)).toBe(true);
    expect((await decompressBytes(bytes, content.length)).equals(content)).toBe(true);
    for (const size of [100_000, 777]) {
      expect((await collect(decompressStream(chunksOf(bytes, size), compression))).equals(content)).toBe(true);
    }
  });

  it('that is cut off or damaged is told from what is whole', here, async () => {
    const bytes = packed();
    const cut = bytes.subarray(0, bytes.length >> 1);
    await expect(decompressBytes(cut)).rejects.toThrow(DamagedCompression);
    await expect(collect(decompressStream(chunksOf(cut, 1000), compressionOf(bytes)))).rejects.toThrow(
      DamagedCompression,
    );
  });
});

it('what is not compressed stays as it is', async () => {
  expect(compressionOf(Buffer.from('plain text'))).toBe('');
  expect(compressionOf(Buffer.alloc(0))).toBe('');
  expect(await decompressBytes(Buffer.from('plain text'))).toEqual(Buffer.from('plain text'));
});

it('an error of the input is no error of the compression', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield gzipSync('abc').subarray(0, 12);
    throw new DamagedCompression('the disk');
  }
  await expect(collect(decompressStream(broken(), 'gzip'))).rejects.toThrow('the disk');
});

describe('xz with the x86 filter, as kernels have it', needs(XZ), () => {
  const filtered = (content: Buffer, ...more: string[]) =>
    pack('xz', ['--check=crc32', '--x86', '--lzma2=dict=32MiB', ...more], content);

  it.each([0, 1, 4, 5, 6, 9, 100, 4096, 1_000_001])('comes out, %i bytes of it', async (size) => {
    const content = machineCode(size, size);
    expect((await decompressBytes(filtered(content))).equals(content)).toBe(true);
  });

  it('comes out in several blocks, with the sizes in them', async () => {
    const content = machineCode(500_000, 7);
    for (const more of [['--block-size=100000'], ['--threads=2', '--block-size=100000']]) {
      expect((await decompressBytes(filtered(content, ...more))).equals(content)).toBe(true);
    }
  });

  it('is refused where a byte is wrong', async () => {
    const bytes = filtered(machineCode(10_000, 3));
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    await expect(decompressBytes(bytes)).rejects.toThrow(DamagedCompression);
  });

  it('is refused where it has another check than kernels have', async () => {
    const bytes = pack('xz', ['--check=sha256', '--x86', '--lzma2'], machineCode(10_000, 3));
    await expect(decompressBytes(bytes)).rejects.toThrow(DamagedCompression);
  });
});

it('zstd with a window larger than the content comes out', needs(ZSTD), async () => {
  const content = machineCode(2_000_000, 5);
  const bytes = pack('zstd', ['-22', '--ultra', '--long=27'], content);
  expect((await decompressBytes(bytes, content.length)).equals(content)).toBe(true);
});
