import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { decompressBytes } from '../image/compression.ts';
import { moduleFiles, moduleName } from '../image/module-files.ts';

/** One module, ready for insmod. */
export interface KernelModule {
  readonly name: string;
  readonly content: Buffer;
}

/** The modules of one kernel: what there is below `lib/modules/RELEASE`. */
export interface ModuleTree {
  readonly directory: string;
  /** Module name (with underscores) to file. */
  readonly files: ReadonlyMap<string, string>;
  readonly builtin: ReadonlySet<string>;
}

/** Reads what modules there are; the files themselves stay unread. */
export function readModuleTree(directory: string): ModuleTree {
  const files = new Map(moduleFiles(directory).map(({ name, path }) => [name, path]));
  const builtinList = join(directory, 'modules.builtin');
  const builtin = existsSync(builtinList) ? readFileSync(builtinList, 'utf8').trim().split('\n') : [];
  return { directory, files, builtin: new Set(builtin.map(moduleName)) };
}

/**
 * The wanted modules and everything they depend on, in loading order.
 * Dependencies come from `modules.dep` where there is one, otherwise from the modules themselves:
 * a distribution package has none before depmod has run, which is no part of every machine.
 *
 * @throws UserError if a wanted module or a dependency is neither in the tree nor built in
 */
export async function modulesInOrder(tree: ModuleTree, wanted: readonly string[]): Promise<KernelModule[]> {
  const dependencies = readModulesDep(tree.directory);
  const order = new Map<string, Buffer>();
  const visit = async (name: string, neededBy: string | undefined): Promise<void> => {
    if (order.has(name) || tree.builtin.has(name)) return;
    const file = tree.files.get(name);
    if (file === undefined) {
      const why = neededBy === undefined ? 'the lab needs it' : `${neededBy} needs it`;
      throw new UserError(`no kernel module ${name} in ${tree.directory} (${why}); build the kernel with it`);
    }
    const content = await decompressBytes(readFileSync(file));
    for (const dependency of dependencies?.get(name) ?? dependsOf(content)) await visit(dependency, name);
    order.set(name, content);
  };
  for (const name of wanted) await visit(name, undefined);
  return [...order].map(([name, content]) => ({ name, content }));
}

/** `kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko …`: nearest dependency first, all of them. */
function readModulesDep(directory: string): Map<string, string[]> | undefined {
  const file = join(directory, 'modules.dep');
  if (!existsSync(file)) return undefined;
  const dependencies = new Map<string, string[]>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [module, list] = line.split(':', 2);
    if (module && list !== undefined) {
      dependencies.set(moduleName(module), list.split(' ').filter(Boolean).map(moduleName));
    }
  }
  return dependencies;
}

/** The `depends=` entry of the `.modinfo` section: names separated by commas. */
function dependsOf(content: Buffer): string[] {
  const key = '\0depends=';
  const start = content.indexOf(key, 0, 'latin1');
  if (start < 0) return [];
  const from = start + key.length;
  return content.toString('latin1', from, content.indexOf(0, from)).split(',').filter(Boolean).map(moduleName);
}
