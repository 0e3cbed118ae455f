// What the page selects, held against what the census says. Here, because web/ knows nothing of a census.
import { describe, expect, test } from 'vitest';
import { ALL_RECORDINGS } from '../../../test/support/recordings.ts';
import { readColumns } from '../../../web/data/columns.ts';
import { callsOf, selectRows } from '../../../web/data/select.ts';
import { kernelKnowledge } from '../../atlas/knowledge.ts';
import { atlasLabeller } from '../../atlas/labeller.ts';
import { groupCensus } from '../../census/group.ts';
import { parseWhere } from '../../census/where.ts';
import { readRecording } from '../read-inputs.ts';
import { censusColumns } from './columns.ts';

const ALL = { where: '', span: null, hidden: [] };

const FILTERS = [
  'comm=db_bench',
  'comm!=db_bench && frame~^ext4_',
  'entry=write || syscall=futex',
  '!(frame~timer) && module=""',
  'module!~^$',
  'subject~run.queue',
  'tree=cfs-run-queue',
  'site~. && stack~^rb_insert_color',
  'stack!~schedule',
  'phase=fillrandom',
  'pid!=1 && cpu!=0',
];

describe.each(ALL_RECORDINGS)('%s', (file) => {
  test('filters let through what those of the command line do', async () => {
    const { census } = await readRecording(file);
    const data = readColumns(censusColumns(census));
    for (const where of FILTERS) {
      const options = { by: 'target', knowledge: kernelKnowledge(), labeller: atlasLabeller };
      const { matching } = groupCensus(census, { ...options, where: parseWhere(where) });
      expect(callsOf(data, selectRows(data, { ...ALL, where })), where).toBe(matching);
    }
  });

  test('calls through hidden functions are left out', async () => {
    const { census } = await readRecording(file);
    const data = readColumns(censusColumns(census));
    for (const name of data.symbols.names.slice(1, 6)) {
      const where = `frame!=${JSON.stringify(name)}`;
      // Unlike a filter, hiding also knows the functions of programs.
      const isProgram = data.symbols.names.some((other, i) => other === name && data.symbols.flags[i]! & 8);
      if (isProgram || name.includes('"') || name.includes('\\')) continue;
      expect(selectRows(data, { ...ALL, hidden: [name] }), name).toEqual(selectRows(data, { ...ALL, where }));
    }
  });
});

test('a stretch of time holds the buckets whose middle is in it', async () => {
  const { census } = await readRecording(ALL_RECORDINGS.find((file) => file.endsWith('founding-case-6.12.pb.gz'))!);
  const data = readColumns(censusColumns(census));
  const { workloads } = census.facts;
  const phase = workloads[0]!.phases!.find(({ name }) => name === 'fillrandom')!;
  const span = [phase.startMs!, phase.endMs!] as const;
  const selected = callsOf(data, selectRows(data, { ...ALL, span }));
  expect(selected).toBe(callsOf(data, selectRows(data, { ...ALL, where: 'phase=fillrandom' })));
  expect(selected).toBeGreaterThan(50_000);
  expect(selectRows(data, ALL)).toBeNull();
});
