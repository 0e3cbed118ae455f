// Finds in kernel sources which function takes which lock, allocates from which cache, arms which timer: what stands
// where the thing is an argument, held against the expressions of atlas/subjects/.

import type { KindRecord, SubjectRecord } from '../src/atlas/subjects/subject-catalog.ts';
import { append } from '../src/text/lists.ts';
import { isCovered, isStandIn, TOP_FOLDERS } from './function-scope.ts';
import { functionsIn, macrosIn, type SourceCall, type SourceFunction, sourceFiles } from './kernel-source.ts';

/** A function that does something with things. */
export interface FoundSite {
  readonly function: string;
  readonly file: string;
  /** `lock:read` */
  readonly operation: string;
  /** Ids of the things that it names, itself or by functions that only it calls; `?` for those without a record. */
  readonly own: ReadonlySet<string>;
  /** Those that functions name which may be compiled into it. */
  readonly inlined: ReadonlySet<string>;
}

/** The thing without a record. */
const OTHER = '?';
/** A static function called from more functions is no candidate for inlining; one that only one calls surely is. */
const MOST_CALLERS = 4;
const MOST_STEPS = 3;

/** A function with the things that it names itself. */
interface Scanned extends Pick<SourceFunction, 'name' | 'file' | 'isStatic' | 'isInline'> {
  readonly calls: readonly string[];
  readonly named: readonly Named[];
}

/** Inline functions that wrap each other. */
const MOST_WRAPPED = 3;

interface Named {
  readonly operation: string;
  readonly id: string;
}

/** What an inline function of a header names. */
interface Inline {
  /** Files whose path begins so may call it. */
  readonly folder: string;
  readonly named: readonly Named[];
}

/** All sites of a source tree. */
export function subjectSites(
  root: string,
  kinds: readonly KindRecord[],
  records: readonly SubjectRecord[],
): FoundSite[] {
  const matcher = new Matcher(kinds, records);
  // What the map of functions leaves out is left out here; headers may wrap calls all the same.
  const isRead = (file: string) => (file.endsWith('.h') || isCovered(file)) && !isStandIn(file);
  const files = sourceFiles(root, TOP_FOLDERS).filter(isRead);
  const scan = scanner(matcher);
  const functions = files.flatMap((file) => functionsIn(root, file).map(scan));
  const macros = files.filter((file) => file.endsWith('.h')).flatMap((file) => macrosIn(root, file).map(scan));
  // Macros and inline functions leave no frame: who calls them does what they do.
  const inline = new Map<string, Inline[]>();
  const wrappers = [...macros, ...functions.filter(isWrapper)].filter(({ name }) => !matcher.handles(name));
  for (let round = 0; round < MOST_WRAPPED; round++) {
    const found = wrappers.map((one) => ({ one, named: namedBy(one, inline) }));
    inline.clear();
    for (const { one, named } of found) {
      if (named.length > 0) append(inline, one.name, { folder: reachOf(one.file), named });
    }
  }
  const own = new Map<Scanned, Map<string, Set<string>>>();
  for (const one of functions) {
    if (isWrapper(one)) continue;
    const found = byOperation(namedBy(one, inline));
    if (found.size > 0) own.set(one, found);
  }
  return withInlined(functions, own);
}

/** What a function names by its calls, and by those of inline functions of headers; each thing once. */
function namedBy({ file, calls, named }: Scanned, inline: ReadonlyMap<string, readonly Inline[]>): Named[] {
  const found = new Map(named.map((one) => [`${one.operation} ${one.id}`, one]));
  for (const call of calls) {
    for (const wrapper of inline.get(call) ?? []) {
      if (!file.startsWith(wrapper.folder)) continue;
      for (const one of wrapper.named) found.set(`${one.operation} ${one.id}`, one);
    }
  }
  return [...found.values()];
}

/** Reduces functions to what is needed of them: all of a source tree with their texts would not fit into memory. */
function scanner(matcher: Matcher): (one: SourceFunction) => Scanned {
  const names = new Map<string, string>();
  const kept = (name: string) => {
    let own = names.get(name);
    if (own === undefined) {
      own = Buffer.from(name, 'latin1').toString('latin1');
      names.set(own, own);
    }
    return own;
  };
  return ({ name, file, isStatic, isInline, calls }) => ({
    name: kept(name),
    file,
    isStatic,
    isInline,
    calls: [...new Set(calls.map((call) => kept(call.name)))],
    named: calls.flatMap((call) => matcher.named(call, file)),
  });
}

function isWrapper({ file, isStatic, isInline }: Scanned): boolean {
  return isStatic && (isInline || file.endsWith('.h'));
}

/** Who may call an inline function: of `include/` everybody, of other headers their own folder, else its file. */
function reachOf(header: string): string {
  if (!header.endsWith('.h')) return header;
  return /^(?:include|arch\/x86\/include)\//.test(header) ? '' : header.slice(0, header.lastIndexOf('/') + 1);
}

