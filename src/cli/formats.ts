import type { Command } from 'commander';
import { messageOf, UserError } from '../errors.ts';
import { inspectFile } from '../formats/read-file.ts';
import { READERS, WRITERS } from '../formats/registry.ts';
import { REPORT_WRITERS } from '../report/writers.ts';
import { printable, wrap } from '../text/columns.ts';
import { newCommand } from './command.ts';
import { toStdout } from './stdout.ts';
import { outputWidth } from './terminal.ts';

/** Names stand in a column of this width, what belongs to them behind it. */
const COLUMN = 16;

/** `whocalls formats [FILE…]` */
export function command(): Command {
  return newCommand('formats')
    .description(
      "List the formats that are read and written, and what each can carry; with files, say what each is ('-' is standard input).",
    )
    .argument('[file...]', 'files of an unknown format')
    .action(async (files: string[]) => {
      if (files.length === 0) await toStdout(list());
      else if ((await tellFiles(files)) === 0) process.exitCode = 1;
    });
}

function list(): string {
  const read = READERS.map(({ name, summary, carries }) => entry(name, summary, carries.join(', ')));
  const written = REPORT_WRITERS.map(({ name, summary, endings }) => {
    const carries = WRITERS.find((writer) => writer.name === name)?.carries.join(', ') ?? '';
    return entry(name, `${summary} (${endings.join(' ')})`, carries);
  });
  return [
    'Read, told by content, plain or compressed with gzip, zstd or xz (whocalls read FILE…):',
    ...read,
    '',
    'Written (whocalls export FILE --to FORMAT, record -o FILE):',
    ...written,
    '',
    'Stacks and how often each came are in all of them but csv; below each stands what else it can carry.',
    '',
  ].join('\n');
}

function entry(name: string, summary: string, carries: string): string {
  const lines = [summary, ...(carries === '' ? [] : wrap(carries, outputWidth() - COLUMN - 2))];
  return lines.map((line, i) => `  ${(i === 0 ? name : '').padEnd(COLUMN)}${line}`).join('\n');
}

/** Prints what each file is; returns how many can be read. */
async function tellFiles(files: readonly string[]): Promise<number> {
  let known = 0;
  for (const file of files) {
    try {
      const { compression, reader, details } = await inspectFile(file);
      const name = file === '-' ? 'standard input' : file;
      const packed = compression === '' ? '' : `, ${compression}`;
      const lines = [`${name}: ${reader.name}${packed}: ${reader.summary}`, ...details.map((detail) => `  ${detail}`)];
      await toStdout(`${lines.map(printable).join('\n')}\n`);
      known += 1;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await toStdout(`${printable(messageOf(error))}\n`);
    }
  }
  return known;
}
