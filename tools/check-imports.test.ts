import { describe, expect, it } from 'vitest';
import { unexpected } from './check-imports.ts';
import { findOffences } from './import-rules.ts';

/** The offences of files given as what each imports. */
function offences(imports: Readonly<Record<string, readonly string[]>>) {
  const files = Object.entries(imports).map(([file, all]): [string, string] => {
    return [file, all.map((path) => `import { a } from '${path}';\n`).join('')];
  });
  return findOffences(new Map(files));
}

const lines = (count: number) => 'x\n'.repeat(count);

describe('an import', () => {
  it('may point down, and to a file of the same folder', () => {
    const files = {
      'src/cli/read.ts': ['../report/text.ts', '../index.ts', './command.ts', '../capture/sys/perf.ts'],
      'src/cli/command.ts': [],
      'src/index.ts': ['./report/text.ts', './lab/run.ts'],
      'src/live/screen.ts': ['../capture/session/live.ts', '../report/text.ts'],
      'src/report/text.ts': ['../census/group.ts', '../text/columns.ts', '../../web/page.ts'],
      'src/lab/run.ts': ['../image/elf.ts', '../errors.ts'],
      'src/capture/record.ts': ['./session/live.ts', './run/end.ts', '../census/group.ts'],
      'src/capture/session/live.ts': ['../engines/kprobe.ts', './other.ts'],
      'src/capture/session/other.ts': [],
      'src/capture/engines/kprobe.ts': ['../targets/names.ts', '../sys/perf.ts'],
      'src/capture/targets/names.ts': ['../symbols/kallsyms.ts'],
      'src/capture/run/end.ts': ['../bpf/asm.ts'],
      'src/capture/bpf/asm.ts': ['../symbols/kallsyms.ts'],
      'src/capture/symbols/kallsyms.ts': ['../sys/perf.ts', '../../image/elf.ts'],
      'src/capture/sys/perf.ts': ['../../errors.ts', '../../pause.ts'],
      'src/census/group.ts': ['../text/columns.ts'],
      'src/census/group.test.ts': ['../atlas/words.ts', '../../test/support/stacks.ts'],
      'src/atlas/words.ts': ['../census/group.ts'],
      'src/image/elf.ts': ['../errors.ts'],
      'src/text/columns.ts': [],
      'src/errors.ts': [],
      'src/pause.ts': [],
      'test/support/stacks.ts': ['../../src/census/group.ts'],
      'tools/generate.ts': ['../src/atlas/words.ts', '../src/image/elf.ts'],
      'web/page.ts': ['./draw.ts'],
      'web/draw.ts': [],
    };
    expect(offences(files)).toEqual([]);
  });

  it.each([
    ['src/census/group.ts', 'src/atlas/words.ts', 'census may not import atlas: arrows point cli -> '],
    ['src/atlas/words.ts', 'src/formats/reader.ts', 'atlas may not import formats'],
    ['src/formats/reader.ts', 'src/workload/output.ts', 'formats may not import workload'],
    ['src/capture/record.ts', 'src/report/text.ts', 'capture may not import report'],
    ['src/lab/run.ts', 'src/index.ts', 'lab may not import index.ts'],
    ['src/text/columns.ts', 'src/census/group.ts', 'text may not import census'],
    ['src/errors.ts', 'src/text/columns.ts', 'errors.ts may not import text'],
    ['src/atlas/explain.ts', 'src/image/elf.ts', 'atlas has no business with kernel images'],
    ['src/census/group.ts', 'test/support/stacks.ts', 'src imports nothing from test'],
    ['src/atlas/words.ts', 'tools/areas.ts', 'src imports nothing from tools'],
    ['src/new/room.ts', 'src/errors.ts', 'does not say where "new" belongs'],
    ['src/report/text.ts', 'src/new/room.ts', 'does not say where "new" belongs'],
    ['src/capture/sys/perf.ts', 'src/capture/symbols/kallsyms.ts', 'sys may not import symbols'],
    ['src/capture/symbols/kallsyms.ts', 'src/capture/bpf/asm.ts', 'symbols may not import bpf'],
    ['src/capture/bpf/asm.ts', 'src/capture/targets/names.ts', 'bpf may not import targets'],
    ['src/capture/run/end.ts', 'src/capture/targets/names.ts', 'run may not import targets'],
    ['src/capture/targets/names.ts', 'src/capture/engines/kprobe.ts', 'targets may not import engines'],
    ['src/capture/engines/kprobe.ts', 'src/capture/session/live.ts', 'engines may not import session'],
    ['src/capture/session/live.ts', 'src/capture/record.ts', 'session may not import .:'],
    ['src/report/text.ts', 'src/cli/read.ts', 'nothing imports cli'],
    ['src/report/text.test.ts', 'src/cli/read.ts', 'nothing imports cli'],
    ['test/support/stacks.ts', 'src/cli/read.ts', 'nothing imports cli'],
    ['tools/generate.ts', 'src/cli/read.ts', 'nothing imports cli'],
    ['web/page.ts', 'src/errors.ts', 'web takes reports as data'],
    ['src/cli/read.ts', 'web/page.ts', 'only report knows of web'],
  ])('of %s is not to be %s', (from, to, why) => {
    const up = '../'.repeat(from.split('/').length - 1);
    const found = offences({ [from]: [`${up}${to}`], [to]: [] });
    expect(found).toEqual([{ what: `${from} -> ${to}`, why: expect.stringContaining(why) }]);
  });

  it.each([
    "import type { A } from '../atlas/a.ts';",
    "import '../atlas/a.ts';",
    "export { a } from '../atlas/a.ts';",
    "import {\n  a,\n  b,\n} from '../atlas/a.ts';",
    "const a = await import('../atlas/a.ts');",
    "type A = import('../atlas/a.ts').A;",
    "const a = require('../atlas/a.ts');",
  ])('is found in %s', (text) => {
    const found = findOffences(
      new Map([
        ['src/census/c.ts', text],
        ['src/atlas/a.ts', ''],
      ]),
    );
    expect(found).toMatchObject([{ what: 'src/census/c.ts -> src/atlas/a.ts' }]);
  });

  it("of the library by the package's name is one of src/index.ts", () => {
    const found = offences({ 'src/report/text.ts': ['whocalls'], 'src/index.ts': [] });
    expect(found).toMatchObject([{ what: 'src/report/text.ts -> src/index.ts' }]);
  });
});

