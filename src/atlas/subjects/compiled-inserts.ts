import { append } from '../../text/lists.ts';
import { atlasTable } from '../files.ts';

/** A row of `atlas/compiled-inserts.tsv`: a symbol of a compiled kernel that inserts, and in which function of the source. */
export interface CompiledInsert {
  /** The build: Debian's 6.1 or 6.12. */
  readonly kernel: '6.1' | '6.12';
  /** '' for the kernel itself. */
  readonly module: string;
  readonly symbol: string;
  readonly function: string;
  readonly file: string;
  readonly primitive: string;
  readonly insn: 'call' | 'jump';
}

/** An inserting function of the source, as {@link keyOf} joins it, in the machine code of a symbol. */
interface Compiled {
  readonly module: string;
  readonly symbol: string;
  readonly key: string;
  readonly leavesFrame: boolean;
}

interface Build {
  readonly bySymbol: ReadonlyMap<string, readonly Compiled[]>;
  readonly byKey: ReadonlyMap<string, readonly Compiled[]>;
}

const builds = new Map<string, Build>();

/** Releases of the builds that were looked at; the compiler and its choices do not change within one. */
const RELEASES: readonly (readonly [CompiledInsert['kernel'], RegExp])[] = [
  ['6.1', /^6\.1\.0-\d+-amd64$/],
  ['6.12', /^6\.12\.\d+\+deb\d+(?:\+\d+)?-amd64$/],
];

/** Inserting functions found in the machine code of a function: facts of that build, a hint for other kernels. */
export function compiledInsertsOf(symbol: string, kernel: string): readonly Compiled[] {
  const build = RELEASES.find(([, release]) => release.test(kernel))?.[0] ?? '6.1';
  return buildOf(build).bySymbol.get(symbol) ?? [];
}

/**
 * Whether the inserting function would have left a frame further in than that of `symbol`: in the build of this kernel it
 * is nowhere but in other symbols, which call the insert and do not jump to it.
 */
export function wouldBeSeen(key: string, symbol: string, kernel: string): boolean {
  const build = RELEASES.find(([, release]) => release.test(kernel))?.[0];
  const compiled = build && buildOf(build).byKey.get(key);
  return compiled?.every((row) => row.leavesFrame && row.symbol !== symbol) ?? false;
}

/** A function and its file as one word. */
export function keyOf(name: string, file: string): string {
  return `${name} ${file}`;
}

function buildOf(kernel: CompiledInsert['kernel']): Build {
  let build = builds.get(kernel);
  if (!build) {
    const bySymbol = new Map<string, Compiled[]>();
    const byKey = new Map<string, Compiled[]>();
    for (const row of atlasTable<CompiledInsert[]>('compiled-inserts')) {
      if (row.kernel !== kernel) continue;
      const symbol = row.symbol.replace(/\..*/, '');
      const key = keyOf(row.function, row.file);
      const compiled = { module: row.module, symbol, key, leavesFrame: row.insn === 'call' };
      append(bySymbol, symbol, compiled);
      append(byKey, key, compiled);
    }
    build = { bySymbol, byKey };
    builds.set(kernel, build);
  }
  return build;
}
