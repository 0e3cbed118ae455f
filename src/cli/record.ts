import { styleText } from 'node:util';
import { type Command, Option } from 'commander';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { KEY_PART_NAMES } from '../capture/bpf/key-parts.ts';
import { DEFAULTS } from '../capture/defaults.ts';
import { ENGINE_NAMES, type EngineName } from '../capture/engines/engines.ts';
import type { Recording, RecordPlan } from '../capture/record.ts';
import { parseKeys, withGrouping } from '../capture/targets/arguments.ts';
import type { Census } from '../census/census.ts';
import { groupCensus } from '../census/group.ts';
import { coarsenTimes, foldIntoPhases } from '../census/phases.ts';
import { UsageError } from '../errors.ts';
import { noteMissingArgument } from '../report/argument-note.ts';
import { noteLabFiles } from '../report/lab-files-note.ts';
import { buildReport } from '../report/report.ts';
import { writeReport } from '../report/writers.ts';
import { newCommand } from './command.ts';
import { ownArguments } from './own-arguments.ts';
import {
  addReportOptions,
  checkReportOptions,
  keepsCensus,
  type OutputOptions,
  PREPARATIONS,
  printReport,
  printsText,
} from './report-options.ts';
import { hasColour, isTerminal, outputWidth, ProgressLine } from './terminal.ts';
import { count, list, port, ranges, seconds, words } from './values.ts';
import { addWatchOptions, type WatchOptions, type WorkloadWatch, watchWorkload } from './workload-watch.ts';

/** Room for keys that differ by time as well: a few hundred a bucket, for a minute or two. */
const KEYS_WITH_TIME = 524_288;

const EXAMPLES = `
Examples:
  whocalls submit_bio --only-command -- dd if=/dev/zero of=file bs=1M count=64
  whocalls schedule --by cpu --duration 5                 the whole system, five seconds
  whocalls tcp_sendmsg --keys comm,arg3 --by argument -- ./client     by size
  whocalls vfs_read -o run.pb.gz -- ls                    keep it; whocalls read run.pb.gz --by entry
  whocalls libc:malloc --only-command -- ls               a function of a library
  whocalls lab @rbtree-insert -- make -j2                 without root, in a virtual machine

The report follows COMMAND's output on standard output. -o FILE keeps the counts for later (.pb.gz) or
writes the report there (.txt); with any ending but .txt the text report is printed as well.`;

const SITES_PER_INTERVAL = 4;
/** So many take a second and more to disarm. */
const MANY_TARGETS = 12;
/** Entries of a map. */
const MOST_ENTRIES = 16_777_216;
/** More than any kernel is built for (CONFIG_NR_CPUS). */
const MOST_CPUS = 65_536;

/** Options of recording, as commander names them. */
interface RecordOptions extends OutputOptions, WatchOptions {
  readonly duration?: number;
  readonly interval?: number;
  readonly engine?: EngineName;
  readonly keys?: string;
  readonly onlyCommand?: boolean;
  readonly pid?: readonly number[];
  readonly comm?: readonly string[];
  readonly cpu?: readonly number[];
  readonly cgroup?: string;
  readonly user?: string;
  readonly userStacks?: boolean;
  readonly excludeSelf: boolean;
  readonly walk: boolean;
  readonly debug?: boolean;
  readonly maxStacks: number;
  readonly maxKeys: number;
  readonly timeBuckets?: number;
  /** Afterwards, show the page. */
  readonly view?: boolean;
  readonly open: boolean;
  readonly port: number;
}

