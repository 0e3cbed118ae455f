import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

const schema = JSON.parse(readFileSync(new URL('../../docs/comparison-1.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);

/** Asserts that a JSON comparison is of the schema in the package, and that the calls of single runs add up. */
export function checkComparison(json: string): void {
  const comparison = JSON.parse(json);
  const isValid = validate(comparison);
  expect(validate.errors ?? []).toEqual([]);
  expect(isValid).toBe(true);
  for (const [side, { calls }] of comparison.matching.sides.entries()) {
    for (const [run, matching] of calls.runs.entries()) {
      const sum = comparison.groups.reduce(
        (all: number, group: { sides: { calls: { runs: number[] } }[] }) =>
          all + (group.sides[side]?.calls.runs[run] ?? 0),
        0,
      );
      expect(sum).toBe(matching);
    }
  }
}
