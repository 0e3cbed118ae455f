import { realpathSync } from 'node:fs';
import type { Note } from '../../census/message.ts';
import { UserError } from '../../errors.ts';
import type { ElfProbe, ElfProbes } from '../../image/elf.ts';
import type { NamePattern } from './name-pattern.ts';
import { nearNames, suggestion } from './near-names.ts';
import type { UserTarget } from './target.ts';

/**
 * The function of a program or library that has this name, or those that a pattern matches. `notes` gets what the user
 * should know about them.
 *
 * @throws {UserError} there is none
 */
export function resolveUser(
  path: string,
  wanted: string | NamePattern,
  probes: ElfProbes,
  notes: Note[],
): UserTarget[] {
  const file = realPath(path);
  const target = ({ name, offsets }: ElfProbe): UserTarget => ({
    kind: 'user',
    name: `${path}:${name}`,
    path,
    file,
    symbol: name,
    offsets,
  });
  if (typeof wanted !== 'string') {
    const found = probes.functions.filter(({ name, isChooser }) => wanted.matches(name) && !isChooser);
    if (found.length === 0) throw new UserError(`no function of ${path} matches ${wanted.text}${stripped(probes)}`);
    return found.map((probe) => ({ ...target(probe), pattern: `${path}:${wanted.text}` }));
  }
  const found = probes.functions.find(({ name }) => name === wanted);
  if (!found) throw new UserError(notFound(path, wanted, probes));
  if (found.isChooser) {
    notes.push({ code: 'target-ifunc', target: wanted, path });
  }
  if (found.offsets.length > 1) {
    notes.push({ code: 'target-user-several', target: wanted, path, count: found.offsets.length });
  }
  return [target(found)];
}

function notFound(path: string, wanted: string, probes: ElfProbes): string {
  if (probes.imports.has(wanted)) return `${path} calls ${wanted} but does not contain it: name the library that does`;
  const names = probes.functions.map(({ name }) => name);
  return `${path} has no function ${wanted}${suggestion(nearNames(wanted, names))}${stripped(probes)}`;
}

function stripped({ functions, isStripped }: ElfProbes): string {
  if (functions.length === 0) return ': it has no symbols at all';
  return isStripped ? ': it is stripped, so that only functions it offers to other files are known' : '';
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
