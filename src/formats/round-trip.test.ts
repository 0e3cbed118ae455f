import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyCensus } from '../../test/support/arbitrary-census.ts';
import { checkCensus, expectSame } from '../../test/support/check-census.ts';
import { groupCounts, readBytes } from '../../test/support/check-reader.ts';
import { UserError } from '../errors.ts';
import { foldedStacks } from './folded/write.ts';
import { writePprof } from './pprof/write.ts';
import { readerNamed } from './registry.ts';

test('any census comes back from its profile', async () => {
  await fc.assert(
    fc.asyncProperty(anyCensus, async (census) => {
      fc.pre(census.total > 0);
      const back = (await readBytes(await writePprof(census))).census;
      checkCensus(back);
      expectSame(back, census, 'read back');
    }),
  );
});

test('folded stacks of any census keep every call and every loss', async () => {
  await fc.assert(
    fc.asyncProperty(anyCensus, async (census) => {
      fc.pre(census.attributed > 0);
      const text = foldedStacks(census);
      const written = text
        .trimEnd()
        .split('\n')
        .map((line) => Number(/ (\d+)$/.exec(line)?.[1]));
      expect(written.reduce((sum, count) => sum + count, 0)).toBe(census.total);
      // So few lines with such names need not look like a format; nothing is lost of them all the same.
      const back = (await readBytes(text, { reader: readerNamed('folded') })).census;
      checkCensus(back);
      expect(back.total).toBe(census.total);
    }),
  );
});

test('folded stacks of any census with targets keep whose calls they are', async () => {
  await fc.assert(
    fc.asyncProperty(anyCensus, async (census) => {
      fc.pre(census.targets.length > 0);
      const back = await readBytes(foldedStacks(census), { reader: readerNamed('folded') });
      // What recorded a stack is taken off once more, and other functions are innermost.
      fc.pre(back.diagnostics.peeled.size === 0);
      expect(groupCounts(back.census, 'target')).toEqual(groupCounts(census, 'target'));
    }),
  );
});

test('any bytes end in a census or in an error for users, never in both or neither', async () => {
  const lines = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom(
        'Call Trace:',
        '[    9.8] Call Trace:',
        ' vfs_write+0x10/0x20 [ext4]',
        ' <IRQ>',
        ' </IRQ>',
        'RIP: 0010:f+0x1/0x2',
        'Total x: 3',
        'Trace1 2',
        'perf   196 [000]    18.873442:          1 cycles: ',
        '\tffffffff8e7ea5b0 rb_insert_color+0x0 ([kernel.kallsyms])',
        'a;b;c 12',
        '# tracer: function',
        '# entries-in-buffer/entries-written: 9/12   #P:2',
        '            bash-140     [001] d..2.    52.443379: vfs_write <-ksys_write',
        '            bash-140     [001] d..2.    52.443690: <stack trace>',
        ' => vfs_write',
        'CPU:1 [LOST 123 EVENTS]',
        '',
      ),
    ),
    { maxLength: 20 },
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    lines.map((all) => Buffer.from(all.join('\n'))),
    lines.map((all) => Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from(all.join('\n'))])),
  );
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 50 }), async (input, size) => {
      try {
        const { census } = await readBytes(input, {}, size);
        checkCensus(census);
        expect(census.total).toBeGreaterThan(0);
        groupCounts(census);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    { numRuns: 500 },
  );
});
