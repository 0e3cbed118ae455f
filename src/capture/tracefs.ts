import { existsSync, readdirSync } from 'node:fs';
import { lockdown } from './sys/refusal.ts';

const MOUNTS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/** Where tracefs is mounted, null where it is not or may not be read. */
export function tracefs(): string | null {
  return MOUNTS.find((mount) => existsSync(`${mount}/events`)) ?? null;
}

/** Why no tracepoints are listed, and what to do; '' where they are. */
export function whyNoTraceEvents(): string {
  if (listTraceEvents().length > 0) return '';
  if (lockdown() === 'confidentiality') return 'the kernel is locked down (confidentiality)';
  if (process.getuid?.() !== 0 && existsSync('/sys/kernel/tracing')) return 'only root may read /sys/kernel/tracing';
  return 'tracefs is not at /sys/kernel/tracing (mount -t tracefs tracefs /sys/kernel/tracing)';
}

/** The directory of a trace event, null where the kernel has no such event. */
export function traceEventDirectory(category: string, event: string): string | null {
  const root = tracefs();
  const directory = `${root}/events/${category}/${event}`;
  return root && existsSync(directory) ? directory : null;
}

/** The names of everything in a directory of tracefs: categories of events, or events of one. */
export function listTraceEvents(category = ''): string[] {
  try {
    return readdirSync(`${tracefs()}/events/${category}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
