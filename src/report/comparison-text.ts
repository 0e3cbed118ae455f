import { styleText } from 'node:util';
import { type ChangeRate, type Compared, type Figures, figurePer } from '../census/comparison.ts';
import { columns, cut, pad, printable, wrap } from '../text/columns.ts';
import { counted, listed, some } from '../text/lists.ts';
import { percent } from '../text/percent.ts';
import { commandLine } from './command-line.ts';
import type { ComparedRun, ComparisonReport, ReportedChange } from './comparison.ts';
import { type ColumnRow, ComparisonColumns } from './comparison-columns.ts';
import { figureText, rangeText } from './comparison-figures.ts';
import { inputRemarks } from './input-text.ts';
import { lossText, warningText } from './messages.ts';
import type { TextLayout } from './text.ts';

/** Callers that are told of a group unless everything is asked for, and the share of its calls they have at least. */
const MOST_CALLERS = 3;
const LEAST_SHARE = 0.01;

const UNITS: Readonly<Record<ChangeRate, string>> = { call: 'calls', operation: 'per operation', second: 'per second' };

/** The comparison for people: what is compared, the totals, then the groups, largest change first. Ends with a newline. */
export function comparisonText(report: ComparisonReport, layout: TextLayout): string {
  const writer = new ComparisonWriter(report, { ...layout, width: Math.min(Math.max(layout.width, 80), 200) });
  return `${writer.write().join('\n')}\n`;
}

class ComparisonWriter {
  readonly #report: ComparisonReport;
  readonly #layout: TextLayout;
  readonly #lines: string[] = [];
  readonly #columns: ComparisonColumns;

  constructor(report: ComparisonReport, layout: TextLayout) {
    this.#report = report;
    this.#layout = layout;
    this.#columns = new ComparisonColumns(report, [...this.#rows()]);
  }

  write(): string[] {
    this.#warnings();
    this.#head();
    const { per } = this.#report;
    this.#line(per === 'call' ? this.#columns.head() : `${this.#columns.head()}  ${UNITS[per]}`, 'dim');
    this.#totals();
    this.#groups();
    this.#foot();
    return this.#lines;
  }

