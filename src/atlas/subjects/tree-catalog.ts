import { atlasTable } from '../files.ts';
import type { Versioned } from '../versions.ts';

/** A record of `atlas/trees/`: one kind of red-black tree. Its fields are described in docs/atlas-trees.md. */
export interface TreeRecord {
  readonly id: string;
  readonly name: string;
  readonly root: Versioned;
  readonly node: Versioned;
  readonly key: Versioned;
  readonly purpose: Versioned;
  /** What is held while a node is inserted. */
  readonly lock?: Versioned;
  /** How many nodes are usual. */
  readonly nodes?: string;
  /** Functions that search it. */
  readonly searched_by?: readonly string[];
  /** Why a tree, and what it costs. */
  readonly why?: string;
  /** What it was before, and is after, in other versions. */
  readonly history?: string;
  /** Functions that pass on what another one further out decided; clauses are heard through them. */
  readonly through?: readonly string[];
  /** Functions further out under which nothing is inserted into this tree, though the inserting frame admits it. */
  readonly never_under?: readonly string[];
  /** The record of a helper that inserts into whichever tree its caller names. */
  readonly general?: boolean;
  readonly rotate?: readonly string[];
  readonly augmented?: string;
  readonly likelier_than?: readonly string[];
  readonly because?: string;
  /** What has happened when an entry is inserted: one clause, or one per function. */
  readonly decided?: Versioned | Readonly<Record<string, Versioned>>;
  readonly inserted_by: readonly Inserter[];
  /**
   * Folders whose functions come to an inserter by jumps that leave no frame, too many to list: without a tree of their
   * own they insert into this one. `says` is their clause.
   */
  readonly reached_from?: { readonly folders: readonly string[]; readonly says: string };
}

/** A function that inserts into a tree. */
export interface Inserter {
  readonly function: string;
  readonly file: string;
  readonly kernels: string;
  /** The helper it inserts with, where it inserts into other trees without. */
  readonly through?: string;
}

/** A place in a kernel's source where something is inserted: `atlas/insert-sites.tsv`. */
export interface InsertSite {
  /** The version whose source was read: `6.1`. */
  readonly kernel: string;
  readonly file: string;
  readonly line: string;
  readonly function: string;
  /** The function or macro that inserts there. */
  readonly insert: string;
}

/** Where a function inserts, in every kernel whose source was read. */
export function insertSites({ function: name, file }: Inserter): readonly InsertSite[] {
  return atlasTable<InsertSite[]>('insert-sites').filter((site) => site.function === name && site.file === file);
}

/** The tree of an id; undefined where there is none. */
export function treeRecord(id: string): TreeRecord | undefined {
  return treeRecords().find((tree) => tree.id === id);
}

/** All trees the atlas knows. */
export function treeRecords(): readonly TreeRecord[] {
  return atlasTable<TreeRecord[]>('trees');
}
