// Reads the C sources of a Linux kernel as far as the atlas needs them: which function calls which, by name.
// Not a C parser. It relies on the kernel's coding style: a function's braces stand in column 0 (the closing one
// always, the opening one unless it ends the line of the signature).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A function as it stands in a source file. */
export interface SourceFunction {
  readonly name: string;
  /** Path within the source tree. */
  readonly file: string;
  /** First line of the body, counted from 1. */
  readonly line: number;
  /** Static functions are seen by their own file (or, from a header, by whoever includes it) alone. */
  readonly isStatic: boolean;
  readonly isInline: boolean;
  /** Names that stand before an opening bracket in the body, with their lines. */
  readonly calls: readonly SourceCall[];
}

export interface SourceCall {
  readonly name: string;
  readonly line: number;
  /** The call stands at the end of the function or behind `return`: compilers may turn it into a jump. */
  readonly isLast: boolean;
  /** The arguments as far as they stand in the call's line and the next, without blanks. */
  readonly arguments: readonly string[];
  /** The function stands in no file: a macro makes it. */
  readonly isGenerated?: boolean;
}

/** How close to its end a function's last call may stand: unlocking and checks may compile to nothing. */
const LAST_LINES = 10;

const ATTRIBUTE =
  /^(?:__attribute__|__acquires|__releases|__must_hold|__cond_acquires|__printf|__aligned|__section|__no_\w+|noinline_for_stack|DEFINE_\w+|EXPORT_\w+|BPF_CALL_\d)$/;
const KEYWORD = /^(?:if|for|while|switch|return|sizeof|typeof|__typeof__|defined|case|do|else|asm|__asm__)$/;

/** Paths of all `.c` and `.h` files below these folders of a source tree. */
export function sourceFiles(root: string, folders: readonly string[]): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory()) walk(path);
      else if (/\.[ch]$/.test(entry.name)) found.push(path);
    }
  };
  for (const folder of folders) walk(folder);
  return found.sort();
}

/** The functions of one file. */
export function functionsIn(root: string, file: string): SourceFunction[] {
  return parseFunctions(readFileSync(join(root, file), 'latin1'), file);
}

/** The functions of a C text. */
export function parseFunctions(text: string, file: string): SourceFunction[] {
  const lines = withoutComments(text).split('\n');
  const functions: SourceFunction[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const opens =
      line === '{' ||
      (/^[A-Za-z_].*\)\s*(?:__\w+\s*)*\{\s*$/.test(line) && !/^(?:struct|union|enum|typedef)\b/.test(line));
    if (!opens && !/^\s+.*\)\s*\{\s*$/.test(line)) continue;
    const signature = signatureBefore(lines, i);
    if (signature === undefined) continue;
    const name = nameIn(signature);
    if (name === undefined) continue;
    let end = i + 1;
    while (end < lines.length && !(lines[end] ?? '').startsWith('}')) end++;
    const calls: SourceCall[] = [];
    for (let at = i + 1; at < end; at++) {
      const text = lines[at] ?? '';
      for (const { 0: opening, 1: callee = '', index } of text.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
        if (KEYWORD.test(callee)) continue;
        const isLast = end - at <= LAST_LINES || /^\s*return\b/.test(text);
        const after = `${text.slice(index + opening.length)} ${lines[at + 1] ?? ''}`;
        calls.push({ ...guarded(callee, argumentsIn(after)), line: at + 1, isLast });
      }
    }
    functions.push({
      name,
      file,
      line: i + 1,
      isStatic: /\bstatic\b/.test(signature),
      isInline: /\binline\b|__always_inline/.test(signature),
      calls,
    });
    i = end;
  }
  return [...functions, ...generatedFunctions(text, file)];
}

/** Macros with parameters that call something, as if they were inline functions. */
export function macrosIn(root: string, file: string): SourceFunction[] {
  const text = withoutComments(readFileSync(join(root, file), 'latin1'));
  return [...text.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)\([^)]*\)((?:[^\n\\]|\\\n|\\.)*)/gm)].map(
    ([, name = '', body = '']) => {
      const dense = body.replaceAll('\\\n', ' ');
      const calls = [...dense.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)].map(({ 0: opening, 1: callee = '', index }) => ({
        ...guarded(callee, argumentsIn(dense.slice(index + opening.length))),
        line: 0,
        isLast: false,
      }));
      return { name, file, line: 0, isStatic: true, isInline: true, calls };
    },
  );
}

