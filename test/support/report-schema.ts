import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

const schema = JSON.parse(readFileSync(new URL('../../docs/report-2.schema.json', import.meta.url), 'utf8'));
// `allOf` beside `type` and types in lists are meant as they stand.
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);

/** Asserts that a JSON report is of the schema in the package, and that its counts add up. */
export function checkReport(json: string): void {
  const report = JSON.parse(json);
  const isValid = validate(report);
  expect(validate.errors ?? []).toEqual([]);
  expect(isValid).toBe(true);
  const sum = (list: readonly { count: number }[]) => list.reduce((total, { count }) => total + count, 0);
  const { total, attributed, matching = attributed, losses } = report.calls;
  expect(total).toBe(attributed + sum(losses));
  expect(sum(report.groups)).toBe(matching);
}
