import { isBinary } from '../lines.ts';
import type { SniffResult } from '../reader.ts';
import { parseHead } from './grammar.ts';

/** Whether the beginning of a file is what a tool of bcc prints: its head, or a stack of stackcount with its number. */
export function sniffBcc(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
  if (isBinary(head)) return 'no';
  const lines = head.toString('latin1').split(/\r?\n/);
  // The last one may be cut off.
  if (!isWhole) lines.pop();
  let frames = 0;
  for (const line of lines) {
    if (parseHead(line)) return 'yes';
    // Frames stand two blanks in, the task and the number four.
    if (/^ {2}(?:[0-9a-f]{16} )?[A-Za-z_[]\S*$/.test(line)) frames += 1;
    else if (frames > 1 && /^ {4}\d+$/.test(line)) return 'yes';
    else if (!(frames > 1 && /^ {4}\S/.test(line))) frames = 0;
  }
  return 'no';
}
