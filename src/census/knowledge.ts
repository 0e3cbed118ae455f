/** The stretches of execution a stack can consist of; an inner one interrupted the outer ones. */
export type ContextKind = 'task' | 'softirq' | 'hardirq' | 'exception' | 'nmi';

/** The kinds of places where a path starts. */
export type EntryKind =
  | 'syscall'
  | 'interrupt'
  | 'softirq'
  | 'exception'
  | 'nmi'
  | 'kthread'
  | 'work'
  | 'idle'
  | 'fork'
  | 'boot'
  | 'user-return'
  /** The path lies in a program: its frames are functions of user space, and the atlas knows none of them. */
  | 'user'
  | 'unknown';

/** Where a path starts: `{ kind: 'syscall', name: 'write(2)' }`, `{ kind: 'interrupt', name: 'timer interrupt' }`. */
export interface Entry {
  readonly kind: EntryKind;
  readonly name: string;
  /** Of work on the way back to user space: how the kernel was entered before, `timer interrupt`. */
  readonly after?: string;
  /** The frame that would name a thread or work item is missing; the name of the task may stand in. */
  readonly isUnnamed?: boolean;
}

/** What a function is on a path, besides being one of its frames. A function may be several of these. */
export interface FrameRole {
  /** The function only passes the call on; it is never a site. */
  readonly helper?: boolean;
  /**
   * The frame belongs to what recorded the stack. `always`: it is taken off wherever it is innermost; `handler`: also
   * below one unknown frame, and what lies further out was probed; `probe`: only below frames of these kinds, because it
   * also occurs by itself (`asm_exc_int3`).
   */
  readonly instrumentation?: 'always' | 'handler' | 'probe';
  /** The function finds a fault of the kernel and prints the stack. */
  readonly reports?: {
    /** What is reported: `panic`, `KASAN`. */
    readonly kind: string;
    /** It is no caller even where it is the innermost frame, and nothing was taken off. */
    readonly isAlone: boolean;
    /** It runs in an interrupt that looks at what ran before. */
    readonly inInterrupt: boolean;
  };
  /** The function is the outermost frame of a context of this kind: what lies further out was interrupted. */
  readonly boundary?: ContextKind;
  /**
   * The function tells what its context was entered for. Of several on one path the highest rank wins, then the
   * outermost. A name may contain `%f`, replaced by the name of the next inner frame (the work function under
   * `process_one_work`, the thread function under `kthread`).
   */
  readonly entry?: Entry & {
    readonly rank: number;
    /** Names by the next inner frame, where that tells more. */
    readonly inner?: Readonly<Record<string, string>>;
    /** The kind of entries so named, where it is not the rule's. */
    readonly innerKind?: EntryKind;
  };
}

/** What the census has to be told about kernels; the atlas answers. */
export interface KernelKnowledge {
  /** The role of a kernel function, by normalised name; undefined for an ordinary one. */
  role(name: string): FrameRole | undefined;
  /**
   * What a task of this name always runs for: a kernel thread or an idle CPU. One object per kind of task; undefined
   * for every other name.
   */
  entryOfComm(comm: string): Entry | undefined;
  /**
   * Whether a function may call a target, itself or by what is compiled into it; `for-others` where that is all it does,
   * null where it is not known.
   */
  mayCall(name: string, target: string): 'for-others' | boolean | null;
}

/**
 * Kinds of things a call can be about: a red-black tree, a slab cache or kmalloc'ed memory, pages, a lock (mutex, rwsem,
 * spinlock), a timer, a work item.
 */
export type SubjectKind = 'rbtree' | 'slab' | 'pages' | 'lock' | 'timer' | 'work';

/** What a call is about. A stable id, unique within its kind, and a name to print. */
export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
  readonly name: string;
}

/** One path, as labels are chosen for it. */
export interface PathView {
  /** Frames of the path, innermost first, with normalised names; unreliable frames left out. The target comes first where it is a frame. */
  readonly frames: readonly PathFrame[];
  /** Index in `frames` of the site, -1 where every frame is target or helper. */
  readonly site: number;
  readonly entry: Entry;
  /** The name of the target, '' where unknown. */
  readonly target: string;
  /** Recorded argument, such as the name of a rotate callback; '' where none was recorded. */
  readonly argument: string;
  /** Release of the kernel the path was recorded on; '' or nothing where unknown. */
  readonly kernel?: string;
  /** The kernel printed the stack because it found a fault: where that was is known, and not what was called. */
  readonly isReport?: boolean;
  /** Every frame of the stack was unreliable. */
  readonly isDoubted?: boolean;
}

export interface PathFrame {
  readonly name: string;
  /** Kernel module, '' for the kernel image; of a user function the program or library, '' where unknown. */
  readonly module: string;
  /** Source file, where whoever recorded the stack told it: not to be looked up by name. */
  readonly file?: string;
  /** Line in that file where the function was, where it was recorded. */
  readonly line?: number;
  /** The compiler put the function into that of the next frame. */
  readonly inlined?: true;
}

/**
 * How sure the atlas is of what it says. `certain`: the path admits nothing else; `likely`: it admits other things that
 * are less probable, which are named; `unknown`: it cannot tell.
 */
export type Confidence = 'certain' | 'likely' | 'unknown';

/** What the atlas says of a path. */
export interface PathLabels {
  /** What the call is about, such as the tree into which the path inserts or the lock it takes; one object per subject. */
  readonly subject: Subject | null;
  /** How sure the atlas is of the subject; `unknown` where there is none. */
  readonly confidence: Confidence;
  /** Every subject the path admits, likeliest first. */
  readonly candidates: readonly Subject[];
  readonly subsystem: string | null;
}

/** Labels paths with what only the atlas knows; called once per distinct path, target and argument. */
export interface PathLabeller {
  label(path: PathView): PathLabels;
}
