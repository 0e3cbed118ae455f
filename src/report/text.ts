import { styleText } from 'node:util';
import { nounOf } from '../atlas/subjects/called-things.ts';
import type { EntryTally, Group, Tally } from '../census/group.ts';
import { callsPerPhase } from '../census/phases.ts';
import { columns, cut, pad, printable, wrap } from '../text/columns.ts';
import { counted, some } from '../text/lists.ts';
import { percent, roundPercent } from '../text/percent.ts';
import { headline } from '../workload/benchmarks/registry.ts';
import { callersText } from './callers/text.ts';
import { commandLine } from './command-line.ts';
import { fileLines, inputRemarks } from './input-text.ts';
import { lossText, noteText, warningText } from './messages.ts';
import { type Report, type ReportGroup, type ReportInput, workloadOf } from './report.ts';

/** How a text report is laid out. */
export interface TextLayout {
  /** Columns of the terminal; the report uses 80 to 200 of them. */
  readonly width: number;
  readonly colour: boolean;
  /** Also whole paths, peeled frames, remarks of the readers, every process and entry. */
  readonly verbose: boolean;
  /** Of CSV: names that a spreadsheet would take for formulas are marked as text. */
  readonly csvSafe?: boolean;
}

/** Cells of a bar that stands for all calls. */
const FULL_BAR = 20;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** The report for people: what was counted, what is missing, then the groups, largest first. Ends with a newline. */
export function textReport(report: Report, layout: TextLayout): string {
  const width = Math.min(Math.max(layout.width, 80), 200);
  const text = `${new TextWriter(report, { ...layout, width }).write().join('\n')}\n`;
  const { coverage } = report;
  return coverage ? `${text}\nCall sites\n\n${callersText(coverage, { width, top: MOST_SITES })}` : text;
}

/** Call sites that are listed of each target. */
const MOST_SITES = 30;

class TextWriter {
  readonly #report: Report;
  readonly #layout: TextLayout;
  readonly #lines: string[] = [];

  constructor(report: Report, layout: TextLayout) {
    this.#report = report;
    this.#layout = layout;
  }

  write(): string[] {
    this.#lossWarning();
    this.#head();
    this.#line('');
    this.#totals();
    this.#groups();
    this.#foot();
    return this.#lines;
  }

