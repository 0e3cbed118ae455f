import { realpathSync } from 'node:fs';
import type { Note } from '../../census/message.ts';
import type { ElfProbe, ElfProbes } from '../../image/elf.ts';
import { Refused } from '../refusals/refused.ts';
import type { NamePattern } from './name-pattern.ts';
import { nearNames } from './near-names.ts';
import type { UserTarget } from './target.ts';

/**
 * The function of an executable or library that has this name, or those that a pattern matches. `notes` gets what the
 * user should know about them.
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
    if (found.length === 0) throw noUserFunction(path, wanted.text, probes, true);
    return found.map((probe) => ({ ...target(probe), pattern: `${path}:${wanted.text}` }));
  }
  const found = probes.functions.find(({ name }) => name === wanted);
  if (!found && probes.imports.has(wanted)) throw new Refused({ code: 'imported-function', path, name: wanted });
  if (!found) throw noUserFunction(path, wanted, probes);
  if (found.isChooser) {
    notes.push({ code: 'target-ifunc', target: wanted, path });
  }
  if (found.offsets.length > 1) {
    notes.push({ code: 'target-user-several', target: wanted, path, count: found.offsets.length });
  }
  return [target(found)];
}

function noUserFunction(path: string, name: string, { functions, isStripped }: ElfProbes, isPattern = false): Refused {
  const names = functions.map((one) => one.name);
  const near = isPattern ? [] : nearNames(name, names);
  const symbols = names.length === 0 ? 'none' : isStripped ? 'exported' : 'all';
  return new Refused({ code: 'no-user-function', path, name, isPattern, near, symbols });
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