describe('a circle', () => {
  it('of files is found, whatever hangs on it, and each once', () => {
    const found = offences({
      'src/lab/a.ts': ['./b.ts', './before.ts'],
      'src/lab/b.ts': ['./c.ts'],
      'src/lab/c.ts': ['./a.ts', './d.ts'],
      'src/lab/d.ts': ['./e.ts'],
      'src/lab/e.ts': ['./d.ts'],
      'src/lab/before.ts': ['./d.ts'],
    });
    expect(found.map(({ what }) => what)).toEqual([
      'src/lab/a.ts -> src/lab/b.ts -> src/lab/c.ts -> src/lab/a.ts',
      'src/lab/d.ts -> src/lab/e.ts -> src/lab/d.ts',
    ]);
  });

  it('is a file that imports itself, too', () => {
    expect(offences({ 'src/lab/a.ts': ['./a.ts'] })).toMatchObject([{ what: 'src/lab/a.ts -> src/lab/a.ts' }]);
  });
});

describe('the length of a file', () => {
  const offending = (file: string, text: string) => findOffences(new Map([[file, text]])).map(({ why }) => why);

  it('is limited, for tests less', () => {
    expect(offending('src/lab/a.ts', lines(400))).toEqual([]);
    expect(offending('src/lab/a.ts', lines(401))).toEqual([expect.stringMatching(/^401 lines: split it/)]);
    expect(offending('bench/a.ts', lines(401))).toHaveLength(1);
    expect(offending('src/lab/a.test.ts', lines(600))).toEqual([]);
    expect(offending('src/lab/a.test.ts', lines(601))).toHaveLength(1);
    expect(offending('test/support/a.ts', lines(601))).toHaveLength(1);
  });

  it('may have a reason, which goes when it is no longer needed', () => {
    const reason = '// Over 400 lines: one table, which is read from top to bottom.\n';
    expect(offending('src/lab/a.ts', reason + lines(400))).toEqual([]);
    expect(offending('src/lab/a.ts', `// Over 400 lines: \n${lines(400)}`)).toHaveLength(1);
    expect(offending('src/lab/a.ts', lines(400) + reason)).toHaveLength(1);
    expect(offending('src/lab/a.ts', reason + lines(399))).toEqual([expect.stringContaining('need no reason')]);
  });
});

describe('the list of known offenders', () => {
  it('excuses what is in it, and only that', () => {
    const offences = [
      { what: 'a', why: 'x' },
      { what: 'b', why: 'y' },
    ];
    expect(unexpected(offences, { a: 'soon' })).toEqual([{ what: 'b', why: 'y' }]);
  });

  it('may not name what offends no longer', () => {
    expect(unexpected([], { a: 'soon' })).toEqual([{ what: 'a', why: expect.stringContaining('offends no longer') }]);
  });
});
