import { expect, it, vi } from 'vitest';
import { Kallsyms } from '../symbols/kallsyms.ts';
import { orcTables } from './orc.ts';

/** What the kernel has, and what stands in its memory where the hash of the layout is. */
const kernel = vi.hoisted(() => ({ features: [] as string[], memory: null as string | null }));

vi.mock('../sys/features.ts', () => ({ has: (name: string) => kernel.features.includes(name) }));
vi.mock('./read-kernel.ts', () => ({
  readKernelMemory: () => (kernel.memory === null ? null : Buffer.from(kernel.memory, 'hex')),
}));

const TABLES = `ffffffff81000000 T _stext
ffffffff82000000 R __start_orc_unwind_ip
ffffffff82000400 R __stop_orc_unwind_ip
ffffffff82000400 R __start_orc_unwind
`;
const HEADER = 'ffffffff82002000 R __start_orc_header\n';
const KNOWN = 'fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24';
const NEWER = '137c36ad00000000000000000000000000000000';

function formatOf(text: string): unknown {
  const tables = orcTables(new Kallsyms(Buffer.from(text)));
  return tables !== null && tables !== 'unknown' ? [tables.format, tables.tables[0]?.count] : tables;
}

it.each([
  ['no tables', '', ['kernel reads'], null, null],
  ['before 6.3', TABLES, ['kernel reads'], null, ['2-bit', 256]],
  ['before 5.5', TABLES, [], null, null],
  ['6.3, whose layout has no name', TABLES, ['kernel reads', 'ORC signal bit'], null, 'unknown'],
  ['a layout that is known by its hash', TABLES + HEADER, ['kernel reads'], KNOWN, ['3-bit', 256]],
  ['a layout that is not', TABLES + HEADER, ['kernel reads'], NEWER, 'unknown'],
  ['memory that may not be read', TABLES + HEADER, [], null, null],
])('%s', (_, text, features, memory, expected) => {
  Object.assign(kernel, { features, memory });
  expect(formatOf(text)).toEqual(expected);
});