  /** Losses come first: figures that are not complete must not look as if they were. */
  #lossWarning(): void {
    const { census } = this.#report;
    if (census.lost > 0) {
      const share = percent(census.lost / census.total);
      this.#line(`! ${census.lost} of ${census.total} calls (${share}) are not attributed`, 'bold');
    }
    for (const warning of census.facts.warnings) this.#wrap(`! ${warningText(warning)}`, '', '    ', 'bold');
  }

  #head(): void {
    const { census } = this.#report;
    const { facts } = census;
    const targets = some(census.targets) || 'calls';
    const kernel = facts.kernels.length === 0 ? '' : `Linux ${facts.kernels.join(', ')}`;
    const cpus = facts.cpus === null ? '' : `${facts.cpus} CPU${facts.cpus === 1 ? '' : 's'}`;
    const machine = [kernel, cpus].filter((part) => part !== '').join(', ');
    const command = facts.commands.map(commandLine).join('; ');
    const workload = workloadOf(census);
    const rows = [
      [targets, machine],
      [command, workload === null ? '' : headline(workload)],
    ].filter((row) => row.some((part) => part !== ''));
    const left = most(rows, ([part = '']) => columns(part));
    const isWide = rows.every(([, right = '']) => left + 4 + columns(right) <= this.#layout.width);
    for (const [i, [part = '', right = '']] of rows.entries()) {
      const style = i === 0 ? 'bold' : undefined;
      if (isWide && right !== '') this.#styled([pad(part, left + 4), style], [right]);
      else {
        if (part !== '') this.#wrap(part, '', '    ', style);
        if (right !== '') this.#wrap(right, '', '    ');
      }
    }
  }

  #totals(): void {
    const { census, matching, where } = this.#report;
    const { durationSeconds } = census.facts;
    const time = durationSeconds === null ? '' : ` in ${durationSeconds.toFixed(1)} s`;
    const [first, ...others] = census.losses;
    const losses =
      first && others.length === 0
        ? lossText(first)
        : census.losses.map((loss) => `${lossText(loss)} ${loss.count}`).join(', ');
    if (census.total === 0) {
      const names = some(census.targets) || 'The function';
      const verb = census.targets.length > 1 ? 'were' : 'was';
      this.#wrap(`${names} ${verb} not called${time}.`, '', '    ', 'bold');
      if (this.#report.input === null) this.#wrap(NOT_CALLED, '', '    ');
      return;
    }
    const parts = [
      `Total ${counted(census.total, 'call')}${time}`,
      `attributed ${census.attributed} (${percent(census.total === 0 ? 1 : census.attributed / census.total)})`,
      `lost ${census.lost}${losses === '' ? '' : ` (${losses})`}`,
    ];
    this.#wrap(parts.join(' · '), '', '    ');
    for (const note of census.facts.notes) if (note.code === IN_HEAD) this.#wrap(noteText(note), '', '    ', 'bold');
    for (const { phase, calls } of callsPerPhase(census)) {
      const { operations } = phase;
      const each = operations ? `, ${perOperation(calls / operations)} per operation (${operations} operations)` : '';
      this.#wrap(`${phase.name}: ${counted(calls, 'call')}${each}`, '  ', '      ');
    }
    if (where !== '') this.#wrap(`Only ${counted(matching, 'call')} with ${where}`, '', '    ');
    for (const { dimension, values } of this.#report.otherValues) {
      this.#wrap(`${dimension} is one of ${some(values, 8)}`, '    ', '        ');
    }
  }

  #groups(): void {
    const { groups } = this.#report;
    const rankWidth = Math.max(2, String(groups.length).length);
    const countWidth = most(groups, (group) => String(group.count).length, 5);
    const barWidth = most(groups, (group) => Math.ceil(group.share * FULL_BAR), 4);
    const indent = ' '.repeat(rankWidth + 3);
    const fixed = rankWidth + 3 + countWidth + 2 + 7 + 2 + barWidth + 2;
    const room = this.#layout.width - fixed;
    const longest = most(groups, (group) => columns(printable(this.#labelOf(group))), 16);
    const keyWidth = Math.max(20, Math.min(longest, Math.floor(room * 0.6)));
    for (const group of groups) {
      this.#line('');
      const rank = (group.rank === null ? '' : String(group.rank)).padStart(rankWidth);
      const figures = `${rank}   ${String(group.count).padStart(countWidth)}  ${percent(group.share).padStart(7)}`;
      const whole = printable(this.#labelOf(group));
      const key = columns(whole) <= room ? whole : cut(whole, keyWidth);
      const aside = this.#aside(group, fixed + Math.max(columns(key), keyWidth) + 2);
      const gap = aside === '' ? '' : ' '.repeat(Math.max(keyWidth - columns(key), 0) + 2);
      this.#styled([`${figures}  ${bar(group.share, barWidth)}  `], [key, 'bold'], [gap + aside]);
      if (group.rank !== null) this.#details(group, indent);
    }
  }

  /** `dd [166]`, as ps and perf have it, where calls are grouped by process. */
  #labelOf({ label, key, comms }: ReportGroup): string {
    const [comm] = comms;
    return this.#report.by === 'pid' && key !== null && comm ? `${comm.name} [${key}]` : label;
  }

  /** Beside the key: the tree, or else the subsystem; the site where groups are made by something else. */
  #aside(group: ReportGroup, at: number): string {
    const { by } = this.#report;
    if (group.rank === null) return '';
    const object = group.object?.slice(group.object.lastIndexOf('/') + 1) ?? null;
    const subsystem = group.subsystem ?? object;
    const known =
      by === 'tree' || by === 'subject'
        ? subsystem
        : (group.subject?.name ?? (by === 'subsystem' ? object : subsystem));
    const parts = [by === 'site' || by === 'stack' ? '' : siteOf(group), known ?? ''];
    const text = printable(parts.filter((part) => part !== '').join(', '));
    const room = this.#layout.width - at;
    return columns(text) <= room ? text : room < 8 ? '' : cut(text, room);
  }

  #details(group: ReportGroup, indent: string): void {
    const path = group.paths[0]?.path;
    if (path) {
      if (this.#layout.verbose) {
        const frames = path.frames.map(({ name, inlined }) => (inlined ? `${name} (inlined)` : name)).join(' <- ');
        this.#wrap(`path: ${frames} <- ${path.entry.name}`, indent, `${indent}      `);
        const source = sourceOf(group);
        if (source !== '') this.#wrap(`site: ${source}`, indent, `${indent}      `);
      } else {
        const callers = path.frames.slice(path.site + 1).map((frame) => printable(frame.name));
        const room = this.#layout.width - indent.length;
        this.#line(indent + cut(fittingPath(callers, printable(path.entry.name), room), room), 'dim');
      }
    }
    const text = group.explanation?.text ?? '';
    if (text !== '') this.#wrap(text, indent, indent);
    this.#confidence(group, indent);
    this.#program(group, indent);
    const limit = this.#layout.verbose ? Number.POSITIVE_INFINITY : 3;
    const entries = `entries: ${tallies(group.entries, group.count, limit)}`;
    const comms = group.comms.length > 0 ? `processes: ${tallies(allComms(group), group.count, limit)}` : '';
    const oneLine = printable(`${indent}${entries}${comms === '' ? '' : `      ${comms}`}`);
    if (columns(oneLine) <= this.#layout.width) this.#line(oneLine);
    else for (const line of [entries, comms]) if (line !== '') this.#wrap(line, indent, `${indent}    `);
  }

  /** Said only where something is not certain, and of what is said at all. */
  #confidence({ explanation }: ReportGroup, indent: string): void {
    if (!explanation || explanation.text === '') return;
    const { decision, subject, entry } = explanation.confidence;
    const [only, ...others] = explanation.candidates;
    // What else the tree may be is part of the explanation.
    const isTold = explanation.candidates.length > 1 && subject !== 'certain';
    const parts = [
      ...(decision === 'likely' && !isTold ? ['decision likely'] : []),
      ...(subject === 'certain' || !only || others.length > 0 ? [] : [`${nounOf(only.kind)} ${subject}`]),
      ...(entry === 'certain' ? [] : [`entry ${entry}`]),
    ];
    if (parts.length > 0) this.#line(`${indent}confidence: ${parts.join(', ')}`, 'dim');
  }

  /** Where stacks have their user part: what in the program led into the kernel. */
  #program({ programs, count }: Group, indent: string): void {
    const shown = this.#layout.verbose ? programs : programs.slice(0, 1);
    for (const { frames, count: calls } of shown) {
      const share = calls === count ? '' : ` (${roundPercent(calls / count)})`;
      const text = `in the program: ${frames.join(' <- ')}${share}`;
      if (this.#layout.verbose) this.#wrap(text, indent, `${indent}    `);
      else this.#line(indent + cut(printable(text), this.#layout.width - indent.length), 'dim');
    }
    const rest = programs.length - shown.length;
    if (rest > 0) this.#line(`${indent}    and ${rest} other ${rest === 1 ? 'path' : 'paths'} through it`, 'dim');
  }

  #foot(): void {
    const { census, doubted, partial, input } = this.#report;
    const notes = census.facts.notes.filter(
      ({ code }) => code !== IN_HEAD && (this.#layout.verbose || !ROUTINE.has(code)),
    );
    const remarks = notes.map(noteText);
    const unreliable = doubted - partial;
    if (unreliable > 0) remarks.push(noteText({ code: 'unreliable-paths', calls: unreliable }));
    if (partial > 0) remarks.push(noteText({ code: 'partial-stacks', calls: partial }));
    if (input) remarks.push(...inputRemarks(input.files, this.#layout.verbose));
    if (remarks.length > 0) this.#line('');
    for (const remark of remarks) this.#wrap(remark, '', '    ');
    if (input) this.#files(input);
    const { hints } = this.#report;
    if (hints.length > 0) this.#line('');
    for (const { says, command } of hints) {
      this.#wrap(`To see more: ${says}`, '', '    ');
      this.#line(`    ${command}`);
    }
  }

  #files(input: ReportInput): void {
    const lines = fileLines(input, this.#layout);
    if (lines.length > 0) this.#line('');
    for (const line of lines) this.#line(line);
  }

  #wrap(text: string, first: string, following: string, style?: Style): void {
    for (const line of wrap(printable(text), this.#layout.width, first, following)) this.#line(line, style);
  }

  #line(text: string, style?: Style): void {
    this.#styled([text, style]);
  }

  /** A line of parts. Only here do colours come in, after everything was measured and made printable. */
  #styled(...parts: readonly (readonly [text: string, style?: Style])[]): void {
    const colour = (text: string, style?: Style) =>
      style && this.#layout.colour ? styleText(style, text, { validateStream: false }) : text;
    const last = parts.findLastIndex(([text]) => text.trim() !== '');
    const kept = parts.slice(0, last + 1);
    this.#lines.push(
      kept.map(([text, style], i) => colour(printable(i === last ? text.trimEnd() : text), style)).join(''),
    );
  }
}

