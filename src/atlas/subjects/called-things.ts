import type { Confidence, PathView, Subject, SubjectKind } from '../../census/knowledge.ts';
import { append } from '../../text/lists.ts';
import { fitsChain } from '../chains.ts';
import { placeInPath } from '../places.ts';
import { isInRange, textFor } from '../versions.ts';
import {
  type CalledKind,
  type KindRecord,
  kindRecords,
  type Operation,
  type SubjectRecord,
  type SubjectSite,
  subjectRecords,
  subjectSites,
  type Where,
} from './subject-catalog.ts';

/** What a path says of the thing that its call is about: a slab cache, a lock, … */
export interface ThingMatch {
  /** Null where the path admits none or too many. */
  readonly record: SubjectRecord | null;
  readonly confidence: Confidence;
  /** Every thing that the path admits, likeliest first. */
  readonly candidates: readonly SubjectRecord[];
  /** What is done with it: continues "SITE …". */
  readonly says: string | null;
  /** What the site does there, where a record tells: continues "SITE …". */
  readonly does: string | null;
}

/** A way of a target to handle things of a kind. */
interface Handling {
  readonly kind: KindRecord;
  readonly operation: Operation;
}

/** A place of a record, its chain taken apart. */
interface Chain {
  readonly record: SubjectRecord;
  readonly where: Where;
  /** Functions innermost first; `…` stands for any others. */
  readonly functions: readonly string[];
}

/** Of paths whose calls are about nothing that is known. */
export const NO_THING: ThingMatch = { record: null, confidence: 'unknown', candidates: [], says: null, does: null };

/** A thing without a record, in `atlas/subject-sites.tsv`. */
const OTHER = '?';

/** Recorded arguments that are addresses or numbers name nothing. */
const SYMBOL = /^[A-Za-z_][\w.]*$/;

/** Tells things apart that calls are about by who calls, and by the recorded argument. */
export class ThingFinder {
  readonly #handlings = new Map<string, Handling[]>();
  readonly #records = new Map<string, SubjectRecord>();
  /** By kind and symbol. */
  readonly #byArgument = new Map<string, SubjectRecord>();
  /** By kind and innermost function. */
  readonly #chains = new Map<string, Chain[]>();

  constructor(kinds: readonly KindRecord[] = kindRecords(), records: readonly SubjectRecord[] = subjectRecords()) {
    for (const kind of kinds) {
      for (const operation of kind.operations) {
        for (const target of operation.targets) append(this.#handlings, target, { kind, operation });
      }
    }
    for (const record of records) {
      this.#records.set(`${record.kind} ${record.id}`, record);
      const symbols = (record.expressions ?? []).filter((expression) => SYMBOL.test(expression));
      for (const symbol of [...(record.arguments ?? []), ...symbols])
        this.#byArgument.set(`${record.kind} ${symbol}`, record);
      for (const one of record.where ?? []) {
        const where = typeof one === 'string' ? { chain: one } : one;
        const functions = where.chain.split(' <- ');
        append(this.#chains, `${record.kind} ${functions[0]}`, { record, where, functions });
      }
    }
  }

  /** Whether calls of a target are about things of a kind at all. */
  handles(target: string): boolean {
    return this.#handlings.has(target);
  }

  /** The thing that a path's call is about. */
  find(path: PathView): ThingMatch {
    const handlings = this.#handlings.get(path.target);
    if (!handlings) return NO_THING;
    const named = this.#byName(path, handlings);
    if (named) return named;
    if (path.site < 0) return NO_THING;
    return this.#byChain(path, handlings) ?? this.#bySource(path, handlings) ?? NO_THING;
  }

  /** A recorded argument that is a symbol names the thing, known or not. */
  #byName({ argument, target, frames, site }: PathView, handlings: readonly Handling[]): ThingMatch | null {
    const [first] = handlings;
    if (argument === '' || !first || !SYMBOL.test(argument)) return null;
    const { kind } = first.kind;
    const known = this.#byArgument.get(`${kind} ${argument}`);
    const record = known ?? unnamed(kind, argument);
    if (frames[site]?.name === argument || target === argument) return null;
    return matched(record, 'certain', [record], first.operation, null);
  }

  /** The record whose chain fits, the longest first. */
  #byChain(path: PathView, handlings: readonly Handling[]): ThingMatch | null {
    const names = path.frames.slice(path.site).map(({ name }) => name);
    const fitting: { chain: Chain; handling: Handling }[] = [];
    for (const handling of handlings) {
      for (const chain of this.#chains.get(`${handling.kind.kind} ${names[0]}`) ?? []) {
        const { operations, kernels } = chain.where;
        if (operations && !operations.includes(handling.operation.id)) continue;
        if (kernels !== undefined && !isInRange(path.kernel ?? '', kernels)) continue;
        if (fitsChain(chain.functions, names)) fitting.push({ chain, handling });
      }
    }
    const longest = Math.max(0, ...fitting.map(({ chain }) => chain.functions.length));
    const best = fitting.filter(({ chain }) => chain.functions.length === longest);
    const records = [...new Set(best.map(({ chain }) => chain.record))];
    const [first] = best;
    const [record] = records;
    if (!first || !record) return null;
    if (records.length > 1) return { ...NO_THING, candidates: records };
    const { where } = first.chain;
    const does = where.does === undefined ? null : textFor(where.does, path.kernel ?? '') || null;
    return matched(record, where.likely ? 'likely' : 'certain', records, first.handling.operation, does);
  }

