import { beforeAll, describe, expect, test } from 'vitest';
import { checkComparison } from '../../test/support/comparison-schema.ts';
import { recording } from '../../test/support/recordings.ts';
import { GROUPINGS } from '../census/dimensions.ts';
import { columns } from '../text/columns.ts';
import { buildComparison, type ComparedRun, type ComparisonOptions } from './comparison.ts';
import { writeComparison } from './comparison-writers.ts';
import { readInputs } from './read-inputs.ts';

const example = (kernel: string) =>
  `${recording('rbtree-inserts-under-db_bench.txt').replace(/[^/]*$/, '')}founding-case-${kernel}.pb.gz`;

let old: ComparedRun;
let now: ComparedRun;
let seed: ComparedRun;
beforeAll(async () => {
  old = await readInputs([example('6.1')]);
  now = await readInputs([example('6.12')]);
  seed = await readInputs([recording('rbtree-inserts-under-db_bench.txt')]);
});

describe('the founding case on 6.1 and 6.12', () => {
  test('has the same subjects matched across the two functions that insert', () => {
    const { groups } = buildComparison([[old], [now]]);
    const both = groups
      .filter(({ changes }) => changes[0]?.status === 'both')
      .map(({ key, subject }) => [key, subject?.id]);
    expect(both).toEqual(
      expect.arrayContaining([
        ['enqueue_task_fair', 'cfs-run-queue'],
        ['put_prev_entity', 'cfs-run-queue'],
        ['__hrtimer_run_queues', 'hrtimer-queue'],
        ['__es_insert_extent', 'ext4-extent-status'],
        ['bfq_insert_requests', 'bfq-sort-list'],
        ['tcp_event_new_data_sent', 'tcp-retransmission-queue'],
      ]),
    );
    expect(groups.find(({ key }) => key === 'enqueue_task_fair')?.sides.map(({ calls }) => calls.median)).toEqual([
      13041, 31490,
    ]);
  });

  test('names the timer migration tree and the deadline server as new', () => {
    const text = writeComparison(buildComparison([[old], [now]]));
    expect(text).toMatch(/^ +- +\+2559 +new +2559 +tmigr_update_events +timer migration queue$/m);
    expect(text).toMatch(/^ +new caller: start_dl_timer, 19853 calls: .*\n +deadline server \(fair_server\)/m);
    expect(text).toMatch(/^ +133097 +\+115530 +\+86\.8 % +248627 +all calls$/m);
    expect(text).not.toContain('enqueue_task,');
  });

  test('says that the functions of a new site may stand for others that are gone', () => {
    const { groups } = buildComparison([[old], [now]]);
    expect(groups.find(({ key }) => key === 'copy_process')?.inPlaceOf).toContain('dup_mmap');
  });
});

test('a census compared with itself does not differ', () => {
  const text = writeComparison(buildComparison([[now], [now]], { top: 20 }));
  expect(text).toContain('B against A: no difference.');
  expect(text).toContain('(32 groups without a change)');
  const { verdicts } = buildComparison([[now], [now]], {
    failIf: ['total > +0%', 'new site', 'gone site', 'total/op > +0%', 'site=enqueue_task_fair > +0'],
  });
  expect(verdicts.map(({ isStruck }) => isStruck)).toEqual([false, false, false, false, false]);
});

test('what is lost stands above and in a row of its own', () => {
  const text = writeComparison(buildComparison([[seed], [now]], { top: 1 }));
  expect(text).toMatch(/^! A: 11940 of 1203418 calls \(1\.0 %\) are not attributed: not listed in the input 11940$/m);
  expect(text).toMatch(/^! Not the same was counted: A rbinsert; B __rb_insert_augmented, rb_insert_color$/m);
  expect(text).toMatch(/^ +11940 +-11940 +gone +- +\(lost\)$/m);
});

test.each([80, 100, 200])('fits %d columns', (width) => {
  const cases: [sides: ComparedRun[][], options: ComparisonOptions][] = [
    [[[old], [now]], { by: 'stack', top: 40 }],
    [[[old, now], [now]], {}],
    [[[seed], [old], [now]], { by: 'entry', per: 'second' }],
  ];
  for (const [sides, options] of cases) {
    const text = writeComparison(buildComparison(sides, options), 'text', { width, verbose: true });
    expect(text.split('\n').filter((line) => columns(line) > width)).toEqual([]);
  }
});

test.each([...GROUPINGS])('the JSON by %s is of the schema', (by) => {
  checkComparison(writeComparison(buildComparison([[old], [now]], { by, top: 5, failIf: [`new ${by}`] }), 'json'));
});

test('so is that of repeated runs, of three sides, with conditions, with a filter', () => {
  const failIf = ['total > +5%', 'total/op > 1', 'lost > 0', 'gone site > 5'];
  for (const sides of [
    [[old, now], [now]],
    [[old], [now], [seed]],
  ]) {
    checkComparison(writeComparison(buildComparison(sides, { failIf }), 'json'));
  }
  checkComparison(writeComparison(buildComparison([[old], [now]], { by: 'comm', where: 'comm=db_bench' }), 'json'));
});

test('the rows of CSV add up to the totals', () => {
  const rows = writeComparison(buildComparison([[seed], [now]]), 'csv')
    .trimEnd()
    .split('\r\n');
  const calls = (column: number) => rows.slice(1).reduce((sum, row) => sum + Number(row.split(',')[column]), 0);
  expect(rows[0]).toMatch(/^rank,key,subject,subsystem,calls A,.*,calls B,/);
  expect([calls(4), calls(7)]).toEqual([1203418, 248627]);
});

test('orders are by change, by its share, by calls', () => {
  const first = (sort: string) => buildComparison([[old], [now]], { sort }).groups[0]?.key;
  expect([first('change'), first('relative'), first('count')]).toEqual([
    '__hrtimer_run_queues',
    'tmigr_update_events',
    '__hrtimer_run_queues',
  ]);
  expect(() => first('bytes')).toThrow(
    '--sort bytes: nothing of that name was added up (known: change, relative, count',
  );
});
