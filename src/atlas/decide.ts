import type { PathView } from '../census/knowledge.ts';
import { kindOfTarget } from '../census/target-kind.ts';
import { decisionClause } from './decisions.ts';
import { glossOf } from './gloss.ts';
import { kernelKnowledge } from './knowledge.ts';
import type { ThingMatch } from './subjects/called-things.ts';
import { isTreeInsert, type TreeMatch } from './subjects/rbtree.ts';
import type { TreeRecord } from './subjects/tree-catalog.ts';
import { textFor, type Versioned } from './versions.ts';

/** What the site of a path did: facts, to be worded by a voice. */
export type Deed =
  /** A clause of the catalog: a whole sentence without its subject's name. */
  | { readonly kind: 'clause'; readonly clause: string }
  /** The site is known: `gloss` continues "SITE …". */
  | { readonly kind: 'does'; readonly site: string; readonly gloss: string }
  /** Only what it calls is known: `gloss` says what the target does, and so the site by calling it. */
  | { readonly kind: 'has'; readonly site: string; readonly gloss: string; readonly target: string }
  | { readonly kind: 'calls'; readonly site: string; readonly target: string }
  | { readonly kind: 'inserts'; readonly site: string }
  | { readonly kind: 'runs'; readonly site: string }
  /** The target is all that is left of the stack. */
  | { readonly kind: 'no-caller'; readonly target: string };

/**
 * What happened on one path, which inserts into the tree that was found for it, or into one of several that its stack
 * cannot tell apart; or which is about a thing of another kind.
 */
export function deedOf(path: PathView, match: TreeMatch, thing: ThingMatch): Deed {
  const clause = match.tree ? clauseOf(match.tree, path) : sharedClause(match.candidates, path);
  if (clause) return { kind: 'clause', clause };
  const meaning = decisionClause(path);
  if (meaning !== null) return { kind: 'clause', clause: meaning };
  const site = path.frames[path.site]?.name;
  if (site === undefined) return { kind: 'no-caller', target: path.target };
  const gloss = thing.does ?? glossOf(site);
  if (gloss !== null) return { kind: 'does', site, gloss };
  const isInsert = isTreeInsert(path.target) && path.site > 0;
  if (isInsert || (match.candidates.length > 0 && (path.target === '' || isTreeInsert(path.target))))
    return { kind: 'inserts', site };
  // A sample of cycles says what ran; nothing was called.
  if (path.target === '' || path.target === site || kindOfTarget(path.target) === 'event')
    return { kind: 'runs', site };
  const effect = (thing.confidence === 'certain' ? thing.says : null) ?? glossOf(path.target);
  if (effect !== null) return { kind: 'has', site, gloss: effect, target: path.target };
  return { kind: 'calls', site, target: path.target };
}

/** Clauses of a tree by function, each with its rank: the first of the record wins. */
interface Clauses {
  readonly byFunction: ReadonlyMap<string, { readonly rank: number; readonly clause: Versioned }>;
  /** Functions that pass on what one further out decided. */
  readonly through: ReadonlySet<string>;
}

const known = new WeakMap<TreeRecord, Clauses>();

/**
 * The clause of the record that the path brings. A clause speaks only where its function decided: it is the site, or all
 * frames between it and the site pass on what others decide (helpers, `through`, functions with clauses of their own).
 * Of several that may speak the first of the record does.
 */
function clauseOf(tree: TreeRecord, path: PathView): string | undefined {
  const { decided } = tree;
  if (decided === undefined) return undefined;
  const kernel = path.kernel ?? '';
  if (isForAll(decided)) return textFor(decided, kernel) || undefined;
  const { byFunction, through } = clausesOf(tree, decided);
  let best: { rank: number; clause: Versioned } | undefined;
  for (const { name } of path.frames.slice(Math.max(path.site, 0))) {
    const own = byFunction.get(name);
    if (own && (!best || own.rank < best.rank) && textFor(own.clause, kernel) !== '') best = own;
    if (!own && !through.has(name) && !kernelKnowledge().role(name)?.helper) break;
  }
  return best ? textFor(best.clause, kernel) : tree.reached_from?.says;
}

/** The clause that every one of several trees brings; undefined where they disagree. */
function sharedClause(trees: readonly TreeRecord[], path: PathView): string | undefined {
  const [first, ...others] = trees;
  const clause = first && clauseOf(first, path);
  return others.every((tree) => clauseOf(tree, path) === clause) ? clause : undefined;
}

function isForAll(decided: NonNullable<TreeRecord['decided']>): decided is Versioned {
  return typeof decided === 'string' || Object.keys(decided).every((key) => /^[-\d]/.test(key));
}

function clausesOf(tree: TreeRecord, decided: Readonly<Record<string, Versioned>>): Clauses {
  let clauses = known.get(tree);
  if (!clauses) {
    const byFunction = new Map(Object.entries(decided).map(([name, clause], rank) => [name, { rank, clause }]));
    const inserters = tree.inserted_by.map((inserter) => inserter.function);
    clauses = { byFunction, through: new Set([...inserters, ...(tree.through ?? [])]) };
    known.set(tree, clauses);
  }
  return clauses;
}