/** `whocalls [record] TARGET… [options] -- COMMAND…`; the first TARGET may be meant to be one of these commands. */
export function command(commands: readonly string[] = []): Command {
  const record = newCommand('record')
    .description(
      'Counts every call of kernel functions while COMMAND runs, splits the count by call path and says who called.\n' +
        'Needs root. Nothing is built or installed, and nothing stays armed behind.',
    )
    .usage('TARGET[,TARGET…] [options] -- COMMAND…')
    .argument(
      '[TARGET...]',
      "kernel functions: NAME, 'PATTERN*', /REGEX/, MODULE:NAME; system calls: 'openat(2)'; " +
        'tracepoints: CATEGORY:EVENT; functions of programs: LIBRARY:NAME, FILE:NAME; sets: @SET',
    );
  addRecordOptions(addReportOptions(record)).addHelpText('after', EXAMPLES);
  return record.action(async (args: string[], options: RecordOptions) => {
    const { targets, workload } = split(args);
    const watch = watchWorkload(workload, options, options.timeBuckets || undefined);
    const timed = watch && {
      timeBuckets: watch.bucketMilliseconds,
      maxKeys: Math.max(options.maxKeys, KEYS_WITH_TIME),
    };
    const plan = planOf(args, options, timed ?? {});
    const { record: run } = await import('../capture/record.ts');
    const progress = new ProgressLine();
    let counting = progress;
    let elapsed = 0;
    // Where COMMAND prints to the terminal, a line there would get in its way.
    const isQuiet = options.interval === undefined && (workload.length === 0 || !isTerminal('stdout'));
    const recording = await run({
      ...plan,
      idle: PREPARATIONS,
      onArming: (name, number, targets) => progress.show(`arming ${number} of ${targets}: ${name}`),
      onStarted: (startedAt) => {
        progress.done();
        if (workload.length === 0) sayThatItCounts(options);
        counting = new ProgressLine();
        watch?.begin(startedAt);
      },
      ...(isQuiet &&
        isTerminal('stderr') && {
          onSecond: (calls: number | null) => counting.show(countingText(++elapsed, plan, calls)),
        }),
      ...(watch && { onOutput: (chunk: Buffer) => watch.read(chunk) }),
    })
      .catch(async (error) => {
        const { whatWasMeant } = await import('./target-hints.ts');
        throw whatWasMeant(error, targets, workload.length > 0, commands);
      })
      .finally(() => {
        progress.done();
        counting.done();
      });
    let census: Census;
    try {
      census = await tell(recording, watch, options);
      process.exitCode = recording.status;
    } finally {
      // After the report, for which nobody should wait.
      if (recording.census.targets.length >= MANY_TARGETS) progress.show('disarming …');
      recording.close();
      progress.done();
    }
    if (options.view) await viewCensus(census, options);
  });
}

/** The census as a page, in the browser, until Ctrl-C. */
async function viewCensus(census: Census, options: RecordOptions): Promise<void> {
  const { showPage } = await import('./page-server.ts');
  const page = await writeReport(buildReport(census, { ...options, top: 0 }), 'html');
  await showPage(page.toString(), options);
}

/** Somebody who waits at a terminal should know for what. */
function sayThatItCounts({ duration, pid }: RecordOptions): void {
  if (!process.stderr.isTTY) return;
  const until = pid ? `until ${pid.length === 1 ? `process ${pid[0]} ends` : 'these processes end'}` : '';
  const end = duration === undefined ? until : `for ${duration} s`;
  process.stderr.write(`counting${end === '' ? '' : ` ${end}`} (Ctrl-C stops and reports)\n`);
}

/** What a counting run has come to. */
function countingText(elapsed: number, { filter }: RecordPlan, calls: number | null): string {
  const isFiltered = Object.entries(filter ?? {}).some(
    ([name, value]) => name !== 'includeSelf' && value !== undefined,
  );
  const known = calls === null ? '' : `, ${calls} calls${isFiltered ? ' before filters' : ''}`;
  return `counting: ${elapsed} s${known} (Ctrl-C stops and reports)`;
}

