import { expect, test } from 'vitest';
import { Kallsyms } from './kallsyms.ts';
import { ModuleMap } from './module-map.ts';
import { RunSymbols } from './run-symbols.ts';

const IMAGE = 'ffffffff81000000 T _stext\nffffffff81000100 t last\nffffffff82000000 B _end\n';
const EXT4 = 'ffffffffc0100000 t ext4_first\t[ext4]\nffffffffc0100100 t ext4_last\t[ext4]\n';
const BFQ = 'ffffffffc0200000 t bfq_first\t[bfq]\nffffffffc0200100 t bfq_last\t[bfq]\n';
/** As in /proc/modules. */
const LISTED_EXT4 = 'ext4 4096 Live 0xffffffffc0100000\n';
const LISTED_BOTH = `bfq 4096 Live 0xffffffffc0200000\n${LISTED_EXT4}`;
const PROGRAM = 'ffffffffc0200080 t bpf_prog_x\t[bpf]\n';

const [IN_IMAGE, IN_EXT4, IN_BFQ, BEHIND_BFQ, BEHIND_EXT4] = [
  0xffffffff81000010n,
  0xffffffffc0100010n,
  0xffffffffc0200090n,
  0xffffffffc0200110n,
  0xffffffffc0100110n,
];

/** Looks addresses up in symbols of before and after; says how often those of after were read. */
function run(before: string, after: string, modules: readonly [string, string], addresses: readonly bigint[]) {
  let reads = 0;
  const read = () => {
    reads++;
    return new Kallsyms(Buffer.from(after), new ModuleMap(modules[1]));
  };
  const symbols = new RunSymbols(
    new Kallsyms(Buffer.from(before), new ModuleMap(modules[0])),
    read,
    () => new ModuleMap(modules[1]),
  );
  const names = addresses.map((address) => symbols.lookup(Number(BigInt.asIntN(64, address)))?.name);
  return { names, reads };
}

test('the symbols of before are enough while the same modules are loaded', () => {
  const all = IMAGE + EXT4 + BFQ;
  const { names, reads } = run(all, '', [LISTED_BOTH, LISTED_BOTH], [IN_IMAGE, IN_EXT4, IN_BFQ]);
  expect([names, reads]).toEqual([['_stext', 'ext4_first', 'bfq_first'], 0]);
});

test('in the kernel image they are enough whatever was loaded', () => {
  expect(run(IMAGE + EXT4, '', [LISTED_EXT4, LISTED_BOTH], [IN_IMAGE])).toEqual({ names: ['_stext'], reads: 0 });
});

test('a module that was loaded during the run is found', () => {
  const { names, reads } = run(
    IMAGE + EXT4,
    IMAGE + EXT4 + BFQ,
    [LISTED_EXT4, LISTED_BOTH],
    [IN_EXT4, IN_BFQ, BEHIND_BFQ],
  );
  expect([names, reads]).toEqual([['ext4_first', 'bfq_first', 'bfq_last'], 1]);
});

test('so is one that was unloaded, and one whose place another one has taken', () => {
  const both = IMAGE + EXT4 + BFQ;
  expect(run(both, IMAGE + EXT4, [LISTED_BOTH, LISTED_EXT4], [IN_BFQ, IN_EXT4]).names).toEqual([
    'bfq_first',
    'ext4_first',
  ]);
  expect(run(both, IMAGE, [LISTED_BOTH, ''], [IN_EXT4, BEHIND_BFQ]).names).toEqual(['ext4_first', 'bfq_last']);
  const taken = BFQ.replaceAll('bfq', 'xfs');
  expect(run(both, IMAGE + EXT4 + taken, [LISTED_BOTH, LISTED_BOTH.replace('bfq', 'xfs')], [IN_BFQ]).names).toEqual([
    'xfs_first',
  ]);
});

test('a BPF program that came during the run is found, where no module tells of it', () => {
  const { names, reads } = run(
    IMAGE + EXT4,
    IMAGE + EXT4 + PROGRAM,
    [LISTED_EXT4, LISTED_EXT4],
    [IN_BFQ, IN_EXT4, BEHIND_BFQ],
  );
  expect([names, reads]).toEqual([['bpf_prog_x', 'ext4_first', 'bpf_prog_x'], 1]);
});

test('what came and went is not taken for its neighbour', () => {
  const modules = [LISTED_EXT4, LISTED_EXT4] as const;
  expect(run(IMAGE + EXT4, IMAGE + EXT4, modules, [IN_BFQ, BEHIND_EXT4])).toEqual({
    names: [undefined, 'ext4_last'],
    reads: 1,
  });
  expect(run(IMAGE, IMAGE, ['', ''], [IN_BFQ]).names).toEqual([undefined]);
  expect(run(IMAGE, IMAGE + PROGRAM, ['', ''], [IN_BFQ, IN_BFQ + 0x100000n]).names).toEqual(['bpf_prog_x', undefined]);
});
