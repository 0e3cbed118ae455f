import type { Census } from '../../src/census/census.ts';
import { censusColumns, packColumns } from '../../src/report/html/columns.ts';
import { type PageData, readColumns } from '../../web/data/columns.ts';
import { unpack } from '../../web/data/unpack.ts';

/** The calls of a census as the page gets them. */
export async function pageDataOf(census: Census): Promise<PageData> {
  return readColumns(await unpack(packColumns(censusColumns(census))));
}
