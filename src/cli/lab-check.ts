import { resolve } from 'node:path';
import { isRefused } from '../capture/refusals/refused.ts';
import { findCommand } from '../capture/run/workload-command.ts';
import { Kallsyms } from '../capture/symbols/kallsyms.ts';
import { MOST_TARGETS, type Names, resolveTargets, splitWord } from '../capture/targets/resolve-targets.ts';
import { targetSets } from '../capture/targets/target-sets.ts';
import { elfProbes } from '../image/elf.ts';
import { findSharedLibrary } from '../image/shared-library.ts';
import { guestPath } from '../lab/guest.ts';
import { guestSymbols } from '../lab/kernel-symbols.ts';
import { findKernel } from '../lab/kernels.ts';
import { type LabOptions, labSettings } from '../lab/options.ts';
import { whatWasMeant } from './target-hints.ts';

/** The function that calls the programs at a tracepoint bears its name (since 5.10). */
const TRACEPOINT = '__traceiter_';
/** Some names stand for one function, which is not known here: a few more than can be counted may turn out to be fewer. */
const MOST_NAMES = Math.ceil(MOST_TARGETS * 1.1);

/**
 * Finds what would be refused in the guest before it boots: a COMMAND that does not exist, a target that its kernel does
 * not have. What cannot be told here is left to the guest.
 *
 * @throws {Refused} as the guest would
 */
export async function checkBeforeBoot(
  targets: readonly string[],
  command: readonly string[],
  options: LabOptions,
): Promise<void> {
  checkCommand(command);
  const { kernel, modules, scheduler } = labSettings(options);
  const text = await guestSymbols(findKernel(kernel, modules), scheduler).catch(() => Buffer.alloc(0));
  if (text.length === 0) return;
  try {
    checkTargets(targets, text);
  } catch (error) {
    throw whatWasMeant(error, targets, command.length > 0, []);
  }
}

/** The guest sees the host's files and has the same PATH. */
function checkCommand([name]: readonly string[]): void {
  if (name === undefined) return;
  const isGuestsOwn = name.includes('/') && guestPath(resolve(name)) !== resolve(name);
  if (!isGuestsOwn) findCommand(name);
}

/**
 * What tracepoints and modules there will be is known only in part, and what is in the guest's own directories not at all.
 *
 * @param symbols of the guest's kernel, in the form of /proc/kallsyms
 * @throws {Refused} a target that the guest will certainly refuse
 */
export function checkTargets(targets: readonly string[], symbols: Buffer): void {
  const names = guestNames(new Kallsyms(symbols));
  for (const word of targets.flatMap(splitWord)) {
    if (word.includes(':') && /[*?[]|\/$/.test(word)) continue;
    if (word.includes('/') && guestPath(resolve(word)) !== resolve(word)) continue;
    try {
      resolveTargets([word], names);
    } catch (error) {
      if (isCertain(error)) throw error;
    }
  }
}

function isCertain(error: unknown): boolean {
  if (isRefused(error, 'no-tracepoint')) return error.refusal.near.length > 0;
  if (isRefused(error, 'too-many-targets')) return error.refusal.count > MOST_NAMES;
  return !isRefused(error, 'no-category');
}

function guestNames(kallsyms: Kallsyms): Names {
  const isKnown = (category: string, event: string) =>
    ['syscalls', 'ftrace'].includes(category) || kallsyms.named(`${TRACEPOINT}${event}`).length > 0;
  const events = () =>
    Array.from(kallsyms, ({ name }) => name)
      .filter((name) => name.startsWith(TRACEPOINT))
      .map((name) => name.slice(TRACEPOINT.length));
  return {
    kallsyms,
    sets: targetSets(),
    hasEvent: isKnown,
    events: (category) => (category === undefined ? [] : events()),
    whyNoEvents: () => null,
    userFunctions: elfProbes,
    library: findSharedLibrary,
  };
}
