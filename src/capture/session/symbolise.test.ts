import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { placeInPath } from '../../atlas/places.ts';
import { Census } from '../../census/census.ts';
import { MAX_FRAMES, USER_PART } from '../bpf/scratch-space.ts';
import { toUnsigned } from '../symbols/address.ts';
import { Kallsyms } from '../symbols/kallsyms.ts';
import { UserSymbols } from '../symbols/user-symbols.ts';
import { Symboliser } from './symbolise.ts';

/** Functions of several names, with what lies around them, of Debian 6.1.0-56-amd64. */
const KALLSYMS = new Kallsyms(
  gunzipSync(readFileSync(new URL('../../../test/recordings/kallsyms-6.1.txt.gz', import.meta.url))),
);

/** Reads stacks of one return address each, and gives the frames as paths see them. */
function read(symbols: Kallsyms, functions: readonly { readonly address: number }[]) {
  const census = new Census();
  const symboliser = new Symboliser(census, symbols.map, new UserSymbols());
  const target = { kind: 'function', name: 'rb_insert_color', functions: [] } as const;
  return functions.map(({ address }) => {
    const record = Buffer.alloc(USER_PART + 8 * MAX_FRAMES);
    // One in a million functions has no fifth byte; a return address lies behind a call.
    for (const frame of [0, 1]) record.writeBigUInt64LE(toUnsigned(address + 5), 8 * frame);
    const stack = symboliser.read(record, target, null);
    const { symbol } = census.stacks.frames(stack)[1]!;
    return { name: census.symbols.name(symbol), module: '', file: census.symbols.file(symbol) };
  });
}

const filesOf = (name: string) => read(KALLSYMS, KALLSYMS.named(name)).map(({ file }) => file);

test.each([
  ['probes_open', 'kernel/trace/trace_kprobe.c', 'kernel/trace/trace_uprobe.c'],
  ['remove_one', 'fs/debugfs/inode.c', 'fs/tracefs/inode.c'],
  ['bitfill_aligned', 'drivers/video/fbdev/core/cfbfillrect.c', 'drivers/video/fbdev/core/sysfillrect.c'],
  [
    'version_show',
    'arch/x86/kernel/ksysfs.c',
    'arch/x86/kernel/cpu/microcode/core.c',
    'drivers/acpi/bgrt.c',
    'drivers/iommu/intel/iommu.c',
  ],
  [
    'state_show',
    'kernel/cpu.c',
    'kernel/power/main.c',
    'drivers/xen/xenbus/xenbus_probe.c',
    'drivers/regulator/core.c',
    'drivers/base/memory.c',
  ],
  // one in this kernel, but not the only one there is
  ['check_free_space', 'kernel/acct.c'],
  // all of crypto/proc.c has names that other files have too: the third is left open
  ['c_start', 'arch/x86/kernel/cpu/proc.c', 'fs/proc/consoles.c', ''],
])('every %s is told by what lies beside it', (name, ...files) => {
  expect(filesOf(name)).toEqual(files);
});

test('a path says where the function it went through lives', () => {
  const [kprobes, uprobes] = read(KALLSYMS, KALLSYMS.named('probes_open'));
  expect(placeInPath([kprobes!], 0)?.file).toBe('kernel/trace/trace_kprobe.c');
  expect(placeInPath([uprobes!], 0)?.file).toBe('kernel/trace/trace_uprobe.c');
  expect(placeInPath([{ name: 'probes_open', module: '' }], 0)).toBeNull();
});

test('neighbours of other files, and a name without neighbours, settle nothing', () => {
  const between = `ffffffff81000000 t create_or_delete_trace_kprobe
ffffffff81000100 t probes_open
ffffffff81000200 t create_or_delete_trace_uprobe
`;
  const alone = 'ffffffff81000100 t probes_open\n';
  for (const text of [between, alone]) {
    const symbols = new Kallsyms(Buffer.from(text));
    expect(read(symbols, symbols.named('probes_open'))).toEqual([{ name: 'probes_open', module: '', file: '' }]);
  }
});
