import { isBinary } from '../lines.ts';
import type { SniffResult } from '../reader.ts';
import { parseFrame, parseRecordHead, parseRemark } from './grammar.ts';

/** So many records below each other, and hardly anything else, are a trace before its first stack. */
const ENOUGH_RECORDS = 5;

/** Whether the beginning of a file is text of ftrace or `trace-cmd report`. A trace of function_graph is not: it has no stacks. */
export function sniffFtrace(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
  if (isBinary(head)) return 'no';
  const lines = head.toString('latin1').split(/\r?\n/);
  // The last one may be cut off.
  if (!isWhole) lines.pop();
  let records = 0;
  let others = 0;
  let isBelowRecord = false;
  for (const line of lines) {
    if (line.trim() === '') continue;
    if (/^# tracer: (?!function_graph)/.test(line)) return 'yes';
    const remark = parseRemark(line);
    if (remark?.kind === 'tracer') return 'no';
    if (remark?.kind === 'entries' || remark?.kind === 'lost') return 'yes';
    if (isBelowRecord && /^\s*=>/.test(line) && parseFrame(line)) return 'yes';
    const record = parseRecordHead(line);
    const content = record ? line.slice(record.content) : line;
    if (record && / <--? ?\S/.test(content)) return 'yes';
    isBelowRecord = /^(?:kernel_stack:\s+|user_stack:\s+)?<(?:user )?stack trace ?>/.test(content);
    if (record) records += 1;
    else if (remark === null && !isBelowRecord) others += 1;
  }
  return records >= ENOUGH_RECORDS && others * 4 < records ? 'yes' : 'no';
}
