import { test } from 'vitest';
import { ALL_RECORDINGS, recording } from '../../test/support/recordings.ts';
import { checkReport } from '../../test/support/report-schema.ts';
import { GROUPINGS } from '../census/dimensions.ts';
import { jsonReport } from './json.ts';
import { readInputs } from './read-inputs.ts';
import { buildReport } from './report.ts';

test.each(ALL_RECORDINGS)('the report of %s is of the schema', async (file) => {
  const input = await readInputs([file]);
  for (const options of [{}, { top: 2 }, { by: 'comm', where: 'entry~.' }]) {
    checkReport(jsonReport(buildReport(input.census, options, input), '0.0.0'));
  }
});

test.each([...GROUPINGS])('so are reports by %s', async (by) => {
  const input = await readInputs([recording('perf-script.txt.gz')]);
  checkReport(jsonReport(buildReport(input.census, { by, explain: 'off' }, input), '0.0.0'));
});
