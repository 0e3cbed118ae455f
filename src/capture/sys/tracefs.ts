import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { TracefsProblem } from '../refusals/reasons.ts';
import { lockdown } from './privileges.ts';
import { cannotRead, errorCode, unlessAbsent } from './read-error.ts';

const MOUNTS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/** Where tracefs is mounted, null where it is not or may not be read. */
export function tracefs(): string | null {
  return MOUNTS.find((mount) => existsSync(`${mount}/events`)) ?? null;
}

/** What the kernel says of the files of tracefs; null where it may not be read. */
export function tracefsReadme(): string | null {
  const root = tracefs();
  try {
    return root === null ? null : readFileSync(`${root}/README`, 'latin1');
  } catch {
    return null;
  }
}

/** Why no tracepoints are listed; null where they are. */
export function whyNoTraceEvents(): TracefsProblem | null {
  if (listTraceEvents().length > 0) return null;
  if (lockdown() === 'confidentiality') return 'locked-down';
  return process.getuid?.() !== 0 && existsSync('/sys/kernel/tracing') ? 'not-root' : 'not-mounted';
}

/** The directory of a trace event, null where the kernel has no such event. */
export function traceEventDirectory(category: string, event: string): string | null {
  const root = tracefs();
  const directory = `${root}/events/${category}/${event}`;
  return root && existsSync(directory) ? directory : null;
}

/**
 * The number by which perf knows a trace event, null where the kernel has no such event.
 * @throws {UserError} it has, but cannot be asked
 */
export function traceEventId(category: string, event: string): number | null {
  const directory = traceEventDirectory(category, event);
  if (directory === null) return null;
  try {
    return Number(readFileSync(`${directory}/id`, 'latin1'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw cannotRead(`${directory}/id`, error);
  }
}

/**
 * The names of everything in a directory of tracefs: categories of events, or events of one. [] where it is not there
 * or may not be read.
 *
 * @throws {UserError} it cannot be read for another reason
 */
export function listTraceEvents(category = ''): string[] {
  const directory = `${tracefs()}/events/${category}`;
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    unlessAbsent(error, directory);
    return [];
  }
}
