import { expect, it } from 'vitest';
import { argumentText } from './argument-text.ts';

it.each([
  [0n, '0'],
  [1448n, '1448'],
  [65536n, '65536'],
  [0x7fff_ffffn, '2147483647'],
  [0x8000_0000n, '0x80000000'],
  [0x7ffd_1234_5678n, '0x7ffd12345678'],
  [0xffff_8880_0010_0000n, '0xffff888000100000'],
  [0xffff_ffff_ffff_ffean, '-22'],
])('%i is shown as %s', (value, text) => {
  expect(argumentText(value)).toBe(text);
});
