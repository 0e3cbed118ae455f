import type { SubjectKind } from '../../census/knowledge.ts';
import { atlasTable } from '../files.ts';
import type { Versioned } from '../versions.ts';

/** Kinds of things that are told by who calls; red-black trees have a finder of their own. */
export type CalledKind = Exclude<SubjectKind, 'rbtree'>;

/** A record of `atlas/subject-kinds.yaml`: a kind of things, and what is done with them. */
export interface KindRecord {
  readonly kind: CalledKind;
  /** `lock`, `slab cache`. */
  readonly noun: string;
  readonly operations: readonly Operation[];
}

/** Something that is done with things of a kind. */
export interface Operation {
  /** Unique within its kind. */
  readonly id: string;
  /** Continues "SITE …"; `{name}` stands for the name of the thing. */
  readonly says: string;
  readonly targets: readonly string[];
  /** Functions and macros as sources have them: `down_read`, `queue_work/2` where the second argument is the thing. */
  readonly calls: readonly string[];
}

/** A record of `atlas/subjects/`: a slab cache, a lock, … Its fields are described in docs/atlas.md. */
export interface SubjectRecord {
  readonly kind: CalledKind;
  /** Unique within its kind; never changes. */
  readonly id: string;
  readonly name: string;
  /** Stands behind "NAME, ". */
  readonly what?: Versioned;
  /** How sources write it where it is an argument: `dentry_cache`, `->mmap_lock`. */
  readonly expressions?: readonly string[];
  /** Files, or folders, outside of which such an expression is something else. */
  readonly in?: readonly string[];
  /** Symbols that name it where the argument was recorded. */
  readonly arguments?: readonly string[];
  readonly where?: readonly (string | Where)[];
}

/** Calls that are about the thing, by functions innermost first: `getname_flags`, `a <- b`, `a <- … <- c`. */
export interface Where {
  readonly chain: string;
  /** Ids of operations; all of the kind unless told. */
  readonly operations?: readonly string[];
  readonly kernels?: string;
  /** What the innermost function does there, and why it makes this call: continues "FUNCTION …". */
  readonly does?: Versioned;
  /** It may also be about something else that no record tells. */
  readonly likely?: true;
}

/** `atlas/subject-sites.tsv` by function: the other columns of its rows. */
export type SubjectSites = Readonly<Record<string, readonly string[]>>;

/** A row of `atlas/subject-sites.tsv`. `?` is a thing without a record. */
export interface SubjectSite {
  readonly file: string;
  readonly kernels: string;
  /** `lock:read` */
  readonly operation: string;
  /** Ids of things that the source of the function names, itself or by functions that only it calls. */
  readonly own: readonly string[];
  /** Those that functions name which may be compiled into it. */
  readonly inlined: readonly string[];
}

export function kindRecords(): readonly KindRecord[] {
  return atlasTable<KindRecord[]>('subject-kinds');
}

export function subjectRecords(): readonly SubjectRecord[] {
  return atlasTable<SubjectRecord[]>('subjects');
}

export function subjectSites(name: string): readonly SubjectSite[] {
  const sites = atlasTable<SubjectSites>('subject-sites');
  const rows = Object.hasOwn(sites, name) ? (sites[name] ?? []) : [];
  return rows.map((row) => {
    const [file = '', kernels = '', operation = '', own = '', inlined = ''] = row.split('\t');
    return { file, kernels, operation, own: listed(own), inlined: listed(inlined) };
  });
}

function listed(ids: string): string[] {
  return ids === '-' ? [] : ids.split(' ');
}
