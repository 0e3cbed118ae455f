// Gets packed columns out of the text of a script element. docs/page-data.md describes the form.
import { DamagedData } from './damaged.ts';

const MAGIC = 0x31504357;
const START_BYTES = 12;

/** What `Uint8Array.fromBase64` of newer browsers is. */
type FromBase64 = (text: string) => Uint8Array<ArrayBuffer>;

/**
 * The columns in a base64 text, checked.
 *
 * @throws {DamagedData} the text is cut off or was changed, or the browser cannot inflate
 */
export async function unpack(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const packed = fromBase64(text.trim());
  if (packed.length < START_BYTES) throw new DamagedData('The data of this page are missing.');
  const view = new DataView(packed.buffer, packed.byteOffset);
  if (view.getUint32(0, true) !== MAGIC)
    throw new DamagedData('The data of this page are damaged: they begin wrongly.');
  const bytes = await inflate(packed.subarray(START_BYTES));
  const length = view.getUint32(8, true);
  if (bytes.length !== length) {
    throw new DamagedData(`The data of this page are damaged: ${bytes.length} of ${length} bytes are there.`);
  }
  if (crc32(bytes) !== view.getUint32(4, true)) {
    throw new DamagedData('The data of this page are damaged: the checksum differs.');
  }
  return bytes;
}

/** Bytes of base64 text: natively where the browser can, else by a table. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as { fromBase64?: FromBase64 }).fromBase64;
  if (!native) return fromBase64ByTable(text);
  try {
    return native.call(Uint8Array, text);
  } catch {
    throw new DamagedData('The data of this page are damaged: they are not base64.');
  }
}

/** {@link fromBase64} for browsers without `Uint8Array.fromBase64`. */
export function fromBase64ByTable(text: string): Uint8Array<ArrayBuffer> {
  const table = new Int8Array(128).fill(-1);
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  for (let i = 0; i < 64; i++) table[letters.charCodeAt(i)] = i;
  const end = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < end; i++) {
    const value = table[text.charCodeAt(i)] ?? -1;
    if (value < 0) throw new DamagedData('The data of this page are damaged: they are not base64.');
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = held >> bits;
    }
  }
  return bytes;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof DecompressionStream === 'undefined') {
    throw new DamagedData(
      'This browser cannot inflate data: Chromium can from 103 on, Firefox from 113, Safari from 16.4.',
    );
  }
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new DamagedData('The data of this page are damaged: they cannot be inflated.');
  }
}

/** CRC-32 as of gzip. */
function crc32(bytes: Uint8Array): number {
  const table = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    table[i] = value;
  }
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) {
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 255] as number);
  }
  return (crc ^ -1) >>> 0;
}
