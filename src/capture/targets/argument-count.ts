import { readdirSync, readFileSync } from 'node:fs';
import { Btf } from '../symbols/btf.ts';
import type { KernelFunction } from '../symbols/function-map.ts';
import { traceEventDirectory } from '../sys/tracefs.ts';
import type { Target, TracepointTarget } from './target.ts';

const BTF = '/sys/kernel/btf';

/** How many arguments a target has, read from what the kernel tells of its types. */
export class ArgumentCounts {
  readonly #types = new Map<string, Btf>();

  /** How many arguments a kernel function has, or a tracepoint passes on; null where the kernel does not say. */
  of(target: Target): number | null {
    try {
      if (target.kind === 'tracepoint') return this.#ofTracepoint(target);
      if (target.kind === 'user') return null;
      const counts = target.functions.map((one) => this.#ofFunction(one));
      return counts.includes(null) ? null : Math.max(...counts.map(Number));
    } catch {
      return null; // built without, or hidden
    }
  }

  /** The compiler may have taken arguments from the copies it made, whose names have a dot. */
  #ofFunction({ name, module }: KernelFunction): number | null {
    return name.includes('.') ? null : this.#typesOf(module || 'vmlinux').argumentsOfFunction(name);
  }

  #ofTracepoint({ category, event }: TracepointTarget): number | null {
    if (category === 'syscalls') {
      return syscallArguments(readFileSync(`${traceEventDirectory(category, event)}/format`, 'utf8'));
    }
    for (const module of ['vmlinux', ...readdirSync(BTF).filter((name) => name !== 'vmlinux')]) {
      const all = this.#typesOf(module).argumentsOf(`btf_trace_${event}`);
      // The type of an event's probes has one argument that is theirs, before those of the event.
      if (all !== null) return all - 1;
    }
    return null;
  }

  #typesOf(module: string): Btf {
    let types = this.#types.get(module);
    if (!types) {
      types = new Btf(readFileSync(`${BTF}/${module}`), module === 'vmlinux' ? null : this.#typesOf('vmlinux'));
      this.#types.set(module, types);
    }
    return types;
  }
}

/**
 * The fields of the format of a system call's event that hold its arguments, or what it returned:
 *
 * ```
 * 	field:int __syscall_nr;	offset:8;	size:4;	signed:1;
 *
 * 	field:unsigned int fd;	offset:16;	size:8;	signed:0;
 * ```
 */
export function syscallArguments(format: string): number {
  return [...format.matchAll(/^\tfield:(?!.*\b(?:common_\w+|__syscall_nr);)/gm)].length;
}
