/** Colours and other controls of terminals, as `dmesg --color=always` prints them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with one
const CONTROL = /\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]/g;

/** Whether a line is not as the kernel printed it: it has controls of a terminal, or is JSON of journalctl. */
export function isWrapped(line: string): boolean {
  return line.includes('\x1b') || (line.charCodeAt(0) === 0x7b && line.includes('"MESSAGE"'));
}

/** The lines in such a line, as bytes read as latin1. */
export function unwrapped(line: string): string[] {
  const plain = line.replace(CONTROL, '');
  if (!plain.startsWith('{')) return [plain];
  let record: unknown;
  try {
    record = JSON.parse(Buffer.from(plain, 'latin1').toString('utf8'));
  } catch {
    return [plain];
  }
  const { MESSAGE: message } = record as { MESSAGE?: unknown };
  // Messages that are not UTF-8 are lists of bytes.
  const bytes = Array.isArray(message) ? Buffer.from(message) : Buffer.from(String(message ?? ''));
  return bytes.toString('latin1').replace(CONTROL, '').split(/\r?\n/);
}
