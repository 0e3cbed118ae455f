// Which module a source file is built into, as far as the Makefiles of its folder say.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** For one folder of a kernel tree: object base name -> name of the module it may be part of. */
export function modulesOfFolder(folder: string): Map<string, string> {
  const parts = new Map<string, string[]>();
  const modules = new Set<string>();
  for (const line of makefileLines(folder)) {
    const assignment = /^([\w.$()-]+)\s*[:+?]?=\s*(.*)$/.exec(line);
    if (!assignment) continue;
    const [, target = '', value = ''] = assignment;
    const objects = value.split(/\s+/).filter((word) => /^[\w./-]+\.o$/.test(word));
    if (/^obj-(?:m|\$\(CONFIG_\w+\))$/.test(target)) {
      for (const object of objects) modules.add(object.slice(0, -2));
    } else {
      // ext4-y, ext4-objs, ext4-$(CONFIG_FS_DAX)
      const composite = /^([\w-]+?)-(?:y|m|objs|\$\(CONFIG_\w+\)|objs-\$\(CONFIG_\w+\))$/.exec(target)?.[1];
      if (composite) parts.set(composite, [...(parts.get(composite) ?? []), ...objects.map((o) => o.slice(0, -2))]);
    }
  }
  const moduleOf = new Map<string, string>();
  for (const module of modules) {
    const name = (module.split('/').at(-1) ?? module).replaceAll('-', '_');
    moduleOf.set(module, name);
    for (const part of parts.get(module) ?? []) moduleOf.set(part, name);
  }
  return moduleOf;
}

/** The lines of a folder's Makefile, continuation lines joined, comments off. */
function makefileLines(folder: string): string[] {
  for (const name of ['Kbuild', 'Makefile']) {
    const file = join(folder, name);
    if (!existsSync(file)) continue;
    return readFileSync(file, 'utf8')
      .replace(/\\\n/g, ' ')
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim());
  }
  return [];
}
