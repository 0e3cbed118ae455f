import { type ChangeRate, type Compared, differencePer, figurePer } from '../census/comparison.ts';
import { columns } from '../text/columns.ts';
import type { ComparisonReport } from './comparison.ts';
import { figureText, relativeText, signedText } from './comparison-figures.ts';

/** Something with figures on every side, and what they are measured by. */
export interface ColumnRow {
  readonly row: Compared;
  readonly of: ChangeRate;
}

/** What stands in the columns of one side but the base. */
interface OtherCells {
  readonly difference: string;
  readonly share: string;
  readonly figure: string;
}

const LEAST = 7;
const GAP = '  ';

/** The columns of figures: the base, then change, share and figure of every other side, as the kernel's test robot has it. */
export class ComparisonColumns {
  /** Columns they take. */
  readonly width: number;
  readonly #names: readonly string[];
  readonly #base: number;
  readonly #others: readonly { readonly difference: number; readonly share: number; readonly figure: number }[];

  constructor({ names }: ComparisonReport, rows: readonly ColumnRow[]) {
    this.#names = names;
    this.#base = widest(rows.map(({ row, of }) => figure(row, 0, of)));
    this.#others = names.slice(1).map((_, i) => {
      const cells = rows.map(({ row, of }) => otherCells(row, i, of));
      return {
        difference: widest(cells.map((one) => one.difference)),
        share: widest(cells.map((one) => one.share)),
        figure: widest(cells.map((one) => one.figure)),
      };
    });
    this.width = columns(this.head());
  }

  head(): string {
    const [base = '', ...others] = this.#names;
    return this.#line(
      base,
      others.map((name) => ({ difference: 'change', share: '', figure: name })),
    );
  }

  row(row: Compared, of: ChangeRate): string {
    return this.#line(
      figure(row, 0, of),
      this.#others.map((_, i) => otherCells(row, i, of)),
    );
  }

  /** A row of figures of which none differs from the base. */
  unchanged([base = '', ...others]: readonly string[]): string {
    return this.#line(
      base,
      others.map((text) => ({ difference: '0', share: '0 %', figure: text })),
    );
  }

  #line(base: string, others: readonly OtherCells[]): string {
    const parts = [base.padStart(this.#base)];
    for (const [i, { difference, share, figure }] of others.entries()) {
      const width = this.#others[i];
      if (width === undefined) continue;
      parts.push(difference.padStart(width.difference), share.padStart(width.share), figure.padStart(width.figure));
    }
    return parts.join(GAP);
  }
}

function figure(row: Compared, side: number, per: ChangeRate): string {
  const figures = row.sides[side];
  const spread = figures && figurePer(figures, per);
  if (!spread) return '';
  return spread.most === 0 ? '-' : figureText(spread.median, per);
}

function otherCells(row: Compared, change: number, per: ChangeRate): OtherCells {
  const one = row.changes[change];
  const difference = one && differencePer(one, per);
  return {
    difference: difference ? signedText(difference.absolute, per) : '',
    share: difference ? relativeText(difference) : '',
    figure: figure(row, change + 1, per),
  };
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, columns(text)), LEAST);
}
