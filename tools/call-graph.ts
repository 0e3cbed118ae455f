// The call graph of a kernel source tree by name, and which functions an insert may be compiled into.
import { append } from '../src/text/lists.ts';
import { functionsIn, sourceFiles } from './kernel-source.ts';

/** Folders that hold code which runs in kernels of interest; everything else only costs time. */
export const FOLDERS = [
  'arch/arm',
  'arch/arm64',
  'arch/powerpc',
  'arch/sh',
  'arch/x86',
  'block',
  'drivers',
  'fs',
  'include',
  'init',
  'io_uring',
  'ipc',
  'kernel',
  'lib',
  'mm',
  'net',
  'security',
  'sound',
  'virt',
];

interface GraphFunction {
  readonly name: string;
  readonly file: string;
  readonly isStatic: boolean;
}

interface Caller {
  readonly function: GraphFunction;
  readonly isLast: boolean;
}

export class CallGraph {
  readonly #definitions = new Map<string, GraphFunction[]>();
  /** Callers by the name they call. */
  readonly #callers = new Map<string, Caller[]>();

  static ofSource(root: string): CallGraph {
    const graph = new CallGraph();
    for (const file of sourceFiles(root, FOLDERS)) {
      for (const { name, isStatic, calls } of functionsIn(root, file)) {
        const self: GraphFunction = { name, file, isStatic };
        append(graph.#definitions, name, self);
        const seen = new Map<string, boolean>();
        for (const call of calls) seen.set(call.name, seen.get(call.name) || call.isLast);
        for (const [callee, isLast] of seen) append(graph.#callers, callee, { function: self, isLast });
      }
    }
    return graph;
  }

  has(name: string, file: string): boolean {
    return this.#definitions.get(name)?.some((definition) => definition.file === file) ?? false;
  }

  /**
   * The functions in whose frame an insert made by `name` may appear because the functions in between left none:
   * they were inlined (same file, or from a header) or ended in a jump. One array per step outwards; the first
   * holds the direct callers.
   */
  framesOf(name: string, file: string): string[][] {
    const start = this.#definitions.get(name)?.find((definition) => definition.file === file);
    if (!start) return [];
    const steps: string[][] = [];
    const seen = new Set([start]);
    let edge: { function: GraphFunction; jumps: number; endsInJump: boolean }[] = [
      { function: start, jumps: 0, endsInJump: true },
    ];
    for (let step = 0; step < MOST_STEPS && edge.length > 0; step++) {
      const outer: typeof edge = [];
      for (const inner of edge) {
        const callers = this.#callersOf(inner.function);
        // A function that everybody calls tells nothing.
        if (callers.length > MOST_CALLERS) continue;
        for (const caller of callers) {
          const isInlinable = inner.function.file === caller.function.file || inner.function.file.endsWith('.h');
          const jumps = inner.jumps + (isInlinable ? 0 : 1);
          if (seen.has(caller.function) || jumps > MOST_JUMPS || (!isInlinable && !inner.endsInJump)) continue;
          seen.add(caller.function);
          outer.push({ function: caller.function, jumps, endsInJump: caller.isLast });
        }
      }
      if (outer.length > 0) steps.push([...new Set(outer.map((caller) => caller.function.name))].sort());
      edge = outer;
    }
    return steps;
  }

  #callersOf(callee: GraphFunction): Caller[] {
    return (this.#callers.get(callee.name) ?? []).filter(({ function: { file } }) => {
      if (file === callee.file) return true;
      if (callee.isStatic && !callee.file.endsWith('.h')) return false;
      return !this.#definitions.get(callee.name)?.some((other) => other.file === file);
    });
  }
}

const MOST_STEPS = 5;
/** Jumps across files; more would make everything reach everything. */
const MOST_JUMPS = 1;
const MOST_CALLERS = 25;