  /** What the source of the site names. */
  #bySource(path: PathView, handlings: readonly Handling[]): ThingMatch | null {
    const name = path.frames[path.site]?.name ?? '';
    const file = placeInPath(path.frames, path.site, path.kernel)?.file;
    const own = new Set<string>();
    const inlined = new Set<string>();
    let operation: Operation | undefined;
    for (const site of subjectSites(name)) {
      const handling = handlings.find((one) => site.operation === `${one.kind.kind}:${one.operation.id}`);
      if (!handling || !isOf(site, file, path.kernel ?? '')) continue;
      operation ??= handling.operation;
      for (const id of site.own) own.add(id === OTHER ? OTHER : `${handling.kind.kind} ${id}`);
      for (const id of site.inlined) inlined.add(id === OTHER ? OTHER : `${handling.kind.kind} ${id}`);
    }
    const nearest = this.#named(own).length > 0 ? own : inlined;
    const records = this.#named(nearest);
    const [record] = records;
    if (!record || !operation) return null;
    if (records.length > 1) return { ...NO_THING, candidates: records };
    const others = [...own, ...inlined].filter((id) => id !== `${record.kind} ${record.id}`);
    return matched(
      record,
      others.length === 0 ? 'certain' : 'likely',
      [record, ...this.#named(others)],
      operation,
      null,
    );
  }

  #named(keys: Iterable<string>): SubjectRecord[] {
    return [...new Set([...keys].flatMap((key) => this.#records.get(key) ?? []))];
  }
}

function matched(
  record: SubjectRecord,
  confidence: Confidence,
  candidates: readonly SubjectRecord[],
  { says }: Operation,
  does: string | null,
): ThingMatch {
  return { record, confidence, candidates, says: says.replaceAll('{name}', record.name), does };
}

function isOf(site: SubjectSite, file: string | undefined, kernel: string): boolean {
  return (file === undefined || file === site.file) && (kernel === '' || isInRange(kernel, site.kernels));
}

/** Things that only a recorded symbol names; one object for each. */
const unnamedThings = new Map<string, SubjectRecord>();

function unnamed(kind: CalledKind, symbol: string): SubjectRecord {
  const key = `${kind} ${symbol}`;
  let record = unnamedThings.get(key);
  if (!record) {
    record = { kind, id: symbol, name: symbol };
    unnamedThings.set(key, record);
  }
  return record;
}

const subjects = new WeakMap<SubjectRecord, Subject>();

/** A thing as reports name it; one object per record. */
export function subjectOfThing(record: SubjectRecord): Subject {
  let subject = subjects.get(record);
  if (!subject) {
    subject = { kind: record.kind, id: record.id, name: record.name };
    subjects.set(record, subject);
  }
  return subject;
}

/** What things of a kind are called: `lock`. */
export function nounOf(kind: SubjectKind): string {
  return kind === 'rbtree' ? 'tree' : (kindRecords().find((one) => one.kind === kind)?.noun ?? kind);
}