/** Reports; the census as it was reported. */
async function tell(recording: Recording, watch: WorkloadWatch | null, options: RecordOptions): Promise<Census> {
  const { census: counted, walks, remarks } = recording;
  for (const remark of remarks) process.stderr.write(`whocalls: ${remark}\n`);
  if (walks && options.debug) {
    const { walked, checked, differed, refusal } = walks;
    if (refusal !== undefined) process.stderr.write(`${refusal}\n`);
    process.stderr.write(`stacks recognised by walking: ${walked}, of ${checked} checked ${differed} differed\n`);
  }
  const facts = watch?.finish();
  if (facts) counted.facts.workloads.push(facts);
  if (isInLab() && !options.where?.includes('p9_')) noteLabFiles(counted);
  noteMissingArgument(counted, options.by, parseKeys(options.keys ?? 'comm').argument !== undefined);
  // Time buckets that are as fine as they are to find the phases have done their work.
  const census = watch && options.timeBuckets === undefined ? coarsenTimes(counted) : timesAsAsked(counted, options);
  if (recording.census.facts.commands.length > 0 && printsText(options)) process.stdout.write(separator());
  await printReport(census, options, null);
  // A census kept in a file is for later; what happened is still to be told now.
  if (keepsCensus(options)) await printReport(census, { ...options, output: '-', format: 'text' }, null);
  return census;
}

/** `--time-buckets 0` keeps none; where phases are found, only these. */
function timesAsAsked(counted: Census, { timeBuckets }: RecordOptions): Census {
  return timeBuckets === 0 ? foldIntoPhases(counted) : counted;
}

/** Whether this is the guest of a lab. */
function isInLab(): boolean {
  return process.env.WHOCALLS_LAB !== undefined;
}

/** Between what COMMAND printed and the report. */
function separator(): string {
  if (!isTerminal('stdout')) return '\n';
  const rule = '─'.repeat(outputWidth());
  return `\n${hasColour() ? styleText('dim', rule, { validateStream: false }) : rule}\n`;
}

/** Adds what recording takes besides the options of reports. */
function addRecordOptions(command: Command): Command {
  return addWatchOptions(command)
    .option('-d, --duration <seconds>', 'stop after this time; also 500ms, 5s, 2m, 1h', seconds)
    .option('-a, --all-cpus', 'count on all CPUs, whoever calls (the default)')
    .addOption(new Option('--engine <name>', 'use only this engine').choices(ENGINE_NAMES))
    .option(
      '--keys <list>',
      `record these keys of each call: ${KEY_PART_NAMES.join(', ')}, argN (the value of argument N, from 1), argN:sym (the ` +
        'name of the function at that address), or none. A list replaces the default: --keys comm,arg3 --by argument ' +
        '(default: comm)',
    )
    .option('--only-command', 'only calls on behalf of COMMAND and the processes it starts')
    .option(
      '-p, --pid <list>',
      'only calls on behalf of these processes; without COMMAND until they end',
      list(count()),
    )
    .option('--comm <list>', 'only calls on behalf of tasks of these names (a comma in one is \\x2c)', words)
    .option('-C, --cpu <list>', 'only calls on these CPUs (0,2-3)', ranges(MOST_CPUS))
    .option('--cgroup <directory>', 'only calls on behalf of tasks in this cgroup')
    .option('--user <name>', 'run COMMAND as this user')
    .option('--user-stacks', 'also record the user-space stack')
    .option('--no-exclude-self', 'count calls made by whocalls itself, too')
    .option('--no-walk', "always use the kernel's unwinder, even for known stacks (slower)")
    .option(
      '--time-buckets <ms>',
      'record when calls happened in steps of this many milliseconds, which is also the precision of phases; 0: not at ' +
        'all (default: steps of a second, wider ones in a long run)',
      count(0),
    )
    .option('--max-stacks <n>', 'maximum number of distinct stacks', count(1, MOST_ENTRIES), DEFAULTS.maxStacks)
    .option(
      '--max-keys <n>',
      'maximum number of distinct combinations of stack and keys',
      count(1, MOST_ENTRIES),
      DEFAULTS.maxKeys,
    )
    .option(
      '--interval <seconds>',
      'print interim counts to stderr this often (each reading loses a few calls)',
      seconds,
    )
    .option('--view', 'then look at it in the browser, until Ctrl-C (see whocalls view)')
    .option('--no-open', 'with --view: do not start a browser')
    .option('--port <n>', 'with --view: serve on this port (default: any that is free)', port, 0);
}

