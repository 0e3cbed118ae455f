// How kernel logs from elsewhere are read: `npm run bench:public -- DIR`, a folder of logs, one report or more in each.
// Events are counted a second time, by a plain scan for headlines and headings that shares nothing with the reader, and
// compared with the totals file by file. `--list` names the files that differ.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelKnowledge } from '../src/atlas/knowledge.ts';
import { atlasLabeller } from '../src/atlas/labeller.ts';
import { Classifier } from '../src/census/classify.ts';
import { UserError } from '../src/errors.ts';
import { type ReadResult, readFile } from '../src/formats/read-file.ts';

const words = process.argv.slice(2);
const isListing = words.includes('--list');
const folder = words.find((word) => !word.startsWith('--'));
if (folder === undefined) {
  process.stderr.write('usage: npm run bench:public -- [--list] DIR\n');
  process.exit(2);
}

/** A frame in any log: a function with its offset, or with a place in the source. */
const FRAME = /[A-Za-z_][\w.]*\+0x[0-9a-f]+\/0x[0-9a-f]+|\[inline\]|\([\w./-]+\.[chS]:\d+/;
/** Function and offset at the beginning of what a line says, which is a frame and no remark. */
const FRAME_LINE =
  /^(?:\[[^\]]*\])*\s+(?:\[<[0-9a-f]+>\]\s*)?(?:\? )?[A-Za-z_][\w.]*\+0x[0-9a-f]+\/0x[0-9a-f]+(?:\s|$)/;
const TRACE = /(?:^|[\s\]])(?:Call [Tt]race|Backtrace): ?(?:frame pointer underflow)?$/;
const KCSAN_ACCESS =
  /(?:read|write)(?: \([\w, -]+\))? to 0x[0-9a-f]+ of \d+ bytes by (?:task \d+|interrupt) on cpu \d+:$/;
const KFENCE_ACCESS =
  /(?:(?:Out-of-bounds|Use-after-free|Invalid) (?:read|write)|Invalid free|Corrupted memory) (?:at|of) 0x[0-9a-f]+.*:$/;
const KMEMLEAK = /^(?:\[[^\]]*\])*\s*backtrace(?: \(crc [0-9a-f]+\))?:$/;
const ARM_FRAME = /\([a-z_]\w*[^)]*\) from \[<|\s[a-z_]\w+ from [a-z_]\w+\+0x/;
/** Registers and memory that arm32 prints between frames. */
const ARM_NOISE = /\br\d+:[0-9a-f]{8}|Exception stack|[0-9a-f]{4}: +[0-9a-f]|^(?:\[[^\]]*\])*\s*$/;

/** How many stacks of events a log tells, as far as a scan for headings can say. */
function eventsTold(text: string): number {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, '').trimEnd());
  // A log may begin in the middle of a trace.
  const first = lines.findIndex((line) => FRAME_LINE.test(line));
  const headline = lines.findIndex(
    (line) => TRACE.test(line) || /BUG: |INFO: |WARNING: |Kernel panic|CPU: /.test(line),
  );
  let events = first >= 0 && (headline < 0 || first < headline) ? 1 : 0;
  let isInKfence = false;
  lines.forEach((line, i) => {
    const next = lines[i + 1] ?? '';
    if (/={20}|(?:BUG|WARNING|INFO): (?!KFENCE)|Kernel panic/.test(line)) isInKfence = false;
    if (/BUG: KFENCE: /.test(line)) isInKfence = true;
    else if (/BUG: KMSAN: /.test(line) && FRAME_LINE.test(next)) events += 1;
    else if (KCSAN_ACCESS.test(line) || KFENCE_ACCESS.test(line) || KMEMLEAK.test(line)) events += 1;
    else if (TRACE.test(line)) events += isInKfence ? 0 : 1;
    else if (ARM_FRAME.test(line)) {
      // Before 5.19 without frame pointers there is no heading.
      const before = lines.slice(0, i).findLast((other) => !ARM_NOISE.test(other)) ?? '';
      if (!ARM_FRAME.test(before) && !TRACE.test(before)) events += 1;
    } else if (/status: [0-9a-f]+ badaddr: /.test(line) && !TRACE.test(next) && FRAME.test(next)) events += 1;
  });
  return events;
}

/** Functions that print reports of the kernel, by their names alone. */
const REPORTER =
  /^(?:v?panic|nmi_panic|check_panic_on_warn|die|__warn\w*|warn_slowpath\w*|report_bug|\w*_backtrace|dump_stack\w*|show_stack|dump_backtrace|sched_show_task|k[am]san_report\w*|__kasan_report|print_(?:report|address_description|circular_bug|usage_bug|deadlock_bug)|end_report|ubsan_epilogue|__ubsan_\w+|__asan_\w+|__msan_\w+|__tsan_\w+|check_memory_region|kasan_check_\w+|(?:__)?lock_acquire|(?:__)?lock_release|mark_lock|validate_chain|check_noncircular|refcount_warn_saturate|__list_(?:add|del)\w*_valid\w*|debug_print_object|usercopy_abort|fortify_panic|spin_bug|nmi_\w+|rcu_check_callbacks|rcu_sched_clock_irq|lockdep_rcu_suspicious|_*might_sleep|__might_resched|__schedule_bug|check_preemption_disabled|should_fail\w*|slab_err|object_err|walk_stackframe|rcu_dump_cpu_stacks|print_cpu_stall|check_cpu_stall|bug_handler|kfence_\w+|\w*_lockdep|watchdog_timer_fn|warn_alloc|dump_header|bad_page|spin_dump)$/;

