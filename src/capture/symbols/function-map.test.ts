import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KALLSYMS_SAMPLE } from '../../../test/support/kallsyms-sample.ts';
import { toUnsigned } from './address.ts';
import { Kallsyms } from './kallsyms.ts';
import { ModuleMap } from './module-map.ts';

describe('looking addresses up', () => {
  /** What a list of all functions, sorted, says. */
  function expected(text: string, address: number): string | undefined {
    const functions = text
      .split('\n')
      .filter((line) => /^\S+ [tTwW] (?!__pfx_)/.test(line))
      .map((line) => ({ line, address: Number(BigInt.asIntN(64, BigInt(`0x${line.slice(0, 16)}`))) }))
      .sort((a, b) => a.address - b.address);
    const below = functions.filter((f) => f.address <= address).at(-1)?.address;
    return functions.find((f) => f.address === below)?.line;
  }

  const name = fc.constantFrom('a', '__pfx_a', 'b.cold', 'long_name');
  const type = fc.constantFrom('t', 'T', 'W', 'd', 'A');
  const symbol = fc.record({ address: fc.integer({ min: 0, max: 40 }), type, name });
  const line = (base: number, module: string) => (s: { address: number; type: string; name: string }) =>
    `${toUnsigned(base + s.address * 16).toString(16)} ${s.type} ${s.name}${module && `\t[${module}]`}\n`;

  test.each([
    ['above', -0x3fc00000, 512],
    ['below', -0x7fc00000, 512],
    ['far from', -0x3fc00000, -0x7780_0000_0000],
  ])('in the image and in modules %s it, as a sorted list would', (_, modules, distance) => {
    const image = -0x7f000000;
    fc.assert(
      fc.property(fc.array(symbol), fc.array(symbol), fc.array(symbol), (own, ext4, bpf) => {
        const percpu = own.length > 0 ? '0000000000000000 A fixed_percpu_data\n' : '';
        const ascending = own.toSorted((a, b) => a.address - b.address).map(line(image, ''));
        const text = [
          percpu,
          ...ascending,
          ...ext4.map(line(modules, 'ext4')),
          ...bpf.map(line(modules + distance, 'bpf')),
        ];
        const symbols = new Kallsyms(Buffer.from(text.join('')));
        for (const base of [image, modules, modules + distance]) {
          for (let address = base - 8; address < base + 700; address += 8) {
            const found = symbols.map.lookup(address);
            const said = found && line(found.address, found.module)({ address: 0, type: 'T', name: found.name });
            const wanted = expected(text.join(''), address);
            expect(said?.replace(/ . |\n/g, ' ')).toBe(wanted && `${wanted.replace(/ . /, ' ')} `);
          }
        }
        expect([...symbols]).toHaveLength(symbols.size);
      }),
    );
  });

  test('of programs finds nothing', () => {
    expect(new Kallsyms(Buffer.from(KALLSYMS_SAMPLE)).map.lookup(0x401000)).toBeNull();
  });

  test('finds neighbours, up to the ends', () => {
    const symbols = new Kallsyms(Buffer.from(KALLSYMS_SAMPLE));
    const around = (address: bigint, distances: readonly number[]) =>
      distances.map((distance) => symbols.map.neighbour(Number(BigInt.asIntN(64, address)), distance)?.name);
    expect(around(0xffffffff81000041n, [-3, -2, -1, 0, 1, 2, 3])).toEqual([
      undefined,
      '_stext',
      'first',
      'twice',
      'alias_of_twice',
      'last.isra.0',
      undefined,
    ]);
    expect(around(0xffffffffc0101000n, [-1, 0, 1, 2])).toEqual([undefined, 'module_function', 'twice', undefined]);
  });

  test('in modules by what is listed of where they lie, as without', () => {
    const text = `ffffffff81000000 T _stext
ffffffffc0201100 t last\t[ext4]
ffffffffc0201000 t first\t[ext4]
ffffffffc0101000 t bfq_first\t[bfq]
ffffffffc0101100 t bfq_last\t[bfq]
`;
    const listed = 'ext4 8192 Live 0xffffffffc0201000\nbfq 8192 Live 0xffffffffc0101000\n';
    for (const modules of ['', listed]) {
      const symbols = new Kallsyms(Buffer.from(text), new ModuleMap(modules));
      const name = (address: bigint) => symbols.map.lookup(Number(BigInt.asIntN(64, address)))?.name;
      const addresses = [0xffffffffc0200fffn, 0xffffffffc0201000n, 0xffffffffc02010ffn, 0xffffffffc0201100n];
      expect(addresses.map(name)).toEqual(['bfq_last', 'first', 'first', 'last']);
    }
  });

  test('vouches for what cannot have changed', () => {
    const text = `${KALLSYMS_SAMPLE}ffffffffc0201100 t second\t[ext4]
ffffffffc0301000 t bpf_prog_a\t[bpf]
ffffffffc0302000 t bpf_prog_b\t[bpf]
`;
    const symbols = new Kallsyms(Buffer.from(text));
    const sure = (address: bigint) => symbols.map.vouchesFor(Number(BigInt.asIntN(64, address)));
    expect([0xffffffff81000030n, 0xffffffff82000000n, 0xffffffffc0201020n].map(sure)).toEqual([true, true, true]);
    // below everything; behind the image; behind the last function of bfq, and of ext4; programs of BPF
    expect(
      [0xffffffff80000000n, 0xffffffff82000001n, 0xffffffffc0101001n, 0xffffffffc0201101n, 0xffffffffc0301001n].map(
        sure,
      ),
    ).toEqual([false, false, false, false, false]);
  });
});