type Style = 'bold' | 'dim';

/** Blind spots that every recording has: docs/how-it-counts.md tells of them, and so does --verbose. */
const ROUTINE: ReadonlySet<string> = new Set(['blind-inlined', 'blind-nmi', 'blind-bypassed', 'self-left-out']);

/** The note that stands beside the figures, which are of a part of the run only. */
const IN_HEAD = 'interrupted';

/** What to try where a target was not called while it was watched. */
const NOT_CALLED =
  'It may be inlined into its callers, go by another name on this kernel (whocalls targets NAME), or be called only by ' +
  'others: leave out --only-command, --pid and --comm, or watch the whole system with --duration 5.';

/** The site of a group's calls; of several, that of the most. */
function siteOf({ site, paths }: Group): string {
  const sites = new Set(paths.map(({ path }) => path.frames[path.site]?.name));
  const name = site?.name ?? '(no caller)';
  return sites.size > 1 ? `mostly ${name}` : name;
}

/** `enqueue_task_fair, kernel/sched/fair.c`: where to read on, with the line where it was recorded. */
function sourceOf({ site, siteFile }: ReportGroup): string {
  if (!site || siteFile === null) return '';
  return `${site.name}, ${siteFile}${site.line === undefined ? '' : `:${site.line}`}`;
}

