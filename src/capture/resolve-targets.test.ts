import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Kallsyms } from './kallsyms.ts';
import { type Names, resolveTargets } from './resolve-targets.ts';

const KALLSYMS = `ffffffff81000000 T _stext
ffffffff81000100 T rb_insert_color
ffffffff81000200 T __rb_insert_augmented
ffffffff81000300 t tcp_v4_rcv
ffffffff81000400 t tcp_ack.isra.0
ffffffff81000500 t tcp_ack.cold
ffffffff81000600 t tcp_split.part.0
ffffffff81000700 T clock_show
ffffffff81000800 t clock_show
ffffffff81000900 T copied
ffffffff81000a00 t copied.constprop.0
ffffffff81000b00 t copied.part.0
ffffffff81000c00 T write_begin
ffffffffc0000000 t write_begin\t[ext4]
`;

const NAMES: Names = {
  kallsyms: new Kallsyms(Buffer.from(KALLSYMS)),
  sets: [{ name: 'rbtree-insert', summary: '', targets: ['rb_insert_color', 'rb_gone', '__rb_insert_augmented'] }],
  hasEvent: (category, event) => category === 'sched' && ['sched_switch', 'sched_waking'].includes(event),
  events: (category) =>
    category === undefined ? ['sched'] : category === 'sched' ? ['sched_switch', 'sched_waking'] : [],
  whyNoEvents: () => '',
  userFunctions: () => ({
    functions: [
      { name: 'work', offsets: [0x1234n], isChooser: false },
      { name: 'malloc', offsets: [0x1234n], isChooser: false },
      { name: 'work_twice', offsets: [0x2000n, 0x2100n], isChooser: false },
      { name: 'copy', offsets: [0x3000n], isChooser: true },
    ],
    imports: new Set(['calloc']),
  }),
};

function names(...words: string[]): string[] {
  return resolveTargets(words, NAMES).targets.map(({ name }) => name);
}

function resolved(word: string): { functions: string[]; notes: readonly string[] } {
  const { targets, notes } = resolveTargets([word], NAMES);
  return {
    functions: targets.flatMap((t) => (t.kind === 'function' ? t.functions.map(({ name }) => name) : [])),
    notes,
  };
}

describe('resolveTargets', () => {
  it('takes names, lists, patterns, regular expressions and sets, each target once', () => {
    expect(names('rb_insert_color,tcp_v4_rcv', 'rb_insert_color')).toEqual(['rb_insert_color', 'tcp_v4_rcv']);
    expect(names('tcp_*')).toEqual(['tcp_v4_rcv', 'tcp_ack']);
    expect(names('/^(rb|tcp)_.{1,15}$/')).toEqual(['rb_insert_color', 'tcp_v4_rcv', 'tcp_ack']);
    expect(names('@rbtree-insert')).toEqual(['rb_insert_color', '__rb_insert_augmented']);
  });

  it('arms every address of a name, and says so', () => {
    const { functions, notes } = resolved('clock_show');
    expect(functions).toHaveLength(2);
    expect(notes[0]).toContain('clock_show is the name of 2 functions');
  });

  it('arms the copies a compiler made, parts only where nothing else is left', () => {
    expect(resolved('tcp_ack').functions).toEqual(['tcp_ack.isra.0']);
    expect(resolved('tcp_ack').notes[0]).toContain('tcp_ack.isra.0');
    expect(resolved('copied').functions).toEqual(['copied', 'copied.constprop.0']);
    expect(resolved('tcp_split').functions).toEqual(['tcp_split.part.0']);
    expect(resolved('tcp_split').notes[0]).toContain('exists only in part');
    expect(resolved('tcp_ack.isra.0').functions).toEqual(['tcp_ack.isra.0']);
  });

  it('tells modules, tracepoints and user functions apart', () => {
    expect(resolveTargets(['ext4:write_begin'], NAMES).targets[0]).toMatchObject({
      functions: [{ name: 'write_begin', module: 'ext4' }],
    });
    expect(resolveTargets(['sched:sched_switch'], NAMES).targets[0]).toMatchObject({
      kind: 'tracepoint',
      event: 'sched_switch',
    });
    expect(names('sched:*')).toEqual(['sched:sched_switch', 'sched:sched_waking']);
    expect(resolveTargets(['/lib/libc.so.6:malloc'], NAMES).targets[0]).toMatchObject({
      kind: 'user',
      path: '/lib/libc.so.6',
      symbol: 'malloc',
      offsets: [0x1234n],
    });
    expect(names('/bin/x:work*')).toEqual(['/bin/x:work', '/bin/x:work_twice']);
    expect(resolveTargets(['/bin/x:work_twice'], NAMES).notes[0]).toContain('the name of 2 functions');
    expect(resolveTargets(['/bin/x:copy'], NAMES).notes[0]).toContain('chooses one of several implementations');
  });

  it.each([
    ['rb_insert_colour', 'did you mean rb_insert_color?'],
    ['rb_inesrt_color', 'did you mean rb_insert_color?'],
    ['tcp_v4_recv', 'did you mean tcp_v4_rcv?'],
    ['xyzzy_frobnicate', 'it may be inlined everywhere'],
    ['@rbtree-isnert', 'did you mean @rbtree-insert?'],
    ['sched:sched_swich', 'did you mean sched:sched_switch?'],
    ['shed:sched_switch', 'did you mean sched?'],
    ['ext4:nothing', 'the module ext4 has no function nothing'],
    ['nothing_*', 'no kernel function matches nothing_*'],
    ['/bin/x:wrok', '/bin/x has no function wrok; did you mean work?'],
    ['/bin/x:calloc', '/bin/x calls calloc but does not contain it: name the library that does'],
    ['/bin/x:nothing*', 'no function of /bin/x matches nothing*'],
    ['/(/', 'is not a regular expression'],
    [',', 'name a function to count'],
  ])('refuses %s', (word, message) => {
    expect(() => resolveTargets([word], NAMES)).toThrow(message);
  });

  it('finds functions in real files by their place in the file', async () => {
    const { elfProbes, readElf } = await import('./elf.ts');
    const node = readElf(process.execPath);
    const first = node.functions.find(
      ({ name }) => name === 'node_api_get_module_file_name' || name === 'napi_create_object',
    );
    const probes = elfProbes(process.execPath);
    const offset = Number(probes.functions.find(({ name }) => name === first!.name)?.offsets[0]);
    expect(offset).toBeGreaterThan(0);
    expect(probes.imports.size).toBeGreaterThan(0);
    expect(() => readElf(new URL(import.meta.url).pathname)).toThrow('is not a 64-bit ELF file');
    expect(statSync(process.execPath).size).toBeGreaterThan(offset);
  });
});
