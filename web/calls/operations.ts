import type { PageData } from '../data/columns.ts';
import type { Report } from '../report.ts';
import { dimensionOf } from './dimensions.ts';

/** Operations that the workload did while calls were shown, and which calls those are. */
export interface Operations {
  readonly count: number;
  /** Names of the phases. */
  readonly phases: readonly string[];
  /** 1 for rows of these phases. */
  readonly isWithin: (row: number) => boolean;
}

/**
 * The operations of all phases in which any of the calls happened; null where the workload counts none, or its calls do
 * not tell their phase.
 */
export function operationsOf(data: PageData, report: Report, included: Uint8Array | null): Operations | null {
  const dimension = dimensionOf(data, 'phase');
  const phases = report.workload?.phases ?? [];
  if (!dimension || !phases.some(({ operations = 0 }) => operations > 0)) return null;
  const isSeen = new Uint8Array(dimension.values.length);
  for (let row = 0; row < data.rows.count; row++) {
    if (included === null || included[row]) isSeen[dimension.of[row] as number] = 1;
  }
  const counted = phases.filter(({ name, operations = 0 }) => {
    const value = dimension.values.indexOf(name);
    return operations > 0 && value >= 0 && !dimension.isUnknown[value] && isSeen[value] === 1;
  });
  if (counted.length === 0) return null;
  const isCounted = dimension.values.map((name) => counted.some((phase) => phase.name === name));
  return {
    count: counted.reduce((sum, { operations = 0 }) => sum + operations, 0),
    phases: counted.map(({ name }) => name),
    isWithin: (row) => isCounted[dimension.of[row] as number] ?? false,
  };
}

/** Calls of these rows for each thousand operations. */
export function perThousand({ rows: { calls } }: PageData, rows: Uint32Array, operations: Operations): number {
  let sum = 0;
  for (const row of rows) if (operations.isWithin(row)) sum += calls[row] as number;
  return (sum / operations.count) * 1000;
}