/** Functions that add a node to a red-black tree. */
const INSERT = /rb_?(?:tree_)?(?:insert|add)|_rb_(?:insert|link)|insert/;

interface Figures {
  files: number;
  withStack: number;
  unread: string[];
  equal: number;
  different: string[];
  events: number;
  total: number;
  attributed: number;
  /** The same, of files with a stack of an event. */
  ofStacks: { total: number; attributed: number };
  doubted: number;
  reporters: string[];
  trees: string[];
  withoutProcess: number;
  losses: Map<string, number>;
  sites: Map<string, number>;
  reports: Map<string, number>;
}

const figures: Figures = {
  files: 0,
  withStack: 0,
  unread: [],
  equal: 0,
  different: [],
  events: 0,
  total: 0,
  attributed: 0,
  ofStacks: { total: 0, attributed: 0 },
  doubted: 0,
  reporters: [],
  trees: [],
  withoutProcess: 0,
  losses: new Map(),
  sites: new Map(),
  reports: new Map(),
};

const add = (map: Map<string, number>, key: string, count: number) => map.set(key, (map.get(key) ?? 0) + count);

function tally(name: string, { census }: ReadResult, hasStack: boolean): void {
  figures.total += census.total;
  figures.attributed += census.attributed;
  if (hasStack) {
    figures.ofStacks.total += census.total;
    figures.ofStacks.attributed += census.attributed;
  }
  for (const { code, count } of census.losses) add(figures.losses, code, count);
  const classifier = new Classifier(census, kernelKnowledge(), atlasLabeller);
  for (const row of census.rows) {
    const key = classifier.keyOf(row.key);
    const { path, labels, site } = classifier.classify(row);
    const siteName = site?.name ?? '(none)';
    add(figures.sites, siteName, row.count);
    add(figures.reports, key.report || '(none)', row.count);
    if (path.isDoubted) figures.doubted += row.count;
    if (key.comm === '' && key.pid < 0) figures.withoutProcess += row.count;
    if (REPORTER.test(siteName)) figures.reporters.push(`${name}: ${siteName}`);
    if (labels.subject?.kind === 'rbtree' && !path.frames.some((frame) => INSERT.test(frame.name))) {
      figures.trees.push(`${name}: ${labels.subject.name} of ${path.frames.map((frame) => frame.name).join(' <- ')}`);
    }
  }
}

for (const name of readdirSync(folder).sort()) {
  const text = readFileSync(join(folder, name), 'latin1');
  const told = eventsTold(text);
  const hasStack = told > 0 && FRAME.test(text);
  figures.files += 1;
  if (hasStack) figures.withStack += 1;
  let total = 0;
  try {
    const result = await readFile(join(folder, name), { knowledge: kernelKnowledge() });
    total = result.census.total;
    tally(name, result, hasStack);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (hasStack) figures.unread.push(`${name}: ${error.message}`);
  }
  if (!hasStack) continue;
  figures.events += told;
  if (told === total) figures.equal += 1;
  else figures.different.push(`${name}: ${total} calls, ${told} events told`);
}

const percent = (part: number, whole: number) => `${((100 * part) / Math.max(whole, 1)).toFixed(1)} %`;
const largest = (map: Map<string, number>, count: number) =>
  [...map]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
const { files, withStack, unread, equal, different, events, total, attributed, reporters, trees } = figures;
process.stdout.write(
  [
    `${files} files, ${withStack} with a stack of an event; ${unread.length} of these not read`,
    `total equals the events told: ${equal} of ${withStack} files (${percent(equal, withStack)}); ${events} events told`,
    `calls: ${total}, attributed ${attributed} (${percent(attributed, total)}), doubted ${figures.doubted}, losses: ${largest(figures.losses, 9) || 'none'}`,
    `calls of files with a stack: ${figures.ofStacks.total}, attributed ${percent(figures.ofStacks.attributed, figures.ofStacks.total)}`,
    `trees without an insert on the path: ${trees.length}`,
    `the reporter as site: ${reporters.length} (${percent(reporters.length, attributed)})`,
    `without a process: ${figures.withoutProcess} (${percent(figures.withoutProcess, attributed)})`,
    `reports: ${largest(figures.reports, 60)}`,
    `sites: ${largest(figures.sites, 30)}`,
    '',
  ].join('\n'),
);
if (isListing) for (const list of [unread, different, reporters, trees]) process.stdout.write(`\n${list.join('\n')}\n`);