function byOperation(named: readonly Named[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { operation, id } of named) found.set(operation, (found.get(operation) ?? new Set()).add(id));
  return found;
}

/** Adds to every function what static functions of its file name that are called from few places. */
function withInlined(functions: readonly Scanned[], own: ReadonlyMap<Scanned, Map<string, Set<string>>>): FoundSite[] {
  const callers = callersInFile(functions);
  const itself = new Map(
    [...own].map(([one, named]) => [one, new Map([...named].map(([id, ids]) => [id, new Set(ids)]))]),
  );
  const inlined = new Map<Scanned, Map<string, Set<string>>>();
  for (const [one, named] of own) {
    let edge = [{ one, isSure: true }];
    for (let step = 0; step < MOST_STEPS; step++) {
      edge = edge.flatMap((inner) => {
        const outer = inner.one.isStatic ? (callers.get(`${inner.one.name} ${inner.one.file}`) ?? []) : [];
        const isSure = inner.isSure && outer.length === 1;
        return outer.length > MOST_CALLERS ? [] : outer.map((caller) => ({ one: caller, isSure }));
      });
      for (const outer of edge) addAll(outer.isSure ? itself : inlined, outer.one, named);
    }
  }
  const sites: FoundSite[] = [];
  for (const one of new Set([...itself.keys(), ...inlined.keys()])) {
    const mine = itself.get(one) ?? new Map<string, Set<string>>();
    const others = inlined.get(one) ?? new Map<string, Set<string>>();
    for (const operation of new Set([...mine.keys(), ...others.keys()])) {
      const site = {
        function: one.name,
        file: one.file,
        operation,
        own: mine.get(operation) ?? new Set<string>(),
        inlined: others.get(operation) ?? new Set<string>(),
      };
      if ([...site.own, ...site.inlined].some((id) => id !== OTHER)) sites.push(site);
    }
  }
  return sites;
}

function addAll(
  all: Map<Scanned, Map<string, Set<string>>>,
  to: Scanned,
  named: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  const known = all.get(to) ?? new Map<string, Set<string>>();
  for (const [operation, ids] of named) known.set(operation, new Set([...(known.get(operation) ?? []), ...ids]));
  all.set(to, known);
}

/** Callers of the same file, by the function and its file. */
function callersInFile(functions: readonly Scanned[]): Map<string, Scanned[]> {
  const callers = new Map<string, Scanned[]>();
  for (const one of functions) {
    for (const callee of one.calls) {
      const key = `${callee} ${one.file}`;
      const list = callers.get(key);
      if (list) list.push(one);
      else callers.set(key, [one]);
    }
  }
  return callers;
}

/** Which thing a call names. */
class Matcher {
  readonly #operations = new Map<string, { readonly operation: string; readonly argument: number }[]>();
  /** By kind and the last word of the expression. */
  readonly #records = new Map<string, { readonly record: SubjectRecord; readonly expression: string }[]>();

  constructor(kinds: readonly KindRecord[], records: readonly SubjectRecord[]) {
    for (const { kind, operations } of kinds) {
      for (const { id, calls } of operations) {
        for (const call of calls) {
          const [name = '', argument = '1'] = call.split('/');
          append(this.#operations, name, { operation: `${kind}:${id}`, argument: Number(argument) - 1 });
        }
      }
    }
    for (const record of records) {
      for (const expression of record.expressions ?? []) {
        append(this.#records, `${record.kind} ${lastWord(expression)}`, {
          record,
          expression: expression.replaceAll('.', '->'),
        });
      }
    }
  }

  /** Whether a function does by itself what operations are. */
  handles(name: string): boolean {
    return this.#operations.has(name);
  }

  named(call: SourceCall, file: string): Named[] {
    return (this.#operations.get(call.name) ?? []).map(({ operation, argument }) => {
      const kind = operation.slice(0, operation.indexOf(':'));
      const written = (call.arguments[argument] ?? '')
        .replace(/^&|\s/g, '')
        .replace(/\((\w+)\)/g, '$1')
        .replace(/^\((.*)\)$/, '$1')
        .replaceAll('.', '->');
      const known = this.#records.get(`${kind} ${lastWord(written)}`) ?? [];
      const fitting = known.find(
        ({ record, expression }) =>
          (written === expression || written.endsWith(expression.startsWith('->') ? expression : `->${expression}`)) &&
          (record.in?.some((prefix) => file.startsWith(prefix)) ?? true),
      );
      return { operation, id: fitting?.record.id ?? OTHER };
    });
  }
}

/** The last word of an expression: `mtx` of `ep->mtx`, `lock` of `pcp->lock`. */
function lastWord(expression: string): string {
  return /(\w+)[^\w]*$/.exec(expression)?.[1] ?? '';
}