/** `guard(mutex)(&lock)` and `scoped_guard(mutex, &lock)` take a lock: calls of guard_mutex. */
function guarded(name: string, [first = '', ...others]: readonly string[]): Pick<SourceCall, 'name' | 'arguments'> {
  if (name === 'scoped_guard') return { name: `guard_${first}`, arguments: others };
  const [, kind, thing] = name === 'guard' ? (/^(\w+)\)\((.*)$/.exec(first) ?? []) : [];
  return kind === undefined
    ? { name, arguments: [first, ...others] }
    : { name: `guard_${kind}`, arguments: [thing ?? '', ...others] };
}

/** The arguments of a call from behind its opening bracket; `guard(mutex)(&lock)` keeps its second bracket. */
function argumentsIn(text: string): string[] {
  const found: string[] = [''];
  let depth = 1;
  const dense = text.replace(/\s+/g, '');
  for (let i = 0; i < dense.length; i++) {
    const c = dense[i] as string;
    if (c === '(' || c === '[') depth++;
    if (c === ')' || c === ']') depth--;
    if (depth === 0 && !(dense[i + 1] === '(' && found.length === 1)) break;
    if (c === ',' && depth === 1) found.push('');
    else found[found.length - 1] += c;
  }
  return found;
}

/**
 * The insert functions that macros generate: `INTERVAL_TREE_DEFINE(struct vm_area_struct, …, vma_interval_tree)` makes
 * vma_interval_tree_insert, Ceph's `DEFINE_RB_FUNCS(request, …)` makes __insert_request and insert_request.
 */
function generatedFunctions(text: string, file: string): SourceFunction[] {
  const functions: SourceFunction[] = [];
  const add = (index: number, name: string, callee: string, isStatic: boolean): void => {
    const line = text.slice(0, index).split('\n').length;
    functions.push({
      name,
      file,
      line,
      isStatic,
      isInline: false,
      calls: [{ name: callee, line, arguments: [], isLast: true, isGenerated: true }],
    });
  };
  for (const { 1: body = '', index } of text.matchAll(/^INTERVAL_TREE_DEFINE\(([^;{]*?)\)\s*(?:;|$)/gm)) {
    const parts = body
      .replace(/\/\*.*?\*\//g, '')
      .split(',')
      .map((part) => part.trim());
    const prefix = parts.at(-1) ?? '';
    add(index, `${prefix}_insert`, 'rb_insert_augmented_cached', (parts.at(-2) ?? '').includes('static'));
  }
  for (const { 1: name = '', index } of text.matchAll(/^DEFINE_RB_(?:INSDEL_)?FUNCS2?\((\w+),/gm)) {
    add(index, `__insert_${name}`, 'rb_insert_color', true);
    add(index, `insert_${name}`, `__insert_${name}`, true);
  }
  return functions;
}

/** The text from the start of a definition to the brace in line `at`; undefined where no definition can be. */
function signatureBefore(lines: readonly string[], at: number): string | undefined {
  const parts = [(lines[at] ?? '').replace(/\{\s*$/, '')];
  for (let i = at; i >= 0 && at - i < 12; i--) {
    const line = lines[i] ?? '';
    if (i < at) parts.unshift(line);
    // A definition starts in column 0; its type may stand in a line of its own, which does not matter here.
    if (/^[A-Za-z_]/.test(line) && line.includes('(')) {
      const before = lines[i - 1] ?? '';
      return /^(?:static|inline|noinline|__always_inline)\b[^;=]*$/.test(before)
        ? `${before} ${parts.join(' ')}`
        : parts.join(' ');
    }
    if (i < at && (line === '' || line.startsWith('}') || line.startsWith('#') || line.endsWith(';'))) return undefined;
  }
  return undefined;
}

function nameIn(signature: string): string | undefined {
  const syscall = /^(?:COMPAT_)?SYSCALL_DEFINE\d\((\w+)/.exec(signature);
  if (syscall) return `sys_${syscall[1]}`;
  const bpf = /^BPF_CALL_\d\((\w+)/.exec(signature);
  if (bpf) return bpf[1];
  for (const [, name = ''] of signature.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
    if (!ATTRIBUTE.test(name) && !KEYWORD.test(name)) return name;
  }
  return undefined;
}

/** The text with comments and string contents blanked, line breaks kept. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\\n])*"/g, (match) =>
    match.startsWith('"') ? '""' : match.replace(/[^\n]/g, ''),
  );
}
