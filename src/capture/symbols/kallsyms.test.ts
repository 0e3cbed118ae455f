import { describe, expect, it } from 'vitest';
import { KALLSYMS_SAMPLE } from '../../../test/support/kallsyms-sample.ts';
import { formatAddress, toUnsigned } from './address.ts';
import { Kallsyms } from './kallsyms.ts';

describe('kallsyms', () => {
  const symbols = new Kallsyms(Buffer.from(KALLSYMS_SAMPLE));

  it('finds every function of a name, in modules too, and nothing that only contains it', () => {
    expect(symbols.named('twice').map(({ module, address }) => [module, formatAddress(address)])).toEqual([
      ['', '0xffffffff81000040'],
      ['ext4', '0xffffffffc0201000'],
    ]);
    expect(symbols.named('twic')).toEqual([]);
    expect(symbols.named('some_data')).toEqual([]);
  });

  it('looks addresses up, the first name of several, modules sorted in', () => {
    const name = (address: bigint) => symbols.map.lookup(Number(BigInt.asIntN(64, address)))?.name;
    expect(name(0xffffffff8100003fn)).toBe('first');
    expect(name(0xffffffff81000041n)).toBe('twice');
    expect(name(0xffffffffc0101fffn)).toBe('module_function');
    expect(name(0xffffffff80ffffffn)).toBeUndefined();
  });

  it('leaves out padding and data', () => {
    expect([...symbols].map(({ name }) => name)).toEqual([
      '_stext',
      'first',
      'twice',
      'alias_of_twice',
      'last.isra.0',
      'module_function',
      'twice',
    ]);
  });

  it("leaves out the assembler's marks in modules of arm64", () => {
    const modules = 'ffffffc000101000 t $x\t[bfq]\nffffffc000101000 t bfq_one\t[bfq]\nffffffc000101800 t $d\t[bfq]\n';
    const arm = new Kallsyms(Buffer.from(`ffffffc081000000 T _stext\n${modules}`));
    expect([...arm].map(({ name }) => name)).toEqual(['_stext', 'bfq_one']);
    expect(arm.map.lookup(Number(BigInt.asIntN(64, 0xffffffc000101900n)))?.name).toBe('bfq_one');
    expect(arm.named('$x')).toEqual([]);
  });

  it('keeps addresses exact', () => {
    expect(toUnsigned(symbols.named('module_function')[0]!.address)).toBe(0xffffffffc0101000n);
  });

  it('says when the kernel hides addresses', () => {
    expect(symbols.hasAddresses).toBe(true);
    expect(new Kallsyms(Buffer.from('0000000000000000 T _stext\n')).hasAddresses).toBe(false);
  });
});
