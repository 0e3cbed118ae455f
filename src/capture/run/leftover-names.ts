import { pidNamespaceNumber } from '../sys/pid-namespace.ts';
import { isThere } from '../sys/processes.ts';

/**
 * Names for what a run leaves behind when it is killed, so that the next one knows it: with its pid and the number of
 * the PID namespace that the pid is of.
 */
export class RunNames {
  readonly prefix: string;

  /** @param separator between the parts of a name: `-` */
  constructor(separator: string) {
    this.prefix = ['whocalls', pidNamespaceNumber(), ''].join(separator);
  }

  /** The name for this run. */
  get own(): string {
    return `${this.prefix}${process.pid}`;
  }

  /** Those names that belong to runs that are gone. */
  ofTheDead(names: readonly string[]): string[] {
    return names.filter((name) => {
      const pid = name.startsWith(this.prefix) ? Number(name.slice(this.prefix.length)) : 0;
      return pid > 0 && !isThere(pid);
    });
  }
}
