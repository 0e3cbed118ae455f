import { describe, expect, test } from 'vitest';
import { Census } from '../census/census.ts';
import { buildReport } from './report.ts';
import { formatOfFile, writeReport } from './writers.ts';

describe('the format of a file', () => {
  test.each([
    ['a.json', 'json'],
    ['a.JSON', 'json'],
    ['a.pb.gz', 'pprof'],
    ['a.Pprof', 'pprof'],
    ['a.collapsed', 'folded'],
    ['a.txt', 'text'],
    ['report', 'text'],
    ['some.d/report', 'text'],
    ['run-6.12', 'text'],
    ['/dev/stdout', 'text'],
  ])('of %s is %s', (file, format) => {
    expect(formatOfFile(file)).toBe(format);
  });

  test.each(['a.json.gz', 'a.csv.gz', 'a.folded.gz', 'a.xyz', 'a.jsn', 'a.7z'])('of %s is not guessed', (file) => {
    expect(() => formatOfFile(file)).toThrow(/ending \(known: \.txt, \.json, \.csv, .*\.pb\.gz/);
  });
});

test('CSV for spreadsheets marks what they would run; for programs names stay as they are', async () => {
  const census = new Census();
  census.add(
    { stack: census.stack([{ symbol: census.symbols.intern('=HYPERLINK("x")'), offset: -1 }]), comm: '-2+3' },
    3,
  );
  const csv = async (csvSafe: boolean) =>
    String(await writeReport(buildReport(census), 'csv', { width: 80, colour: false, verbose: false, csvSafe }));
  expect(await csv(true)).toContain(`1,3,1.000000,"'=HYPERLINK(""x"")"`);
  expect(await csv(false)).toContain('1,3,1.000000,"=HYPERLINK(""x"")"');
  expect(await csv(true)).toContain(",'-2+3=3,");
});
