/** Length of a task's name in the kernel (TASK_COMM_LEN). */
export const COMM_LENGTH = 16;

/**
 * A task's name, up to the first zero byte. The kernel cuts names off after 15 bytes, which may be within a letter:
 * bytes that are no UTF-8 stand as `\xc3`, and so does the backslash of a name that looks like that itself.
 */
export function decodeTaskName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const name = Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end));
  const whole = name.toString('utf8');
  if (!whole.includes('\ufffd') && !whole.includes('\\x')) return whole;
  let text = '';
  for (let at = 0; at < name.length; ) {
    const length = letterLength(name, at);
    if (length > 0) text += name.toString('utf8', at, at + length);
    else text += escaped(name[at] ?? 0);
    at += Math.max(length, 1);
  }
  return text;
}

/** The bytes the kernel keeps of a name: {@link decodeTaskName} backwards, cut off as the kernel does. */
export function encodeTaskName(name: string): Buffer {
  const pieces = name.split(/(\\x[0-9a-f]{2})/);
  const bytes = Buffer.concat(
    pieces.map((piece, i) => (i % 2 === 0 ? Buffer.from(piece) : Buffer.from(piece.slice(2), 'hex'))),
  );
  const field = Buffer.alloc(COMM_LENGTH);
  bytes.copy(field, 0, 0, COMM_LENGTH - 1);
  return field;
}

/** Bytes of the letter that begins here; 0 where none does, or where it would be read back as something else. */
function letterLength(name: Buffer, at: number): number {
  if (/^\\x[0-9a-f]{2}$/.test(name.toString('latin1', at, at + 4))) return 0;
  for (let length = 1; length <= 4 && at + length <= name.length; length++) {
    const letter = name.subarray(at, at + length);
    if (Buffer.from(letter.toString('utf8')).equals(letter)) return length;
  }
  return 0;
}

function escaped(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
