import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Note } from '../../census/message.ts';
import { Kallsyms } from '../symbols/kallsyms.ts';
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
ffffffff81000d00 t __do_sys_clone
ffffffff81000d80 t __do_sys_clone.cold
ffffffff81000e00 T __x64_sys_clone
ffffffff81000f00 T __ia32_sys_clone
ffffffff81001000 t __do_sys_fork
ffffffff81001000 T __ia32_sys_fork
ffffffff81001000 T __x64_sys_fork
ffffffff81001100 t __se_sys_madvise
ffffffff81001180 T __x64_sys_newstat
ffffffff81001190 T kmem_cache_alloc_noprof
ffffffff81001200 D some_data
ffffffff83000000 T _sinittext
ffffffff83000100 t tcp_init
ffffffff83000200 T _einittext
ffffffffc0000000 t write_begin\t[ext4]
ffffffffc0000100 t ext4_begin\t[ext4]
ffffffffc0100000 t write_begin\t[btrfs]
ffffffffc0100100 t copied.isra.0\t[btrfs]
`;

const EVENTS: Record<string, string[]> = {
  sched: ['sched_switch', 'sched_waking'],
  ext4: ['ext4_begin', 'ext4_end'],
  syscalls: ['sys_enter_write'],
};

const NAMES: Names = {
  kallsyms: new Kallsyms(Buffer.from(KALLSYMS)),
  sets: [{ name: 'rbtree-insert', summary: '', targets: ['rb_insert_color', 'rb_gone', '__rb_insert_augmented'] }],
  hasEvent: (category, event) => EVENTS[category]?.includes(event) ?? false,
  events: (category) => (category === undefined ? Object.keys(EVENTS) : (EVENTS[category] ?? [])),
  whyNoEvents: () => null,
  library: (name) => (name === 'z' ? '/lib/libz.so.1' : undefined),
  userFunctions: () => ({
    functions: [
      { name: 'work', offsets: [0x1234n], isChooser: false },
      { name: 'malloc', offsets: [0x1234n], isChooser: false },
      { name: 'work_twice', offsets: [0x2000n, 0x2100n], isChooser: false },
      { name: 'copy', offsets: [0x3000n], isChooser: true },
    ],
    imports: new Set(['calloc']),
    isStripped: true,
  }),
};

function names(...words: string[]): string[] {
  return resolveTargets(words, NAMES).targets.map(({ name }) => name);
}

function resolved(word: string): { functions: string[]; notes: readonly Note[] } {
  const { targets, notes } = resolveTargets([word], NAMES);
  return {
    functions: targets.flatMap((t) => (t.kind === 'function' ? t.functions.map(({ name }) => name) : [])),
    notes,
  };
}

describe('resolveTargets', () => {
  it('knows which targets somebody named, and which only matched', () => {
    const { targets } = resolveTargets(['tcp_*', 'tcp_ack'], NAMES);
    expect(targets.length).toBeGreaterThan(1);
    for (const { name, pattern } of targets)
      expect([name, pattern]).toEqual([name, name === 'tcp_ack' ? undefined : 'tcp_*']);
  });

  it('takes classes in patterns, and their opposite', () => {
    expect(names('tcp_[as]*')).toEqual(['tcp_ack', 'tcp_split']);
    for (const negated of ['tcp_[!as]*', 'tcp_[^as]*']) expect(names(negated)).toEqual(['tcp_v4_rcv']);
    expect(names('rb_insert_colo?')).toEqual(['rb_insert_color']);
  });

  it('takes names, lists, patterns, regular expressions and sets, each target once', () => {
    expect(names('rb_insert_color,tcp_v4_rcv', 'rb_insert_color')).toEqual(['rb_insert_color', 'tcp_v4_rcv']);
    expect(names('tcp_*')).toEqual(['tcp_v4_rcv', 'tcp_ack', 'tcp_split']);
    expect(names('/^(rb|tcp)_.{1,15}$/')).toEqual(['rb_insert_color', 'tcp_v4_rcv', 'tcp_ack', 'tcp_split']);
    expect(names('@rbtree-insert')).toEqual(['rb_insert_color', '__rb_insert_augmented']);
  });

  it('arms functions of one name in several modules, each by the name of its own', () => {
    const { targets } = resolveTargets(['ext4:write_begin,btrfs:write_begin', 'vmlinux:write_begin'], NAMES);
    expect(targets).toMatchObject([
      { name: 'ext4:write_begin', functions: [{ module: 'ext4' }] },
      { name: 'btrfs:write_begin', functions: [{ module: 'btrfs' }] },
      { name: 'vmlinux:write_begin', functions: [{ module: '' }] },
    ]);
  });

  it('arms no address for two targets, whatever names it has', () => {
    const addresses = (...words: string[]) =>
      resolveTargets(words, NAMES).targets.map((t) => (t.kind === 'function' ? t.functions.map((f) => f.address) : []));
    expect(names('write_begin', 'ext4:write_begin')).toEqual(['write_begin']);
    expect(names('ext4:write_begin', 'write_begin')).toEqual(['ext4:write_begin', 'write_begin']);
    expect(addresses('ext4:write_begin', 'write_begin').map((all) => all.length)).toEqual([1, 2]);
    expect(names('copied.constprop.0', 'copied')).toEqual(['copied.constprop.0', 'copied']);
    expect(names('__x64_sys_fork,__do_sys_fork')).toEqual(['sys_fork']);
    expect(addresses('*sys_fork')).toEqual([[-0x7efff000]]);
    const { targets, notes } = resolveTargets(['/bin/x:work,/bin/x:malloc'], NAMES);
    expect(targets.map(({ name }) => name)).toEqual(['/bin/x:work']);
    expect(notes).toEqual([{ code: 'target-aliases', aliases: ['/bin/x:malloc is /bin/x:work'] }]);
  });

  it('counts a system call where it is entered, once', () => {
    const entries = ['__x64_sys_clone', '__ia32_sys_clone'];
    for (const word of ['*sys_clone', '/sys_clone/', 'sys_clone']) expect(resolved(word).functions).toEqual(entries);
    expect(resolved('*sys_clone').notes).toEqual([
      { code: 'pattern-syscalls-once', pattern: '*sys_clone', names: ['__do_sys_clone'] },
    ]);
    expect(resolved('*sys_fork').notes).toEqual([]);
    expect(resolved('sys_clone').notes).toEqual([
      { code: 'target-entered-by', target: 'sys_clone', wrappers: ['__x64_sys_clone', '__ia32_sys_clone'] },
    ]);
    // Who asks for the inner function gets it, also beside the outer one.
    expect(resolved('__do_sys_clon*').functions).toEqual(['__do_sys_clone']);
    expect(resolved('*sys_madvise').functions).toEqual(['__se_sys_madvise']);
    expect(names('__do_sys_clone', '__x64_sys_clone')).toEqual(['__do_sys_clone', '__x64_sys_clone']);
  });

  it('takes system calls as manuals name them', () => {
    const entries = ['__x64_sys_clone', '__ia32_sys_clone'];
    for (const word of ['clone(2)', 'syscall:clone', 'syscall:clon*', 'syscall:/_clon/'])
      expect(resolved(word).functions).toEqual(entries);
    expect(names('stat(2)', 'stat(2)')).toEqual(['sys_newstat']);
  });

  it('takes a macro for the function behind it, and says so', () => {
    expect(names('kmem_cache_alloc')).toEqual(['kmem_cache_alloc_noprof']);
    expect(resolved('kmem_cache_alloc').notes).toEqual([
      { code: 'target-macro', target: 'kmem_cache_alloc', counted: 'kmem_cache_alloc_noprof' },
    ]);
    expect(resolved('kmem_cache_alloc_noprof').notes).toEqual([]);
  });

  it('says how to narrow a pattern that matches too many', () => {
    expect(() => resolveTargets(['/./'], NAMES, 5)).toThrow(
      "/./ stands for 16 functions; at most 5 are counted at once; parts of them: 'sys_*' (4), 'tcp_*' (3)",
    );
  });

  it('finds libraries without a path, after modules and tracepoints', () => {
    expect(names('z:work')).toEqual(['/lib/libz.so.1:work']);
    expect(names('z:work*')).toEqual(['/lib/libz.so.1:work', '/lib/libz.so.1:work_twice']);
  });

  it('says what tracepoints of system calls do not see, where the kernel runs 32-bit programs', () => {
    const compat = new Kallsyms(Buffer.from(`${KALLSYMS}ffffffffc0100200 T __ia32_compat_sys_ioctl\n`));
    const notes = (kallsyms: Kallsyms) => resolveTargets(['syscalls:sys_enter_write'], { ...NAMES, kallsyms }).notes;
    expect(notes(NAMES.kallsyms)).toEqual([]);
    expect(notes(compat)).toEqual([{ code: 'target-compat-syscalls' }]);
  });

  it('arms every address of a name, and says so', () => {
    const { functions, notes } = resolved('clock_show');
    expect(functions).toHaveLength(2);
    expect(notes).toMatchObject([{ code: 'target-several', target: 'clock_show' }]);
  });

  it('arms the copies a compiler made, parts only where nothing else is left', () => {
    expect(resolved('tcp_ack').functions).toEqual(['tcp_ack.isra.0']);
    expect(resolved('tcp_ack').notes).toEqual([
      { code: 'target-copies', target: 'tcp_ack', copies: ['tcp_ack.isra.0'] },
    ]);
    expect(resolved('copied').functions).toEqual(['copied', 'copied.constprop.0', 'copied.isra.0']);
    expect(resolved('vmlinux:copied').functions).toEqual(['copied', 'copied.constprop.0']);
    expect(resolved('tcp_split').functions).toEqual(['tcp_split.part.0']);
    expect(resolved('tcp_split').notes).toMatchObject([{ code: 'target-in-part', target: 'tcp_split' }]);
    expect(resolved('tcp_ack.isra.0').functions).toEqual(['tcp_ack.isra.0']);
  });

  it('says which targets counting itself calls', () => {
    const extra = 'ffffffff81500000 T _raw_spin_lock\nffffffff81500100 T unwind_next_frame\n';
    const names = { ...NAMES, kallsyms: new Kallsyms(Buffer.from(`${extra}${KALLSYMS}`)) };
    const { notes } = resolveTargets(['_raw_spin_lock', 'tcp_ack', 'unwind_next*'], names);
    expect(notes).toContainEqual({
      code: 'target-used-by-counting',
      targets: ['_raw_spin_lock', 'unwind_next_frame'],
    });
    expect(resolved('tcp_ack').notes.map(({ code }) => code)).not.toContain('target-used-by-counting');
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
    expect(names('ext4:/begin$/')).toEqual(['ext4:ext4_begin']);
    expect(resolved('ext4:*_begin').notes).toEqual([
      { code: 'target-taken-for-tracepoints', word: 'ext4:*_begin', category: 'ext4' },
    ]);
    expect(resolved('ext4:ext4_end').notes).toEqual([]);
    expect(names('ext4:write*')).toEqual(['write_begin']);
    expect(names('/bin/x:/^wor.{1,2}$/')).toEqual(['/bin/x:work']);
    expect(resolveTargets(['/lib/libc.so.6:malloc'], NAMES).targets[0]).toMatchObject({
      kind: 'user',
      path: '/lib/libc.so.6',
      symbol: 'malloc',
      offsets: [0x1234n],
    });
    expect(names('/bin/x:work*')).toEqual(['/bin/x:work', '/bin/x:work_twice']);
    expect(resolveTargets(['/bin/x:work_twice'], NAMES).notes).toMatchObject([
      { code: 'target-user-several', count: 2 },
    ]);
    expect(resolveTargets(['/bin/x:copy'], NAMES).notes).toMatchObject([{ code: 'target-ifunc' }]);
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
    ['ext4:write_begni', 'the module ext4 has no function write_begni; did you mean ext4:write_begin?'],
    ['nothing:*', 'there is no tracepoint category and no loaded module nothing'],
    ['libc.so.6:malloc', 'the dynamic linker knows no such library'],
    ['clone', 'did you mean sys_clone?'],
    ['kmem_cache_aloc', 'did you mean kmem_cache_alloc?'],
    ['open(2)', 'no kernel function is called sys_open'],
    ['tcp_init', 'tcp_init runs only while the kernel starts'],
    ['some_data', 'some_data is data, not a function'],
    [process.execPath, 'is a file; a COMMAND stands after --'],
    ['nothing_*', 'no kernel function matches nothing_*'],
    ['/bin/x:wrok', '/bin/x has no function wrok; did you mean work?'],
    ['/bin/x:calloc', '/bin/x calls calloc but does not contain it: name the library that does'],
    ['/bin/x:nothing*', 'no function of /bin/x matches nothing*: it is stripped'],
    ['/(/', 'is not a regular expression'],
    [',', 'name a function to count'],
  ])('refuses %s', (word, message) => {
    expect(() => resolveTargets([word], NAMES)).toThrow(message);
  });

  it('finds functions in real files by their place in the file', async () => {
    const { elfProbes, readElf } = await import('../../image/elf.ts');
    const node = readElf(process.execPath);
    const first = node.functions.find(
      ({ name }) => name === 'node_api_get_module_file_name' || name === 'napi_create_object',
    );
    const probes = elfProbes(process.execPath);
    const offset = Number(probes.functions.find(({ name }) => name === first!.name)?.offsets[0]);
    expect(offset).toBeGreaterThan(0);
    expect(probes.imports.size).toBeGreaterThan(0);
    expect(() => readElf(new URL(import.meta.url).pathname)).toThrow('is not a 64-bit ELF file');
    expect(() => readElf('/')).toThrow('cannot read /: illegal operation on a directory');
    expect(statSync(process.execPath).size).toBeGreaterThan(offset);
  });
});
