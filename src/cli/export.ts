import { type Command, Option } from 'commander';
import { refuseInput } from '../host/output-file.ts';
import { REPORT_FORMATS } from '../report/writers.ts';
import { newCommand } from './command.ts';
import { addInputOptions, type InputOptions, readFiles, tellUnreadable } from './read.ts';
import { checkReportOptions, printReport } from './report-options.ts';

const EXPORT_FORMATS = REPORT_FORMATS.filter((format) => format !== 'text');

interface ExportOptions extends InputOptions {
  readonly to: string;
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
    const report = { format: to, ...(output !== undefined && { output }) };
    checkReportOptions(report);
    refuseInput(output, files);
    const input = await readFiles(files, options);
    await printReport(input.census, report, input);
    tellUnreadable(input);
  });
}
