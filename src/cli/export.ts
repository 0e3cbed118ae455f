import { type Command, Option } from 'commander';
import { newCommand } from './command.ts';
import { addInputOptions, type InputOptions, readInputs } from './read.ts';
import { REPORT_FORMATS, type ReportFormat } from './report-file.ts';
import { checkReportOptions, writeReport } from './report-options.ts';

const EXPORT_FORMATS = REPORT_FORMATS.filter((format) => format !== 'text');

interface ExportOptions extends InputOptions {
  readonly to: ReportFormat;
  readonly output?: string;
}

/** `whocalls export FILE --to FORMAT -o OUT` */
export function command(): Command {
  const exporting = newCommand('export')
    .description('Write a recording in another format; - is standard input or output.')
    .argument('<file...>', 'recordings, counted together')
    .addOption(new Option('--to <format>', 'what to write').choices(EXPORT_FORMATS).makeOptionMandatory())
    .option('-o, --output <file>', 'where to (default: standard output)');
  return addInputOptions(exporting).action(async (files: string[], options: ExportOptions) => {
    const { to, output } = options;
    const report = { by: 'site', explain: 'short', format: to, ...(output !== undefined && { output }) } as const;
    checkReportOptions(report);
    const { census, input } = await readInputs(files, options);
    await writeReport(census, report, input);
  });
}
