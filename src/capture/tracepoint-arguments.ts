import { readdirSync, readFileSync } from 'node:fs';
import { Btf } from './btf.ts';
import type { TracepointTarget } from './targets.ts';
import { traceEventDirectory } from './tracefs.ts';

const BTF = '/sys/kernel/btf';

/** How many arguments a tracepoint passes on; null where the kernel does not say. */
export function tracepointArguments({ category, event }: TracepointTarget): number | null {
  try {
    if (category === 'syscalls') {
      return syscallArguments(readFileSync(`${traceEventDirectory(category, event)}/format`, 'utf8'));
    }
    const image = new Btf(readFileSync(`${BTF}/vmlinux`));
    return probeArguments(image, event) ?? ofModules(image, event);
  } catch {
    return null; // built without, or hidden
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

function ofModules(image: Btf, event: string): number | null {
  for (const module of readdirSync(BTF)) {
    if (module === 'vmlinux') continue;
    const found = probeArguments(new Btf(readFileSync(`${BTF}/${module}`), image), event);
    if (found !== null) return found;
  }
  return null;
}

/** The type of an event's probes has one argument that is theirs, before those of the event. */
function probeArguments(types: Btf, event: string): number | null {
  const all = types.argumentsOf(`btf_trace_${event}`);
  return all === null ? null : all - 1;
}
