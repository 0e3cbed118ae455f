import type { SniffResult } from '../reader.ts';
import {
  findTime,
  type PerfHeader,
  parseComment,
  parseFrame,
  parseHeader,
  parseInlineFrame,
  parseRecord,
} from './grammar.ts';

/** So many headers below each other, none with a stack, are a recording without call chains. */
const ENOUGH_HEADERS = 3;

/** Whether the beginning of a file is output of `perf script`. */
export function sniffPerfScript(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
  const lines = head.toString('latin1').split(/\r?\n/);
  // The last one may be cut off.
  if (!isWhole) lines.pop();
  let header: PerfHeader | null = null;
  let headers = 0;
  let frames = 0;
  let isPreamble = true;
  for (const line of lines) {
    if (line.trim() === '' || line.startsWith('#') || parseRecord(line)) continue;
    isPreamble = false;
    // Two frames below each other are enough even where no header is printed (-F ip,sym).
    frames = isFrame(line) ? frames + 1 : 0;
    if (frames === 2) return 'yes';
    if (header && header.event.name !== '' && (frames > 0 || isFrameBelowHeader(line))) return 'yes';
    header = frames > 0 ? null : parseHeader(line, false);
    if (header && hasOwnFrame(header)) return 'yes';
    headers = header && isComplete(line, header) ? headers + 1 : 0;
    if (headers === ENOUGH_HEADERS) return 'yes';
  }
  const isPerfs = lines.some(
    (line) => parseRecord(line) ?? /^(?:captured on|hostname|perf version|cmdline)/.test(parseComment(line)?.key ?? ''),
  );
  return isPreamble && isPerfs && !isWhole ? 'more' : 'no';
}

/** A line that is hardly anything but a frame: an address in its column, or one with a file at the end. */
function isFrame(line: string): boolean {
  const hasForm = /^\t\s*[0-9a-f]{1,16}[ \t]\S/.test(line) || /^\s*[0-9a-f]{4,16}\s+[^\s(][^(]*\(.*\)$/.test(line);
  return hasForm && parseFrame(line) !== null;
}

/** What is a frame if a header stands above it. */
function isFrameBelowHeader(line: string): boolean {
  return (
    /^\s+[0-9a-f]{1,16}\s+\S/.test(line) ||
    /^\t\s*[0-9a-f]{4,16}$/.test(line) ||
    /^\t\S+(?:\+0x[0-9a-f]+)?(?: \(.*\))?$/.test(line)
  );
}

/** A recording without call chains: the one frame stands behind the event, with its offset or its file. */
function hasOwnFrame({ event }: PerfHeader): boolean {
  return /(?:\)|\+0x[0-9a-f]+)\s*$/.test(event.rest) && parseInlineFrame(event.rest) !== null;
}

/** A header that has everything: a process with its number, a time stamp, an event. `bash-12 [000] 1.5: x:` is ftrace's. */
function isComplete(line: string, { task, event }: PerfHeader): boolean {
  const bytes = Buffer.from(line, 'latin1');
  return event.name !== '' && task.pid >= 0 && task.comm !== '' && findTime(bytes, 0, bytes.length) !== null;
}