  /** What makes the figures doubtful comes first. */
  #warnings(): void {
    const { runs, names, comparison } = this.#report;
    for (const [side, all] of runs.entries()) {
      for (const { census } of all) {
        const { lost, total, losses } = census;
        if (lost > 0) {
          const why = some(losses.map((loss) => `${lossText(loss)} ${loss.count}`));
          const share = percent(lost / total);
          this.#wrap(`! ${names[side]}: ${lost} of ${total} calls (${share}) are not attributed: ${why}`, 'bold');
        }
        for (const warning of census.facts.warnings) this.#wrap(`! ${names[side]}: ${warningText(warning)}`, 'bold');
      }
      const doubted = comparison.sides[side]?.doubted.most ?? 0;
      if (doubted > 0) {
        this.#wrap(`! ${names[side]}: the paths of ${counted(doubted, 'call')} are a guess, or lack functions`, 'bold');
      }
    }
    const targets = runs.map((all) => targetsOf(all).sort().join(', '));
    if (new Set(targets).size > 1) {
      const told = targets.map((list, side) => `${names[side]} ${list || 'unknown'}`);
      this.#wrap(`! Not the same was counted: ${told.join('; ')}`, 'bold');
    }
  }

  #head(): void {
    const { runs, names, where, comparison } = this.#report;
    const targets = [...new Set(runs.flatMap(targetsOf))];
    this.#wrap(some(targets) || 'calls', 'bold');
    const commands = runs.map((all) =>
      [...new Set(all.flatMap(({ census }) => census.facts.commands.map(commandLine)))].join('; '),
    );
    const isSame = new Set(commands).size === 1;
    if (isSame && commands[0]) this.#wrap(commands[0]);
    this.#line('');
    const listed = runs.map((all) => {
      const files = all.flatMap((run) => run.files?.map(({ name }) => printable(name)) ?? []);
      return `${all.length > 1 ? `${counted(all.length, 'run')} ` : ''}${some(files)}`.trim();
    });
    const named = Math.min(widest(listed, 0), Math.floor(this.#layout.width / 2));
    for (const [side, all] of runs.entries()) {
      const { seconds, operations } = comparison.sides[side] ?? {};
      const parts = [
        [...new Set(all.flatMap(({ census }) => census.facts.kernels))].map((kernel) => `Linux ${kernel}`).join(', '),
        [...new Set(all.flatMap(({ census }) => census.facts.cpus ?? []))].map((n) => counted(n, 'CPU')).join(', '),
        seconds ? `${seconds.median.toFixed(1)} s` : '',
        operations ? counted(operations.median, 'operation') : '',
        isSame ? '' : (commands[side] ?? ''),
      ].filter((part) => part !== '');
      const text = [pad(listed[side] ?? '', named), parts.join(', ')].filter((part) => part !== '').join('  ');
      this.#wrap(`${names[side]}  ${text}`, undefined, '', '   ');
    }
    this.#line('');
    if (where !== '') this.#wrap(`Only calls with ${where}`);
  }

  /** Least and most of repeated runs, under their medians. */
  #ranges(row: Compared, per: ChangeRate): void {
    const texts = row.sides.map((figures) => {
      const spread = figurePer(figures, per);
      return spread === null ? '' : rangeText(spread, per);
    });
    if (texts.every((text) => text === '')) return;
    const { names } = this.#report;
    const told = texts.map((text, side) => (text === '' ? '' : `${names[side]} ${text}`)).filter((text) => text !== '');
    this.#line(`${' '.repeat(this.#columns.width + 2)}${told.join(', ')}`, 'dim');
  }

  /** Everything that stands in the columns, with what it is measured in. */
  *#rows(): Generator<ColumnRow> {
    const { comparison, groups, per } = this.#report;
    const row = this.#counted();
    for (const of of ['call', 'operation', 'second'] as const) yield { row, of };
    yield { row: comparison.lost, of: per };
    for (const group of groups) yield { row: group, of: per };
  }

  /** What the groups add up to: all calls, or those that the filter lets through. */
  #counted(): Compared {
    const { comparison, where } = this.#report;
    return where === '' ? comparison.total : comparison.matching;
  }

  #totals(): void {
    const { where, per } = this.#report;
    const all = this.#counted();
    this.#line(`${this.#columns.row(all, 'call')}  ${where === '' ? 'all calls' : 'calls with that'}`, 'bold');
    this.#ranges(all, 'call');
    for (const of of ['operation', 'second'] as const) {
      if (all.sides.every((side) => figurePer(side, of) === null)) continue;
      this.#line(`${this.#columns.row(all, of)}  ${UNITS[of]}`);
      if (of === per) this.#ranges(all, of);
    }
    this.#line('');
  }

  #groups(): void {
    const { groups, comparison, per, where } = this.#report;
    const room = this.#layout.width - this.#columns.width - 2;
    const label = Math.max(
      16,
      Math.min(
        widest(
          groups.map((one) => printable(one.label)),
          16,
        ),
        Math.floor(room * 0.6),
      ),
    );
    const isShown = (group: ReportedChange) => this.#layout.verbose || !group.isSame;
    for (const group of groups.filter(isShown)) {
      const name = cut(printable(group.label), Math.max(label, 8));
      const about = this.#aside(group, room - label - 2);
      this.#styled(
        [`${this.#columns.row(group, per)}  `],
        [name, 'bold'],
        [about === '' ? '' : pad('', label - columns(name) + 2) + about],
      );
      this.#ranges(group, per);
      this.#details(group);
    }
    const hidden = groups.filter((group) => !isShown(group));
    if (hidden.length > 0) this.#hidden(hidden);
    if (where === '' && comparison.lost.sides.some(({ calls }) => calls.most > 0)) {
      this.#line(`${this.#columns.row(comparison.lost, per)}  (lost)`);
    }
  }

  /** One row for groups that did not change, so that the column adds up. */
  #hidden(groups: readonly ReportedChange[]): void {
    const { per, names } = this.#report;
    const sum = (side: number) => groups.reduce((all, { sides }) => all + medianOf(sides[side], per), 0);
    const members = groups.reduce((all, group) => all + group.members, 0);
    const row = this.#columns.unchanged(names.map((_, side) => figureText(sum(side), per)));
    this.#line(`${row}  (${counted(members, 'group')} without a change)`);
  }

  #aside({ subject, subsystem, site, rank }: ReportedChange, room: number): string {
    if (rank === null || room < 8) return '';
    const { by } = this.#report.comparison;
    const parts =
      by === 'site' ? [subject?.name ?? subsystem ?? ''] : [site?.name ?? '', subject?.name ?? subsystem ?? ''];
    return cut(printable(parts.filter((part) => part !== '').join(', ')), room);
  }

  #details(group: ReportedChange): void {
    const indent = '        ';
    const { names } = this.#report;
    if (group.explanation?.text) this.#wrap(group.explanation.text, undefined, indent, indent);
    if (group.inPlaceOf.length > 0) {
      this.#wrap(`perhaps in place of ${listed(group.inPlaceOf)}: gone, and about the same`, undefined, indent, indent);
    }
    const isAll = this.#layout.verbose;
    const told = group.changedCallers.filter(({ calls, side, status }) => {
      const of = group.sides[status === 'new' ? side : 0]?.calls.median ?? 0;
      return isAll || calls >= of * LEAST_SHARE;
    });
    const shown = isAll ? told : told.slice(0, MOST_CALLERS);
    for (const { name, status, side, calls, decision } of shown) {
      const where = names.length > 2 ? ` in ${names[side]}` : '';
      const what = decision === '' ? '' : `: ${decision}`;
      const who = name === '' ? '(no caller)' : name;
      this.#wrap(
        `${status} caller${where}: ${who}, ${counted(calls, 'call')}${what}`,
        undefined,
        indent,
        `${indent}    `,
      );
    }
    const rest = group.changedCallers.length - shown.length;
    if (rest > 0 && shown.length > 0) {
      this.#line(`${indent}and ${counted(rest, 'smaller change')} of callers (--verbose lists them)`, 'dim');
    }
  }

  #foot(): void {
    const { comparison, groups, runs, names } = this.#report;
    this.#line('');
    for (const [i, name] of names.slice(1).entries()) this.#wrap(this.#summary(i, name));
    if (runs.some((all) => all.length > 1)) {
      this.#wrap(
        'Figures of repeated runs are medians, which need not add up; least and most stand below. ~ marks differences ' +
          'within the spread: the runs of one side are not all above, or all below, those of the other.',
      );
    }
    if (comparison.lost.sides.some(({ calls }) => calls.most > 0)) {
      this.#wrap('A group that is new, gone or changed may owe it to the calls that are not attributed.');
    }
    const remarks = runs.flatMap((all) =>
      inputRemarks(
        all.flatMap(({ files }) => files ?? []),
        false,
      ),
    );
    for (const remark of remarks) this.#wrap(remark, undefined, '', '    ');
    if (groups.length === 0) this.#wrap('There are no calls to compare.');
  }

  /** `B against A: 9 new, 6 gone, 20 in both, of which 2 did not change.` */
  #summary(change: number, name: string): string {
    const { comparison, names } = this.#report;
    const counts = comparison.tally[change];
    if (!counts) return '';
    const { both, new: come, gone, same } = counts;
    if (come + gone === 0 && both === same) return `${name} against ${names[0]}: no difference.`;
    return `${name} against ${names[0]}: ${counted(come, 'group')} new, ${gone} gone, ${both} in both, ${same} of them without a change.`;
  }

  #wrap(text: string, style?: Style, first = '', following = '    '): void {
    for (const line of wrap(printable(text), this.#layout.width, first, following)) this.#line(line, style);
  }

  #line(text: string, style?: Style): void {
    this.#styled([text, style]);
  }

  /** A line of parts. Colours come in after everything was measured and made printable. */
  #styled(...parts: readonly (readonly [text: string, style?: Style])[]): void {
    const last = parts.findLastIndex(([text]) => text.trim() !== '');
    this.#lines.push(
      parts
        .slice(0, last + 1)
        .map(([text, style], i) => {
          const shown = printable(i === last ? text.trimEnd() : text);
          return style && this.#layout.colour ? styleText(style, shown, { validateStream: false }) : shown;
        })
        .join(''),
    );
  }
}

type Style = 'bold' | 'dim';

function medianOf(figures: Figures | undefined, per: ChangeRate): number {
  return (figures && figurePer(figures, per)?.median) ?? 0;
}

function targetsOf(runs: readonly ComparedRun[]): string[] {
  return [...new Set(runs.flatMap(({ census }) => census.targets))];
}

function widest(texts: readonly string[], least: number): number {
  return texts.reduce((width, text) => Math.max(width, columns(text)), least);
}