function split(args: readonly string[]): { targets: readonly string[]; workload: readonly string[] } {
  const targets = ownArguments(args);
  return { targets, workload: args.slice(targets.length + 1) };
}

/**
 * What to record, by the arguments and options as commander gives them.
 *
 * @param timed what takes the place of options where COMMAND's output is read for phases
 * @throws {UsageError} they do not go together
 */
export function planOf(
  args: readonly string[],
  options: RecordOptions,
  timed: Partial<Pick<RecordOptions, 'maxKeys' | 'timeBuckets'>> = {},
): RecordPlan {
  const { targets, workload } = split(args);
  const { timeBuckets, phaseRegex, phases } = options;
  checkReportOptions(options);
  if (targets.length === 0)
    throw new UsageError("name a function to count: whocalls record NAME -- COMMAND (see 'whocalls record -h')");
  if (options.onlyCommand && workload.length === 0) throw new UsageError('--only-command needs a COMMAND after --');
  if (options.user !== undefined && workload.length === 0) throw new UsageError('--user needs a COMMAND after --');
  if (options.view && isInLab())
    throw new UsageError(
      '--view has no browser in the virtual machine: keep the census with -o run.pb.gz, then whocalls view run.pb.gz',
    );
  const { by, interval } = options;
  const isTelling = targets.some((word) => word.startsWith('@') || word.includes('__rb_insert_augmented'));
  if (by === 'argument' && !parseKeys(options.keys ?? 'comm').argument && !isTelling)
    throw new UsageError('--by argument needs an argument to be recorded: --keys comm,argN (N counts from 1)');
  return {
    targets,
    command: workload,
    // What the report groups by has to be a key.
    keys: withGrouping(parseKeys(options.keys ?? 'comm'), by),
    filter: {
      pids: options.pid,
      comms: options.comm,
      cpus: options.cpu,
      cgroup: options.cgroup,
      onlyCommand: options.onlyCommand,
      includeSelf: !options.excludeSelf,
    },
    walk: options.walk,
    userStacks: options.userStacks ?? false,
    maxStacks: options.maxStacks,
    maxKeys: timed.maxKeys ?? options.maxKeys,
    durationSeconds: options.duration,
    interval: interval === undefined ? undefined : { seconds: interval, onInterval: intervalPrinter() },
    engine: options.engine,
    bucketMilliseconds: timed.timeBuckets ?? (timeBuckets || undefined),
    coarseTimes: timeBuckets === undefined,
    needsTimes: (timeBuckets ?? 0) > 0 || phaseRegex !== undefined || phases === 'on',
    user: options.user,
  };
}

/** Prints one line per interval: what came since the last one, and the busiest sites of it. */
function intervalPrinter(): (soFar: Census) => void {
  let before = new Map<string, number>();
  return (soFar) => {
    const { groups } = groupCensus(soFar, { by: 'site', knowledge: kernelKnowledge() });
    const now = new Map<string, number>();
    for (const { label, count } of groups) now.set(label, (now.get(label) ?? 0) + count);
    const since = [...now].map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)]);
    const sum = since.reduce((total, [, count]) => total + count, 0);
    const busiest = since.filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
    const sites = busiest.slice(0, SITES_PER_INTERVAL).map(([name, count]) => `${name} ${count}`);
    process.stderr.write(`+${sum} calls (${soFar.attributed} so far): ${sites.join(', ') || 'none'}\n`);
    before = now;
  };
}
