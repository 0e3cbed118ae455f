import { describe, expect, test } from 'vitest';
import { formatOfFile } from './writers.ts';

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