/** The processes of a group, those that were not recorded too. */
function allComms({ comms, count }: Group): Tally[] {
  const known = comms.reduce((sum, comm) => sum + comm.count, 0);
  if (known === count) return [...comms];
  return [...comms, { name: '(not recorded)', count: count - known }].sort((a, b) => b.count - a.count);
}

/** The largest value of a list; lists may be too long for Math.max(...). */
function most<T>(list: readonly T[], value: (item: T) => number, least = 0): number {
  return list.reduce((largest, item) => Math.max(largest, value(item)), least);
}

/** `<- ttwu_do_activate <- try_to_wake_up <- … <- timer interrupt`, as many callers as fit. */
function fittingPath(callers: readonly string[], entry: string, width: number): string {
  const end = `<- ${entry}`;
  let text = '';
  for (const [i, caller] of callers.entries()) {
    const next = `${text}<- ${caller} `;
    const isLast = i === callers.length - 1;
    if (columns(next) + (isLast ? 0 : 5) + columns(end) > width) return `${text}<- … ${end}`;
    text = next;
  }
  return text + end;
}

function bar(share: number, width: number): string {
  const eighths = Math.round(share * FULL_BAR * 8);
  const text = '█'.repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? '');
  return text.padEnd(width);
}

/** ` (after timer interrupt 40 %, page fault 2 %)`, of work on the way back to user space. */
function afterwards(after: readonly Tally[], of: number): string {
  if (after.length === 0) return '';
  return ` (after ${tallies(after, of, 2)})`;
}

function tallies(list: readonly (Tally | EntryTally)[], of: number, limit: number): string {
  const shown = list
    .slice(0, limit)
    .map((one) => `${one.name} ${roundPercent(one.count / of)}${'after' in one ? afterwards(one.after, of) : ''}`);
  const rest = list.length - shown.length;
  return shown.join(', ') + (rest > 0 ? `, ${rest} more` : '');
}

/** 0.31, 12.5, 0.0004: three digits that say something. */
function perOperation(value: number): string {
  return value === 0 ? '0' : Number(value.toPrecision(3)).toString();
}
