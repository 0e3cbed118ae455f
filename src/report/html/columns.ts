import { crc32, deflateRawSync } from 'node:zlib';
import { kernelKnowledge } from '../../atlas/knowledge.ts';
import { atlasLabeller } from '../../atlas/labeller.ts';
import type { Census } from '../../census/census.ts';
import { Classifier } from '../../census/classify.ts';
import { column, type EncodedColumn } from './column-bytes.ts';
import { FAMILIES } from './families.ts';
import { RowCollector } from './page-rows.ts';
import { describeSymbols } from './page-symbols.ts';
import { orderTree, PageTree } from './page-tree.ts';

/** Number of the form that docs/page-data.md describes. */
const FORM = 1;

/** How packed data begins: `WCP1`. */
const MAGIC = 0x31504357;

/** The calls of a census as columns: {@link packColumns} makes of them what stands in the page. */
export function censusColumns(census: Census): Uint8Array {
  const knowledge = kernelKnowledge();
  const classifier = new Classifier(census, knowledge, atlasLabeller);
  const tree = new PageTree(census, knowledge);
  const collector = new RowCollector(census, classifier);
  const ordered = orderTree(tree, collector.collect(tree));
  const { count: rows, classes, stacks, dimensions, decisions, columns: ofRows } = collector.finish(ordered.position);
  const { texts, names, glosses, ...ofSymbols } = describeSymbols(census, knowledge, tree.symbols, ordered);
  const columns: EncodedColumn[] = [
    column('node:up', ordered.up),
    column('node:symbol', ordered.symbol),
    column('node:flags', ordered.flags),
    ...Object.entries(ofSymbols).map(([name, values]) => column(`symbol:${name}`, values)),
    ...ofRows,
  ];
  const head = {
    form: FORM,
    targets: census.targets,
    total: census.total,
    attributed: census.attributed,
    bucketMilliseconds: census.facts.bucketMilliseconds,
    measures: census.measures,
    nodes: ordered.up.length,
    symbols: names.length,
    rows,
    classes,
    stacks,
    families: FAMILIES,
    dimensions,
    decisions,
    texts,
    names,
    glosses,
    columns: columns.map(({ name, kind, bytes }) => ({ name, kind, bytes: bytes.length })),
  };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...columns.map(({ bytes }) => bytes)]);
}

/** Columns as base64 text: a mark, a checksum and the length of the columns, and the columns, deflated. */
export function packColumns(columns: Uint8Array): string {
  const start = Buffer.alloc(12);
  start.writeUInt32LE(MAGIC, 0);
  start.writeUInt32LE(crc32(columns), 4);
  start.writeUInt32LE(columns.length, 8);
  return Buffer.concat([start, deflateRawSync(columns, { level: 9 })]).toString('base64');
}
