import type { Command } from 'commander';
import { READERS } from '../formats/registry.ts';
import { refuseInput } from '../host/output-file.ts';
import { type Inputs, readInputs } from '../report/read-inputs.ts';
import type { ReportInput } from '../report/report.ts';
import { printable } from '../text/columns.ts';
import { newCommand } from './command.ts';
import { addReportOptions, checkReportOptions, type OutputOptions, printReport } from './report-options.ts';
import { ProgressLine } from './terminal.ts';

/** Options of reading, shared by `read` and `export`; those that readers declare are among them. */
export interface InputOptions {
  readonly inputFormat?: string;
  readonly target?: string;
  readonly [option: string]: unknown;
}

/** `whocalls read FILE…` */
export function command(): Command {
  const read = newCommand('read')
    .description(
      "Report who calls a function, from stack data you already have ('-' is standard input).\n" +
        'Several files, or those of a directory, are counted together. They may be compressed with gzip, zstd or xz.',
    )
    .argument('<file...>', 'recordings');
  addReportOptions(addInputOptions(read));
  return read
    .addHelpText('after', `\nFormats:\n${READERS.map((r) => `  ${r.name.padEnd(16)}${r.summary}`).join('\n')}`)
    .action(async (files: string[], options: OutputOptions & InputOptions) => {
      checkReportOptions(options);
      refuseInput(options.output, files);
      const input = await readFiles(files, options);
      await printReport(input.census, options, input);
      tellUnreadable(input);
    });
}

export function addInputOptions(command: Command): Command {
  command.option(
    '--input-format <format>',
    `read as ${READERS.map((reader) => reader.name).join(', ')} (default: told by the content)`,
  );
  for (const { flag, summary } of READERS.flatMap((reader) => reader.options ?? [])) command.option(flag, summary);
  return command.option('--target <names>', 'what was counted, where the recording does not say (comma-separated)');
}

/**
 * {@link readInputs} with the options of a command, and progress.
 *
 * @throws {UserError} nothing usable in any file
 */
export async function readFiles(files: readonly string[], options: InputOptions): Promise<Inputs> {
  const { inputFormat, target } = options;
  const progress = new ProgressLine();
  const declared = READERS.flatMap((reader) => reader.options ?? []).map(({ name }) => name);
  return readInputs(files, {
    ...(inputFormat !== undefined && { format: inputFormat }),
    ...(target !== undefined && { targets: target.split(',').filter((name) => name !== '') }),
    readerOptions: Object.fromEntries(declared.map((name) => [name, readerOption(options[name])])),
    onProgress: (file, bytes) => progress.show(`reading ${file}: ${(bytes / 1e6).toFixed(0)} MB`),
    onDone: () => progress.done(),
  });
}

/** A switch, or the text of an option that takes one. */
function readerOption(value: unknown): boolean | string {
  return typeof value === 'string' ? value : value === true;
}

/** Lists the files of which nothing could be used, on stderr: the last lines of a command that made something of others. */
export function tellUnreadable({ unreadable }: ReportInput): void {
  for (const { why } of unreadable) process.stderr.write(`whocalls: ${printable(why)}\n`);
}
