import { columns, pad, printable } from '../text/columns.ts';
import { counted } from '../text/lists.ts';
import { noteText } from './messages.ts';
import type { InputFile, ReportInput } from './report.ts';

// What a text report says of the files it was made of.

/** Remarks on files; of several each names the file. */
export function inputRemarks(files: readonly InputFile[], isVerbose: boolean): string[] {
  const remarks: string[] = [];
  const from = (name: string) => (files.length > 1 ? `${name}: ` : '');
  for (const { name, truncated } of files) {
    if (truncated !== null) {
      remarks.push(`${from(name)}The input is truncated: ${truncated}; what could be read is counted.`);
    }
  }
  const skipped = files.reduce((sum, { skippedLines }) => sum + skippedLines, 0);
  if (skipped > 0) {
    remarks.push(`${counted(skipped, 'line')} could not be read:`);
    for (const { name, examples } of files) {
      for (const { line, text, why } of examples) remarks.push(`    line ${line}: ${why}: ${from(name)}${text}`);
    }
  }
  for (const { name, notes } of files) remarks.push(...notes.map((note) => from(name) + noteText(note)));
  if (!isVerbose) return remarks;
  const peeled = new Map<string, number>();
  for (const file of files) {
    for (const [name, count] of file.peeled) peeled.set(name, (peeled.get(name) ?? 0) + count);
  }
  return [...remarks, ...verboseRemarks(files, peeled)];
}

function verboseRemarks(files: readonly InputFile[], peeled: ReadonlyMap<string, number>): string[] {
  const frames = [...peeled].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
  return [
    // Of several files a list says it.
    ...(files.length === 1 ? [`Read as ${files[0]?.format}.`] : []),
    frames.length === 0
      ? 'No frames of recording tools were found in the stacks.'
      : `Frames of recording tools taken off the stacks: ${frames.join(', ')}.`,
  ];
}

/** Files that are listed one by one; of more only how many there were of each format, unless everything is asked for. */
const MOST_LISTED = 30;
/** Columns left to what stands behind a name. */
const BESIDE_NAME = 45;

/** What each of several files was read as, a line a file. Nothing for one file. */
export function fileLines(
  { files, unreadable }: ReportInput,
  layout: { readonly width: number; readonly verbose: boolean },
): string[] {
  const given = files.length + unreadable.length;
  if (given < 2) return [];
  const head = `Read ${files.length} of ${given} files`;
  if (files.length > MOST_LISTED && !layout.verbose) {
    return [`${head}: ${byFormat(files).join(', ')} (--verbose lists them)`];
  }
  const names = files.map(({ name }) => endOf(printable(name), Math.max(20, layout.width - BESIDE_NAME)));
  const nameWidth = widest(names);
  const formatWidth = widest(files.map(({ format }) => format));
  return [
    `${head}:`,
    ...files.map(({ format, calls, lost }, i) => {
      const sum = `${counted(calls, 'call')}${lost > 0 ? `, ${lost} lost` : ''}`;
      return `    ${pad(names[i] ?? '', nameWidth)}  ${pad(format, formatWidth)}  ${sum}`;
    }),
  ];
}

/** The end of a name that is too long: what tells files of a directory apart. */
function endOf(name: string, room: number): string {
  if (columns(name) <= room) return name;
  let start = name.length - room + 1;
  while (columns(name.slice(start)) >= room) start += 1;
  return `…${name.slice(start)}`;
}

/** `dmesg 569`, commonest first. */
function byFormat(files: readonly InputFile[]): string[] {
  const counts = new Map<string, number>();
  for (const { format } of files) counts.set(format, (counts.get(format) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([format, count]) => `${format} ${count}`);
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, columns(text)), 0);
}
