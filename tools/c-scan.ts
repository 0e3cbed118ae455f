// Finds the functions that C and assembly sources of the kernel define. Not a parser: it relies on how kernel code is
// laid out (a closing brace in the first column ends a function), and it looks into every #if branch, because the
// map is for every configuration. Functions made by macros are found by expanding the macros used at file level.

/** A macro with parameters: `#define DEFINE_X(name) static int name##_show(…) {`. */
export interface Macro {
  readonly parameters: readonly string[];
  readonly body: string;
}

export interface Scan {
  readonly functions: Set<string>;
  readonly macros: Map<string, Macro>;
}

/** Finds a macro by name, as seen from the file that uses it. */
export type FindMacro = (name: string) => Macro | undefined;

const MAX_EXPANSION = 4;

/** Words that look like a call in front of a body or after a parameter list, but are attributes or statements. */
const NOT_A_FUNCTION = new Set(
  `if for while switch do else return sizeof typeof defined __attribute__ __printf __scanf __acquires __releases
  __must_hold __acquire __release __aligned __section __alloc_size __no_sanitize __cond_acquires __counted_by __malloc
  __releases_shared __assume_aligned __nonnull __diagnose_as __diag_ignore __diag_ignore_all asm __asm__ volatile
  __nonstring __realloc_size __alias __printf_like BPF_FUNC fastpath __overloads noinline_if fallthrough __error
  __warning __compiletime_error __compiletime_warning __guarded_by __cleanup __counted_by_le _Static_assert
  static_assert __diag_push __diag_pop __cond_releases`.split(/\s+/),
);

/** Replaces comments and the inside of literals by spaces. Newlines stay, so that columns and lines do. */
export function stripComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/g, (match) =>
    // A comment in a macro's body keeps the backslashes that continue its lines.
    match.startsWith('/') ? match.replace(/\\\n|[^\n]/g, (piece) => (piece.length > 1 ? piece : ' ')) : '""',
  );
}

/** Takes the preprocessor lines out of a stripped source: the rest, and the macros with parameters. */
export function splitMacros(stripped: string): { code: string; macros: Map<string, Macro> } {
  const macros = new Map<string, Macro>();
  const code = stripped.replace(/^[ \t]*#(?:[^\n\\]|\\[^\n]|\\\n)*/gm, (directive) => {
    const joined = directive.replace(/\\\n/g, '\n');
    const define = /^[ \t]*#[ \t]*define[ \t]+(\w+)\(([^)]*)\)([\s\S]*)$/.exec(joined);
    if (define) {
      const [, name = '', parameters = '', body = ''] = define;
      if (!macros.has(name) && body.includes('(')) {
        macros.set(name, { parameters: parameters.split(',').map((parameter) => parameter.trim()), body });
      }
    }
    return '';
  });
  return { code, macros };
}

/** A word followed by a parenthesised list at the top level of a declaration. */
interface Call {
  readonly name: string;
  readonly argumentText: string;
  /** Whether a word or `*` stands right before: `int foo(…)`, but not `MACRO(…)` at the start or after another list. */
  readonly typed: boolean;
}

/** The calls at the top level of a declaration, up to the `=` of an initialised variable. */
function topLevelCalls(declaration: string): { calls: Call[]; initialised: boolean } {
  const calls: Call[] = [];
  const token = /[A-Za-z_]\w*|\*|\(|=|\)|[^\s\w]/g;
  let previous = '';
  let beforePrevious = '';
  for (let match = token.exec(declaration); match; match = token.exec(declaration)) {
    const word = match[0];
    if (word === '=') return { calls, initialised: true };
    if (word === '(') {
      const end = closingParenthesis(declaration, match.index);
      if (/^[A-Za-z_]/.test(previous)) {
        const typed = /^[A-Za-z_*]/.test(beforePrevious);
        calls.push({ name: previous, argumentText: declaration.slice(match.index + 1, end), typed });
      }
      token.lastIndex = end + 1;
      // An attribute counts as a word of the type: `void __attribute__((weak)) foo(…)`.
      const isAttribute = NOT_A_FUNCTION.has(previous);
      beforePrevious = '';
      previous = isAttribute ? 'attribute' : ')';
      continue;
    }
    beforePrevious = previous;
    previous = word;
  }
  return { calls, initialised: false };
}

function closingParenthesis(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === 40) depth += 1;
    else if (c === 41) {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return text.length;
}

