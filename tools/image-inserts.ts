// Which symbols of a compiled kernel insert into a red-black tree: read from its machine code, modules included.
import { CallGraph } from '../src/image/call-graph.ts';
import { CallerFinder, reachableNames } from '../src/image/callers.ts';
import { KernelImage } from '../src/image/kernel-image.ts';
import { mentions, moduleCalls } from '../src/image/module-calls.ts';
import { moduleFiles, readModules } from '../src/image/module-files.ts';

/** The functions of the kernel that insert; all else calls these. */
const PRIMITIVES = ['rb_insert_color', '__rb_insert_augmented'];

/** A symbol that inserts, as `atlas/compiled-inserts.tsv` has it without what only debug information tells. */
export interface InsertingSymbol {
  /** '' for the kernel image. */
  readonly module: string;
  readonly symbol: string;
  readonly primitive: string;
  readonly insn: 'call' | 'jump';
}

/** One text for one {@link InsertingSymbol}. */
export function insertKey({ module, symbol, primitive, insn }: InsertingSymbol): string {
  return [module, symbol, primitive, insn].join('\t');
}

/**
 * Every symbol of a kernel that inserts, once for each way.
 *
 * @param image vmlinuz or vmlinux
 * @param modules the folder of its modules; '' for none
 */
export async function insertingSymbols(image: string, modules: string): Promise<InsertingSymbol[]> {
  const graph = new CallGraph(await KernelImage.open(image));
  const wanted = new Set(PRIMITIVES.flatMap((name) => [...reachableNames(graph, name)]));
  const looked: { name: string; calls: ReturnType<typeof moduleCalls> }[] = [];
  const { failed } = await readModules(modules === '' ? [] : moduleFiles(modules), ({ name, path }, file) => {
    if ([...wanted].some((one) => mentions(file, one))) {
      looked.push({ name, calls: moduleCalls(file, path, (target) => wanted.has(target)) });
    }
  });
  if (failed.length > 0) throw new Error(failed.map(({ module, why }) => `${module.path}: ${why}`).join('\n'));
  const finder = new CallerFinder(graph, looked);
  const found = new Map<string, InsertingSymbol>();
  for (const primitive of PRIMITIVES) {
    for (const { symbol, module, kind } of finder.callersOf(primitive).sites) {
      // What inserts for its callers within lib/rbtree.c is no symbol of a tree.
      const row: InsertingSymbol = { module, symbol, primitive, insn: kind === 'jump' ? 'jump' : 'call' };
      found.set(insertKey(row), row);
    }
  }
  return [...found.values()];
}
