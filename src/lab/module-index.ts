import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { HostTools } from './tools.ts';

/**
 * Makes what modprobe finds modules by (depmod(8)), which a package does not bring: its own script does it when it is
 * installed. Where the host has a modprobe the guest uses that, else busybox's; each wants the index in its own form.
 * Nobody sees it half done.
 *
 * @param tree the kernel's `lib/modules/RELEASE`
 * @returns whether there is an index now
 */
export function indexModules(
  tree: string,
  release: string,
  { busybox, depmod }: Pick<HostTools, 'busybox' | 'depmod'>,
): boolean {
  if (depmod === undefined && busybox === undefined) return false;
  if (existsSync(join(tree, depmod === undefined ? 'modules.dep' : 'modules.dep.bin'))) return true;
  const scratch = mkdtempSync(join(dirname(tree), '.index-'));
  try {
    const copy = join(scratch, 'lib', 'modules', release);
    mkdirSync(copy, { recursive: true });
    linkModules(tree, copy);
    for (const name of listsIn(tree)) copyFileSync(join(tree, name), join(copy, name));
    const [program = '', ...first] = depmod === undefined ? [busybox, 'depmod'] : [depmod];
    const { status } = spawnSync(program, [...first, '-b', scratch, release], { stdio: 'ignore' });
    if (status !== 0) return false;
    const devices = join(copy, 'modules.devname');
    if (!existsSync(devices)) writeFileSync(devices, devicesOf(readFileSync(join(copy, 'modules.alias'), 'latin1')));
    for (const name of listsIn(copy)) renameSync(join(copy, name), join(tree, name));
    return true;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The folder of modules again, of links to them. */
function linkModules(tree: string, copy: string): void {
  for (const entry of readdirSync(join(tree, 'kernel'), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const to = join(copy, relative(tree, path));
    if (entry.isDirectory()) mkdirSync(to, { recursive: true });
    else if (/\.ko(\.\w+)?$/.test(entry.name)) {
      mkdirSync(dirname(to), { recursive: true });
      symlinkSync(path, to);
    }
  }
}

function listsIn(tree: string): string[] {
  return readdirSync(tree).filter((name) => name.startsWith('modules.'));
}

/**
 * The devices by which a module is asked for, in the form of `modules.devname`: `loop loop-control c10:237`. busybox's
 * depmod does not write that file, but the aliases it is made of: `alias devname:loop-control loop` and
 * `alias char-major-10-237 loop`.
 */
export function devicesOf(aliases: string): string {
  const names = new Map<string, string>();
  const numbers = new Map<string, string>();
  for (const line of aliases.split('\n')) {
    const [, alias = '', module = ''] = line.split(' ');
    if (alias.startsWith('devname:')) names.set(module, alias.slice('devname:'.length));
    const [, kind = '', major, minor] = /^(char|block)-major-(\d+)-(\d+)$/.exec(alias) ?? [];
    if (kind !== '') numbers.set(module, `${kind.charAt(0)}${major}:${minor}`);
  }
  const lines = [...names].flatMap(([module, name]) => {
    const number = numbers.get(module);
    return number === undefined ? [] : [`${module} ${name} ${number}\n`];
  });
  return lines.join('');
}
