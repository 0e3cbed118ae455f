import { TupleTable } from './tuple-table.ts';

/** The value of a numeric column where it is not known. */
export const UNKNOWN = -1;

/** A column of what tells calls apart besides stack and target. */
interface KeyColumn {
  /** Texts are '' where unknown, numbers {@link UNKNOWN}. */
  readonly kind: 'text' | 'number';
  /** Name of the pprof label that carries it in census files. */
  readonly label: string;
}

/**
 * What tells calls of one stack and target apart. This table is the only list of the columns: interning, merging,
 * census files and tests follow it. A new column needs a line here, a source that fills it, and mostly a dimension.
 */
export const KEY_COLUMNS = {
  /** The task's name. */
  comm: { kind: 'text', label: 'comm' },
  pid: { kind: 'number', label: 'pid' },
  cpu: { kind: 'number', label: 'cpu' },
  /** Index of the stretch of `facts.bucketMilliseconds` in which the call happened. */
  bucket: { kind: 'number', label: 'time bucket' },
  /** Recorded arguments as text, such as the name of a callback. */
  argument: { kind: 'text', label: 'argument' },
  /** What the kernel reported when it printed the stack: `hung task`, `KASAN slab-use-after-free`. */
  report: { kind: 'text', label: 'report' },
} as const satisfies Record<string, KeyColumn>;

type Columns = typeof KEY_COLUMNS;
export type KeyColumnName = keyof Columns;

/** What is known of a call besides stack and target: one value per column. */
export type CallKey = {
  readonly [C in KeyColumnName]: Columns[C]['kind'] extends 'text' ? string : number;
};

declare const keyBrand: unique symbol;
/** Index into a {@link KeyTable}. */
export type KeyId = number & { readonly [keyBrand]: 'key' };

/** Names and kinds of the columns, in the order of the table. */
export const KEY_COLUMN_LIST = Object.entries(KEY_COLUMNS) as [KeyColumnName, KeyColumn][];

/** The key of calls of which nothing is known; always the first of a table. */
export const NO_KEY = 0 as KeyId;

/** Interned keys. Texts are interned as well, so that a key is a tuple of integers. */
export class KeyTable {
  readonly #tuples = new TupleTable(KEY_COLUMN_LIST.length);
  readonly #texts: string[] = [''];
  readonly #textIds = new Map<string, number>([['', 0]]);
  readonly #tuple = new Int32Array(KEY_COLUMN_LIST.length);

  constructor() {
    this.intern({});
  }

  get size(): number {
    return this.#tuples.size;
  }

  /** The id of a key; columns left out are unknown. */
  intern(key: Partial<CallKey>): KeyId {
    for (let i = 0; i < KEY_COLUMN_LIST.length; i++) {
      const [name, { kind }] = KEY_COLUMN_LIST[i] as [KeyColumnName, KeyColumn];
      const value = key[name];
      this.#tuple[i] = kind === 'text' ? this.#textId((value as string) ?? '') : ((value as number) ?? UNKNOWN);
    }
    return this.#tuples.intern(this.#tuple) as KeyId;
  }

  /** The key of an id. */
  at(id: KeyId): CallKey {
    const key: Record<string, string | number> = {};
    for (let i = 0; i < KEY_COLUMN_LIST.length; i++) {
      const [name, { kind }] = KEY_COLUMN_LIST[i] as [KeyColumnName, KeyColumn];
      const value = this.#tuples.value(id, i);
      key[name] = kind === 'text' ? (this.#texts[value] ?? '') : value;
    }
    return key as CallKey;
  }

  #textId(text: string): number {
    let id = this.#textIds.get(text);
    if (id === undefined) {
      id = this.#texts.push(text) - 1;
      this.#textIds.set(text, id);
    }
    return id;
  }
}
