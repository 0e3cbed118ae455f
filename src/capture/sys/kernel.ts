import { readFileSync } from 'node:fs';
import { Refused } from '../refusals/refused.ts';
import { unlessExhausted } from './read-error.ts';

/**
 * The first line of a file of /proc or /sys, null where there is none or it may not be read.
 * @throws {Refused} no file can be read any more (EMFILE)
 */
export function readLine(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').split('\n', 1)[0] ?? null;
  } catch (error) {
    unlessExhausted(error, path);
    return null;
  }
}

/** The numbers of a kernel list such as `0-3,8,10-11`. */
export function parseCpuList(list: string): number[] {
  const cpus: number[] = [];
  for (const range of list.trim().split(',')) {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (from === undefined) continue;
    for (let cpu = Number(from); cpu <= Number(to ?? from); cpu++) cpus.push(cpu);
  }
  return cpus;
}

/**
 * The CPUs that are online now.
 * @throws {Refused} the kernel does not say
 */
export function onlineCpus(): number[] {
  return cpus('online');
}

/**
 * How many CPUs per-CPU maps have a slot for; the kernel writes that many values whatever room there is.
 * @throws {Refused} the kernel does not say
 */
export function possibleCpus(): number {
  return Math.max(...cpus('possible')) + 1;
}

function cpus(which: 'online' | 'possible'): number[] {
  const path = `/sys/devices/system/cpu/${which}`;
  const list = parseCpuList(readLine(path) ?? '');
  if (list.length === 0) throw new Refused({ code: 'no-sysfs', path });
  return list;
}

/** The number by which perf knows a kind of event source (`kprobe`, `uprobe`), null where the kernel has none. */
export function perfSourceType(source: string): number | null {
  const type = readLine(`/sys/bus/event_source/devices/${source}/type`);
  return type === null ? null : Number(type);
}

/** How many interrupts the machine has handled since it was started; 0 where it does not say. */
export function interruptCount(): number {
  try {
    return Number(/^intr (\d+)/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