/** Splits `a, b(c, d), e` at its top-level commas. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (c === '(' || c === '{' || c === '[') depth += 1;
    else if (c === ')' || c === '}' || c === ']') depth -= 1;
    else if (c === ',' && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

/** Adds the functions that `code` (without comments and preprocessor lines) defines. */
export function scanCode(code: string, findMacro: FindMacro, functions: Set<string>, level = 0, bodyFollows = false) {
  const interesting = /[{};]/g;
  let depth = 0;
  let start = 0;
  for (let match = interesting.exec(code); match; match = interesting.exec(code)) {
    const i = match.index;
    const firstColumn = level === 0 && (i === 0 || code.charCodeAt(i - 1) === 10);
    switch (match[0]) {
      case '{':
        if (depth > 0 && firstColumn) {
          // Branches of #if left braces open: a brace in the first column begins the next function all the same.
          start = Math.max(code.lastIndexOf(';', i), code.lastIndexOf('}', i)) + 1;
          depth = 0;
        }
        if (depth === 0) declaration(code.slice(start, i), true, findMacro, functions, level);
        depth += 1;
        break;
      case '}':
        depth = firstColumn ? 0 : Math.max(0, depth - 1);
        if (depth === 0) start = i + 1;
        break;
      default:
        if (depth === 0) {
          declaration(code.slice(start, i), false, findMacro, functions, level);
          start = i + 1;
        }
    }
  }
  if (depth === 0) declaration(code.slice(start), bodyFollows, findMacro, functions, level);
}

function declaration(
  text: string,
  hasBody: boolean,
  findMacro: FindMacro,
  functions: Set<string>,
  level: number,
): void {
  if (!text.includes('(')) return;
  const { calls, initialised } = topLevelCalls(text);
  const isFunction = hasBody && !initialised;
  const defined = isFunction ? calls.findLast((call) => call.typed && !NOT_A_FUNCTION.has(call.name)) : undefined;
  if (defined) functions.add(defined.name);
  for (const call of calls) {
    // A macro right before a body may be the head of the function: DEFINE_IDTENTRY_RAW(exc_int3) { … }
    // Macros in capitals may follow stray words that the preprocessor would have taken away.
    if (!call.typed || TRACEPOINT.test(call.name))
      expand(call, findMacro, functions, level, isFunction && !defined && call === calls.at(-1));
  }
}

const TRACEPOINT = /^(?:TRACE_EVENT|DEFINE_EVENT|DECLARE_TRACE|DECLARE_EVENT_CLASS)(?:_\w+)?$/;
const SYSCALL = /^(COMPAT_)?SYSCALL(?:32|64)?_DEFINE\d$/;

function expand(call: Call, findMacro: FindMacro, functions: Set<string>, level: number, bodyFollows: boolean): void {
  const { name } = call;
  if (NOT_A_FUNCTION.has(name) || level >= MAX_EXPANSION) return;
  const given = splitArguments(call.argumentText);
  const syscall = SYSCALL.exec(name);
  if (syscall) {
    functions.add(`${syscall[1] ? 'compat_' : ''}sys_${given[0]}`);
    return;
  }
  const missing = /^COND_SYSCALL(_COMPAT)?$/.exec(name);
  if (missing) functions.add(`${missing[1] ? 'compat_' : ''}sys_${given[0]}`);
  if (TRACEPOINT.test(name)) {
    // DEFINE_EVENT(class, name, …), all others (name, …)
    const event = name.startsWith('DEFINE_EVENT') ? given[1] : given[0];
    if (event && /^\w+$/.test(event)) functions.add(`__traceiter_${event}`);
    return;
  }
  if (/^DECLARE_IDTENTRY/.test(name) && given.length > 1) functions.add(`asm_${given[1]}`);
  if (name === 'module_init') functions.add('init_module');
  const macro = findMacro(name);
  if (!macro) return;
  scanCode(substitute(macro, given), findMacro, functions, level + 1, bodyFollows);
}

function substitute(macro: Macro, given: readonly string[]): string {
  const values = new Map<string, string>();
  for (const [index, parameter] of macro.parameters.entries()) {
    const rest = parameter.endsWith('...');
    values.set(
      parameter === '...' ? '__VA_ARGS__' : parameter.replace('...', ''),
      rest ? given.slice(index).join(', ') : (given[index] ?? ''),
    );
  }
  return macro.body.replace(/\b[A-Za-z_]\w*\b/g, (word) => values.get(word) ?? word).replace(/\s*##\s*/g, '');
}

const ASSEMBLY =
  /^[ \t]*(?:SYM_(?:FUNC|CODE|TYPED_FUNC|INNER)_(?:START|LABEL)\w*|SYM_FUNC_ALIAS\w*|ENTRY|WEAK|GLOBAL|THUNK|idtentry\w*|\.globl|\.global|SYM_ENTRY)[ \t(]+([A-Za-z_]\w*)/gm;

/** The entry points an assembly source defines. */
export function scanAssembly(source: string): Set<string> {
  const functions = new Set<string>();
  for (const match of source.matchAll(ASSEMBLY)) if (match[1]) functions.add(match[1]);
  // arm64: entry_handler 1, h, 64, irq defines el1h_64_irq
  for (const [, level, mode, bits, kind] of source.matchAll(/^\s*entry_handler\s+(\d), (\w), (\d+), (\w+)/gm)) {
    functions.add(`el${level}${mode}_${bits}_${kind}`);
  }
  // Labels in the first column: `memcpy_orig:`, but not local ones (`.Lend:`, `1:`).
  for (const match of source.matchAll(/^([A-Za-z_]\w{2,}):/gm)) if (match[1]) functions.add(match[1]);
  return functions;
}
