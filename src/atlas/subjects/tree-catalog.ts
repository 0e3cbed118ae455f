import { atlasTable } from '../files.ts';

/** A record of `atlas/trees/`: one kind of red-black tree. Its fields are described in docs/atlas-trees.md. */
export interface TreeRecord {
  readonly id: string;
  readonly name: string;
  readonly root: string;
  readonly node: string;
  readonly key: string;
  readonly purpose: string;
  /** The record of a helper that inserts into whichever tree its caller names. */
  readonly general?: boolean;
  readonly rotate?: readonly string[];
  readonly augmented?: string;
  readonly likelier_than?: readonly string[];
  readonly because?: string;
  /** What has happened when an entry is inserted: one clause, or one per function on the path. */
  readonly decided?: string | Readonly<Record<string, string>>;
  readonly inserted_by: readonly Inserter[];
}

/** A function that inserts into a tree. */
export interface Inserter {
  readonly function: string;
  readonly file: string;
  readonly kernels: string;
  /** The helper it inserts with, where it inserts into other trees without. */
  readonly through?: string;
}

/** All trees the atlas knows. */
export function treeRecords(): readonly TreeRecord[] {
  return atlasTable<TreeRecord[]>('trees');
}
