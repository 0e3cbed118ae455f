import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { CallersOptions as FindOptions } from '../capture/callers.ts';
import { UsageError } from '../errors.ts';
import { checkWritable, toFile } from '../host/output-file.ts';
import type { LabKernel } from '../lab/kernels.ts';
import type { CallersReport } from '../report/callers/build.ts';
import { version } from '../version.ts';
import { newCommand } from './command.ts';
import { toStdout } from './stdout.ts';
import { outputWidth, ProgressLine } from './terminal.ts';
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
    .argument('<functions...>', "functions as 'whocalls record' takes them: vfs_write, 'ext4_*', @rbtree-insert")
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
  const [{ findCallers }, { functionReport }] = await Promise.all([
    import('../capture/callers.ts'),
    import('../report/callers/build.ts'),
  ]);
  const line = new ProgressLine();
  const found = await findCallers(words, {
    ...(await kernelOptions(options)),
    depth: options.depth,
    onProgress: (text) => line.show(text),
  }).finally(() => line.done());
  const { image, finder, functions, modules, otherModules, remarks } = found;
  return {
    lookedAt: {
      release: image.release,
      architecture: image.architecture,
      buildId: image.buildId,
      image: image.path,
      modules,
      otherModules,
      remarks,
    },
    functions: functions.map((one) => functionReport(one, finder, image.release, options.depth)),
  };
}

type KernelOptions = Pick<FindOptions, 'image' | 'modules' | 'only'>;

/** The kernel and the modules that the options name. */
async function kernelOptions({ kernel, modules }: CallersOptions): Promise<KernelOptions> {
  const isFolder = !['loaded', 'all', 'none'].includes(modules);
  if (isFolder && !existsSync(modules)) {
    throw new UsageError(`--modules ${modules}: it must be loaded, all, none, or a folder`);
  }
  const chosen: Pick<FindOptions, 'modules' | 'only'> = isFolder ? { modules } : modules === 'none' ? { only: [] } : {};
  if (kernel === undefined) {
    if (modules !== 'loaded') return chosen;
    const { loadedModules } = await import('../image/module-files.ts');
    return { only: loadedModules() };
  }
  if (kernel.includes('/')) return { image: kernel, ...chosen };
  const { findKernel } = await import('../lab/kernels.ts');
  const { bootImage } = await import('../lab/initramfs.ts');
  const found = findKernel(kernel);
  const own = isFolder || found.modules === undefined ? {} : { modules: found.modules };
  const loaded = modules === 'loaded' ? { only: await guestModuleNames(found) } : {};
  return { image: await bootImage(found), ...own, ...loaded, ...chosen };
}

async function guestModuleNames(kernel: LabKernel): Promise<string[]> {
  if (kernel.modules === undefined) return [];
  const { modulesInOrder, readModuleTree } = await import('../lab/modules.ts');
  const { guestModules } = await import('../lab/guest.ts');
  return (await modulesInOrder(readModuleTree(kernel.modules), guestModules('bfq'))).map(({ name }) => name);
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
