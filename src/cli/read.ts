import type { Command } from 'commander';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { mergeCensus } from '../census/merge.ts';
import { messageOf, UserError } from '../errors.ts';
import { type ReadResult, readFile } from '../formats/read-file.ts';
import { READERS, readerNamed } from '../formats/registry.ts';
import type { ReportInput } from '../report/report.ts';
import { newCommand } from './command.ts';
import { addReportOptions, checkReportOptions, type ReportOptions, writeReport } from './report-options.ts';
import { ProgressLine } from './terminal.ts';

/** Options of reading, shared by `read` and `export`. */
export interface InputOptions {
  readonly inputFormat?: string;
  readonly leafFirst?: boolean;
  readonly target?: string;
}

/** `whocalls read FILE…` */
export function command(): Command {
  const read = newCommand('read')
    .description(
      "Report who calls a function, from stack data that exists already ('-' is standard input).\n" +
        'Several files are counted together. Files may be compressed with gzip, zstd or xz.',
    )
    .argument('<file...>', 'recordings');
  addReportOptions(addInputOptions(read));
  return read
    .addHelpText('after', `\nFormats:\n${READERS.map((r) => `  ${r.name.padEnd(16)}${r.summary}`).join('\n')}`)
    .action(async (files: string[], options: ReportOptions & InputOptions) => {
      checkReportOptions(options);
      const { census, input } = await readInputs(files, options);
      await writeReport(census, options, input);
    });
}

export function addInputOptions(command: Command): Command {
  return command
    .option(
      '--input-format <format>',
      `read as ${READERS.map((reader) => reader.name).join(', ')} (default: told by the content)`,
    )
    .option('--leaf-first', 'folded stacks are written innermost frame first')
    .option('--target <names>', 'what was counted, where the recording does not say (comma-separated)');
}

/**
 * Reads files and counts them together. A file of which nothing can be used is reported on stderr.
 *
 * @throws {UserError} nothing usable in any file
 */
export async function readInputs(
  files: readonly string[],
  options: InputOptions,
): Promise<{ census: ReadResult['census']; input: ReportInput }> {
  const reader = options.inputFormat === undefined ? undefined : readerNamed(options.inputFormat);
  const progress = new ProgressLine();
  const results: ReadResult[] = [];
  const problems: string[] = [];
  for (const file of files) {
    try {
      const onProgress = (bytes: number) => progress.show(`reading ${file}: ${(bytes / 1e6).toFixed(0)} MB`);
      results.push(
        await readFile(file, {
          knowledge: kernelKnowledge(),
          ...(reader && { reader }),
          ...(options.leafFirst !== undefined && { leafFirst: options.leafFirst }),
          ...(options.target !== undefined && { targets: options.target.split(',').filter((name) => name !== '') }),
          onProgress,
        }),
      );
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(messageOf(error));
    } finally {
      progress.done();
    }
  }
  const [first, ...others] = results;
  if (!first) throw new UserError(problems.join('\nwhocalls: '));
  for (const problem of problems) process.stderr.write(`whocalls: ${problem}\n`);
  for (const other of others) mergeCensus(first.census, other.census);
  return { census: first.census, input: inputOf(results) };
}

/** What a report says of the files that were read. */
export function inputOf(results: readonly ReadResult[]): ReportInput {
  const peeled = new Map<string, number>();
  for (const { diagnostics } of results) {
    for (const [name, count] of diagnostics.peeled) peeled.set(name, (peeled.get(name) ?? 0) + count);
  }
  const prefix = (name: string) => (results.length > 1 ? `${name}: ` : '');
  return {
    format: [...new Set(results.map((result) => result.format))].join(', '),
    skippedLines: results.reduce((sum, { diagnostics }) => sum + diagnostics.skippedLines, 0),
    examples: results.flatMap(({ name, diagnostics }) =>
      diagnostics.examples.map((example) => ({ ...example, text: prefix(name) + example.text })),
    ),
    truncated: results.flatMap(({ name, diagnostics }) =>
      diagnostics.truncated === null ? [] : [prefix(name) + diagnostics.truncated],
    ),
    notes: results.flatMap(({ name, diagnostics }) => diagnostics.notes.map((note) => prefix(name) + note)),
    peeled,
  };
}
