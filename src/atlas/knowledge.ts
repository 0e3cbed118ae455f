import type { ContextKind, Entry, FrameRole, KernelKnowledge } from '../census/knowledge.ts';
import { atlasTable } from './files.ts';
import { isTreeInsert, TreeFinder } from './subjects/rbtree.ts';
import { manualName } from './syscalls.ts';

/** A rule of `atlas/entries.yaml`. */
export interface EntryRule extends Pick<Entry, 'kind' | 'name'> {
  readonly boundary?: ContextKind;
  readonly rank: number;
  readonly inner?: Readonly<Record<string, string>>;
  readonly inner_kind?: 'kthread';
  readonly functions: readonly string[];
}

/** A rule of `atlas/threads.yaml`. */
export interface ThreadRule extends Pick<Entry, 'kind' | 'name'> {
  readonly comms: readonly string[];
}

/** `atlas/instrumentation.yaml`: functions, or prefixes of functions with a `*`. */
export interface Instrumentation {
  readonly always: readonly string[];
  readonly handlers: readonly string[];
  /** Expressions for whole names. */
  readonly generated: readonly string[];
  /** Names that one of these matches, of functions that are nobody's tool. */
  readonly written: readonly string[];
  readonly probe: readonly string[];
  readonly reports: readonly Reporters[];
}

/** Functions by which the kernel reports one kind of fault. */
export interface Reporters {
  readonly report: string;
  readonly alone?: boolean;
  readonly interrupt?: boolean;
  readonly functions: readonly string[];
}

const SYSCALL = /^(?:compat_)?sys_(\w+)$/;

/** Kernel functions called sys_… that are no system call. */
const NO_SYSCALL = new Set(['sys_copyarea', 'sys_fillrect', 'sys_imageblit', 'sys_off_handler', 'sys_call_table']);

const GENERATED: FrameRole = { instrumentation: 'always' };

let loaded: KernelKnowledge | undefined;

/**
 * The roles functions have on paths (`atlas/entries.yaml`, `helpers.yaml`, `instrumentation.yaml`) and the names of
 * kernel threads (`threads.yaml`). Read once.
 */
export function kernelKnowledge(): KernelKnowledge {
  loaded ??= new AtlasKnowledge();
  return loaded;
}

class AtlasKnowledge implements KernelKnowledge {
  readonly #roles = new Map<string, FrameRole>();
  /** By name: what {@link #find} said. The same functions are asked for with every path. */
  readonly #found = new Map<string, FrameRole | null>();
  /** Roles of functions by prefix of their name. */
  readonly #prefixes: [prefix: string, role: FrameRole][] = [];

  #generated = /^$/;
  #written: ReadonlySet<string> = new Set();
  #threads: readonly { readonly pattern: RegExp; readonly entry: Entry }[] | undefined;

  #trees: TreeFinder | undefined;

  constructor() {
    for (const rule of atlasTable<EntryRule[]>('entries')) {
      const { kind, name, rank, boundary, inner, inner_kind: innerKind, functions } = rule;
      const named = { ...(inner && { inner }), ...(innerKind && { innerKind }) };
      const role: FrameRole = { entry: { kind, name, rank, ...named }, ...(boundary && { boundary }) };
      for (const name of functions) this.#add(name, role);
    }
    for (const names of Object.values(atlasTable<Record<string, string[]>>('helpers'))) {
      for (const name of names) this.#add(name, { helper: true });
    }
    this.#addTools(atlasTable<Instrumentation>('instrumentation'));
  }

  #addTools({ always, handlers, generated, written, probe, reports }: Instrumentation): void {
    for (const name of always) this.#add(name, { instrumentation: 'always' });
    for (const name of handlers) this.#add(name, { instrumentation: 'handler' });
    for (const name of probe) this.#add(name, { instrumentation: 'probe' });
    for (const { report, alone = false, interrupt = false, functions } of reports) {
      const role: FrameRole = { reports: { kind: report, isAlone: alone, inInterrupt: interrupt } };
      for (const name of functions) this.#add(name, role);
    }
    this.#generated = new RegExp(`^(?:${generated.join('|')})$`);
    this.#written = new Set(written);
  }

  role(name: string): FrameRole | undefined {
    const role = this.#roles.get(name) ?? this.#found.get(name);
    if (role !== undefined) return role ?? undefined;
    const found = this.#find(name);
    this.#found.set(name, found ?? null);
    return found;
  }

  /** The role that the form of a name gives. */
  #find(name: string): FrameRole | undefined {
    const syscall = SYSCALL.exec(name)?.[1];
    if (syscall && !NO_SYSCALL.has(name)) {
      return { entry: { kind: 'syscall', name: `${manualName(syscall)}(2)`, rank: 20 } };
    }
    if (this.#generated.test(name) && !this.#written.has(name)) return GENERATED;
    return this.#prefixes.find(([prefix]) => name.startsWith(prefix))?.[1];
  }

  entryOfComm(comm: string): Entry | undefined {
    this.#threads ??= atlasTable<ThreadRule[]>('threads').map(({ kind, name, comms }) => ({
      pattern: new RegExp(`^(?:${comms.map(commPattern).join('|')})$`),
      entry: { kind, name },
    }));
    return this.#threads.find(({ pattern }) => pattern.test(comm))?.entry;
  }

  mayCall(name: string, target: string): 'for-others' | boolean | null {
    if (!isTreeInsert(target)) return null;
    this.#trees ??= new TreeFinder();
    const trees = this.#trees.treesAt(name);
    return isTreeInsert(name) || trees.some(({ general }) => general) ? 'for-others' : trees.length > 0;
  }

  #add(name: string, role: FrameRole): void {
    if (name.endsWith('*')) this.#prefixes.push([name.slice(0, -1), role]);
    else this.#roles.set(name, { ...this.#roles.get(name), ...role });
  }
}

/** `md#_raid#` is any number's `md127_raid10`. */
function commPattern(comm: string): string {
  return comm.replace(/[.]/g, '\\.').replaceAll('*', '.*').replaceAll('#', '\\d+');
}
