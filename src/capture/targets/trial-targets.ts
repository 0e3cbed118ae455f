import { readFileSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import { elfProbes } from '../../image/elf.ts';
import type { Kallsyms } from '../symbols/kallsyms.ts';
import type { Target } from './target.ts';

/** Targets that every machine has: a kernel function that kprobes accept, one that they refuse, … */
export type TrialTarget = 'traceable function' | 'untraceable function' | 'tracepoint' | 'library function';

/** Functions that kprobes refuse, more of them than a processor of most kinds has breakpoints. */
export const SLOT_TRIALS = ['rb_insert_color', 'rb_erase', 'rb_next', 'rb_first', 'rb_prev', 'rb_last'] as const;

/** What engines are tried on: harmless to arm for a moment. Where there is none, a few words say why. */
export class TrialTargets {
  readonly #symbols: Kallsyms | null;

  /** `symbols`: those of the running kernel; null where it hides their addresses. */
  constructor(symbols: Kallsyms | null) {
    this.#symbols = symbols;
  }

  find(kind: TrialTarget): Target | string {
    switch (kind) {
      case 'traceable function':
        return this.function('vfs_read');
      case 'untraceable function':
        return this.function(SLOT_TRIALS[0]);
      case 'tracepoint':
        return { kind: 'tracepoint', name: 'sched:sched_switch', category: 'sched', event: 'sched_switch' };
      case 'library function':
        return libraryFunction();
    }
  }

  /** A kernel function. */
  function(name: string): Target | string {
    if (!this.#symbols) return "the kernel's addresses are hidden";
    const functions = this.#symbols.named(name);
    return functions.length > 0 ? { kind: 'function', name, functions } : `no function ${name} to try it on`;
  }
}

function libraryFunction(): Target | string {
  // The C library this process runs on is there for sure.
  const path = /\s(\/\S*\/libc[.-]\S*)$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[1];
  if (!path) return 'no C library to try it on';
  try {
    const found = elfProbes(path).functions.find(({ name }) => name === 'getpid');
    if (!found) return `${path} has no function to try it on`;
    return { kind: 'user', name: `${path}:getpid`, path, file: path, symbol: 'getpid', offsets: found.offsets };
  } catch (error) {
    return messageOf(error);
  }
}
