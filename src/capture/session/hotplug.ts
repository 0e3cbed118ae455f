import { readFileSync } from 'node:fs';
import type { Census } from '../../census/census.ts';
import { onlineCpus } from '../sys/kernel.ts';

/** Sees which CPUs went on- and offline while calls were counted. */
export class CpuWatch {
  /** The CPUs that were online at the start. */
  readonly cpus: readonly number[];
  readonly #softirqs: () => string;
  readonly #before: ReadonlyMap<number, number>;

  /** `text` reads /proc/softirqs. */
  constructor(cpus: readonly number[], text = readSoftirqs) {
    this.cpus = cpus;
    this.#softirqs = text;
    this.#before = softirqs(text());
  }

  /**
   * Says what that means for what was counted by events that belong to a CPU each.
   * @param watched the CPUs whose events lived from start to end; undefined where nothing hung on a CPU
   */
  report(census: Census, watched: readonly number[] | undefined, online: readonly number[] = onlineCpus()): void {
    const { cpus } = this;
    const came = online.filter((cpu) => !cpus.includes(cpu));
    // Offline at both ends, but not in between: a CPU that takes interrupts is up.
    const visited = this.#visitors().filter((cpu) => !cpus.includes(cpu) && !online.includes(cpu));
    const dropped = watched ? cpus.filter((cpu) => !watched.includes(cpu)) : [];
    const returned = dropped.filter((cpu) => online.includes(cpu));
    const gone = cpus.filter((cpu) => !online.includes(cpu));
    if (watched) {
      for (const cpu of [...came, ...visited]) {
        census.warn({ code: 'cpu-came', cpu });
      }
      for (const cpu of returned) {
        census.warn({ code: 'cpu-returned', cpu });
      }
      for (const cpu of gone) {
        census.note({ code: 'cpu-offline', cpu });
      }
    } else if (came.length + visited.length + gone.length > 0) {
      const list = [...came, ...visited, ...gone].sort((a, b) => a - b).join(', ');
      census.note({ code: 'cpus-changed', cpus: list });
    }
  }

  /** CPUs that handled softirqs since the start. */
  #visitors(): number[] {
    const now = softirqs(this.#softirqs());
    return [...now].filter(([cpu, count]) => count > (this.#before.get(cpu) ?? count)).map(([cpu]) => cpu);
  }
}

/** How many softirqs each CPU has handled, also those that are offline (/proc/softirqs lists all possible ones). */
export function softirqs(text: string): Map<number, number> {
  const [head = '', ...rows] = text.split('\n');
  const cpus = head.match(/\d+/g)?.map(Number) ?? [];
  const counts = new Map(cpus.map((cpu) => [cpu, 0]));
  for (const row of rows) {
    const values = row.replace(/^.*:/, '').trim().split(/\s+/).map(Number);
    for (const [i, cpu] of cpus.entries()) counts.set(cpu, (counts.get(cpu) ?? 0) + (values[i] || 0));
  }
  return counts;
}

function readSoftirqs(): string {
  try {
    return readFileSync('/proc/softirqs', 'utf8');
  } catch {
    return '';
  }
}
