import { existsSync, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Census } from '../census/census.ts';
import { checkWritable, toFile } from '../host/output-file.ts';
import type { CallersReport } from '../report/callers/build.ts';
import { version } from '../version.ts';
import { callersReport } from './callers-report.ts';
import { newCommand } from './command.ts';
import { toStdout } from './stdout.ts';
import { outputWidth } from './terminal.ts';
import { count } from './values.ts';

interface CallersOptions {
  readonly kernel?: string;
  readonly modules: string;
  readonly depth: number;
  readonly format: string;
  readonly output?: string;
  readonly top: number;
}

const FORMATS = ['text', 'json', 'csv', 'dot'];
const DEFAULT_TOP = 60;

/** `whocalls callers FUNCTION…` */
export function command(): Command {
  return newCommand('callers')
    .description(
      'Show who could call a kernel function, from the kernel image: every direct call and tail jump,\n' +
        'and where its address is kept. Nothing is run.',
    )
    .argument(
      '<words...>',
      "functions as 'whocalls record' takes them (vfs_write, 'ext4_*', @rbtree-insert), and recordings: with these, " +
        'show which call sites they used; without functions, of their own targets',
    )
    .option(
      '--kernel <which>',
      "the kernel: a file (vmlinuz, vmlinux), or one of the lab's (6.12); default: the running one",
    )
    .option(
      '--modules <which>',
      "modules to look at: 'loaded' (of the lab's kernels: those it loads), 'all', 'none', or a folder",
      'loaded',
    )
    .option('--depth <n>', 'levels of callers, as a tree', count(1, 12), 1)
    .addOption(new Option('--format <format>', 'what to write').choices(FORMATS).default('text'))
    .option('-o, --output <file>', 'write to this file')
    .option('--top <n>', 'list n calling functions for each one asked for, 0 for all (text)', count(), DEFAULT_TOP)
    .action(async (words: string[], options: CallersOptions) => {
      if (options.output !== undefined && options.output !== '-') checkWritable(options.output);
      const text = await written(await reportOn(words, options), options);
      if (options.output !== undefined && options.output !== '-') await toFile(options.output, text);
      else await toStdout(text);
    });
}

async function reportOn(words: readonly string[], options: CallersOptions): Promise<CallersReport> {
  const files = words.filter(isRecording);
  const functions = words.filter((word) => !isRecording(word));
  const census = files.length > 0 ? await mergedCensus(files) : null;
  const { report } = await callersReport({ functions, census, ...options });
  return report;
}

/** Something that is there as a file is a recording: functions are no files. */
function isRecording(word: string): boolean {
  return word === '-' || (existsSync(word) && statSync(word).isFile());
}

async function mergedCensus(files: readonly string[]): Promise<Census> {
  const { readInputs } = await import('../report/read-inputs.ts');
  const { census } = await readInputs(files);
  return census;
}

async function written(report: CallersReport, { format, top }: CallersOptions): Promise<string> {
  if (format === 'text') {
    const { callersText } = await import('../report/callers/text.ts');
    return callersText(report, { width: outputWidth(), top });
  }
  const { callersCsv, callersDot, callersJson } = await import('../report/callers/data.ts');
  if (format === 'json') return callersJson(report, version());
  return format === 'csv' ? callersCsv(report) : callersDot(report);
}
