import type { Confidence, EntryKind, PathView, Subject } from '../census/knowledge.ts';
import { listed } from '../text/lists.ts';
import { glossOf } from './gloss.ts';
import { kernelKnowledge } from './knowledge.ts';
import { placeOfFrame, subsystemOfPath, treeOf } from './labeller.ts';
import { isTreeInsert, subjectOf, type TreeMatch } from './subjects/rbtree.ts';
import type { TreeRecord } from './subjects/tree-catalog.ts';
import { capital, percent, startedBy } from './words.ts';

/** Calls that are explained together. */
export interface GroupToExplain {
  /** The path of the commonest stack, innermost first. */
  readonly path: PathView;
  /** Paths of the group with their calls, commonest first; may be cut to some dozens. */
  readonly paths: readonly { readonly path: PathView; readonly count: number }[];
  readonly entries: readonly { readonly kind: EntryKind; readonly name: string; readonly count: number }[];
  readonly comms: readonly { readonly name: string; readonly count: number }[];
  readonly count: number;
}

/** What the function that decided to call did, in how many of the group's calls. */
export interface Decision {
  readonly text: string;
  readonly count: number;
}

/** How sure the atlas is of each part of what it says of a group. */
export interface ExplanationConfidence {
  readonly decision: Confidence;
  readonly subject: Confidence;
  readonly entry: Confidence;
}

/** What the atlas has to say of a group. */
export interface Explanation {
  /** One sentence (`short`) or up to three (`full`). */
  readonly text: string;
  /** Commonest first; none where only the names of the functions are known. */
  readonly decisions: readonly Decision[];
  readonly confidence: ExplanationConfidence;
  readonly subject: Subject | null;
  /** Every subject the group's path admits, likeliest first. */
  readonly candidates: readonly Subject[];
  readonly subsystem: string | null;
}

/** Says in plain words what the calls of a group are: what started them, what was decided, which tree and why. */
export function explainGroup(group: GroupToExplain, style: 'short' | 'full'): Explanation {
  const { path } = group;
  if (path.entry.kind === 'user') return explainUser(group, style);
  const match = treeOf(path);
  const subsystem = subsystemOfPath(path);
  const name = path.frames[path.site]?.name ?? path.target;
  const decisions = decisionsOf(group, match, subsystem);
  const what = decision(group, match, subsystem);
  const start = starts(group, style, what);
  const sentences: string[] = [];
  if (style === 'short') {
    const tree = match.tree ? ` (${match.tree.name}${match.confidence === 'certain' ? '' : ', most likely'})` : '';
    sentences.push(what.endsWith('; this happens') ? `${what}${start}${tree}` : `${what}${tree}${start}`);
  } else {
    sentences.push(`${what}${start}`);
    const way = wayThrough(group, subsystem);
    if (way) sentences.push(way);
    const tree = treeSentence(group, match);
    if (tree) sentences.push(tree);
  }
  return {
    text: sentences.map((sentence) => `${capital(sentence, name)}.`).join(' '),
    decisions,
    confidence: {
      decision: decisions.length === 0 ? 'unknown' : match.tree === null ? 'certain' : match.confidence,
      subject: match.tree === null ? 'unknown' : match.confidence,
      entry: entryConfidence(group),
    },
    subject: match.tree && subjectOf(match.tree),
    candidates: match.candidates.map(subjectOf),
    subsystem,
  };
}

/** Calls of a user function: who called is all there is to say, because the atlas knows kernels only. */
function explainUser(group: GroupToExplain, style: 'short' | 'full'): Explanation {
  const { frames, site } = group.path;
  const caller = frames[site];
  const called = severalOf(targetsOf(group).map(userTarget));
  const sentences: string[] = [];
  if (caller === undefined) {
    const verb = targetsOf(group).length > 1 ? 'are called; their stacks end' : 'is called; the stack ends';
    sentences.push(called === '' ? 'The stack has no caller' : `${called} ${verb} before its caller`);
  } else {
    const who = nameInFile(caller.name, caller.module);
    sentences.push(called === '' ? `${who} runs` : `${who} calls ${called}`);
    if (style === 'full') sentences.push('This is code of a program, of which the atlas knows nothing');
  }
  const text = sentences.map((sentence) => `${sentence}.`).join(' ');
  const confidence = { decision: 'unknown', subject: 'unknown', entry: 'certain' } as const;
  return { text, decisions: [], confidence, subject: null, candidates: [], subsystem: null };
}

/** The targets that the site of a group's commonest path calls, commonest first. */
function targetsOf({ path, paths }: GroupToExplain): string[] {
  const site = path.frames[path.site]?.name;
  const calls = new Map([[path.target, 0]]);
  for (const { path: other, count } of paths) {
    if (other.frames[other.site]?.name === site) calls.set(other.target, (calls.get(other.target) ?? 0) + count);
  }
  return [...calls]
    .sort((a, b) => b[1] - a[1])
    .map(([target]) => target)
    .filter((target) => target !== '');
}

/** `a, b and c`; `a, b, c and 4 more`. */
function severalOf(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED;
  return listed(rest > 0 ? [...names.slice(0, MOST_NAMED), `${rest} more`] : names);
}

/** More targets would be no summary. */
const MOST_NAMED = 3;

function userTarget(target: string): string {
  return nameInFile(target.slice(target.lastIndexOf(':') + 1), fileOfTarget(target));
}

/** `malloc in libc.so.6`; a function without a name has its file in place of one. */
function nameInFile(name: string, file: string): string {
  const base = file.slice(file.lastIndexOf('/') + 1);
  return base === '' || name.endsWith(` in ${base}`) ? name : `${name} in ${base}`;
}

function fileOfTarget(target: string): string {
  return target.includes('/') ? target.slice(0, target.lastIndexOf(':')) : '';
}

/** What happened at the site, as a clause. */
function decision(group: GroupToExplain, match: TreeMatch, subsystem: string | null): string {
  const { path } = group;
  const decided = match.tree && decidedInGroup(group, match.tree);
  if (decided)
    return match.confidence === 'certain' || match.candidates.length < 2 ? decided : `most likely ${decided}`;
  const site = path.frames[path.site]?.name;
  const targets = targetsOf(group);
  if (site === undefined) {
    const verb = targets.length > 1 ? 'are' : 'is';
    return targets.length > 0 ? `${severalOf(targets)} ${verb} called` : 'the call has no caller in the kernel';
  }
  const gloss = glossOf(site);
  const where = subsystem ? ` (${subsystem})` : '';
  if (gloss) return `${site}${where} ${gloss}${calling(targets, site)}`;
  if (match.candidates.length > 0) return `${site}${where} inserts an entry into a red-black tree`;
  const called = severalOf(targets.filter((target) => target !== site));
  return called === '' ? `${site}${where} runs` : `${site}${where} calls ${called}`;
}

/** What the site does matters only for the call it makes; a tree's insert needs no mention. */
function calling(targets: readonly string[], site: string): string {
  const called = severalOf(targets.filter((target) => target !== site && !isTreeInsert(target)));
  return called === '' ? '' : `, calling ${called}`;
}

/** What happened when an entry was inserted, over all paths of the group: `mostly … (61 %), sometimes …`. */
function decidedInGroup({ path, paths }: GroupToExplain, tree: TreeRecord): string | undefined {
  const main = decidedBy(tree, path);
  if (main === undefined) return undefined;
  const clauses = clausesOf({ paths });
  const counted = clauses.reduce((sum, [, count]) => sum + count, 0);
  const [first, second] = clauses;
  if (!first || !second || first[1] >= NEARLY_ALL * counted) return first?.[0] ?? main;
  const often = first[1] * 2 > counted ? 'mostly' : 'most often';
  return `${often} ${first[0]} (${percent(first[1], counted)}), sometimes ${second[0]}; this happens`;
}

/** The clauses of the catalog that paths bring, with their calls, commonest first. */
function clausesOf({ paths }: Pick<GroupToExplain, 'paths'>): [clause: string, count: number][] {
  const tally = new Map<string, number>();
  for (const { path, count } of paths) {
    const { tree } = treeOf(path);
    const clause = tree && decidedBy(tree, path);
    if (clause) tally.set(clause, (tally.get(clause) ?? 0) + count);
  }
  return [...tally].sort((a, b) => b[1] - a[1]);
}

/** From this share on the rest is not worth a word. */
const NEARLY_ALL = 0.9;

/** Clauses of a tree by function, each with its rank: the first of the catalog wins. */
const clauses = new WeakMap<TreeRecord, Map<string, { rank: number; clause: string }>>();

function decidedBy(tree: TreeRecord, path: PathView): string | undefined {
  const { decided } = tree;
  if (typeof decided === 'string' || decided === undefined) return decided;
  let own = clauses.get(tree);
  if (!own) {
    own = new Map(Object.entries(decided).map(([name, clause], rank) => [name, { rank, clause }]));
    clauses.set(tree, own);
  }
  let best: { rank: number; clause: string } | undefined;
  for (const { name } of path.frames) {
    const found = own.get(name);
    if (found && (!best || found.rank < best.rank)) best = found;
  }
  return best?.clause;
}

/** Where the calls started: `, mostly from the timer interrupt (71 %), sometimes in write(2)`. */
function starts({ entries, path, count }: GroupToExplain, style: 'short' | 'full', what: string): string {
  const [first, second, third] = entries.length > 0 ? entries : [{ ...path.entry, count }];
  if (!first) return '';
  const join = what.endsWith('; this happens') ? ' ' : ', ';
  if (!second) return `${join}${startedBy(first)}`;
  const share = style === 'full' ? ` (${percent(first.count, count)})` : '';
  const others = listed([second, ...(third ? [third] : [])].map(startedBy), 'or');
  const often = first.count * 2 > count ? 'mostly' : 'most often';
  return `${join}${often} ${startedBy(first)}${share}, sometimes ${others}${entries.length > 3 ? ' or elsewhere' : ''}`;
}

/** What the functions between the entry and the site do, outermost first; else the parts of the kernel they are in. */
function wayThrough({ path: whole, paths, entries }: GroupToExplain, subsystem: string | null): string | undefined {
  // The story goes with the entry that was named first.
  const [first] = entries;
  const path =
    paths.find(({ path: { entry } }) => entry.kind === first?.kind && entry.name === first.name)?.path ?? whole;
  const start = entryFrame(path);
  const told: { subsystem: string | undefined; name: string; gloss: string }[] = [];
  for (let i = start; i > path.site; i--) {
    const name = path.frames[i]?.name ?? '';
    const gloss = glossOf(name);
    if (gloss === null || told.some((other) => other.gloss === gloss) || startsSomething(name)) continue;
    const place = placeOfFrame(path.frames, i)?.subsystem;
    if (told.length === 0 || told.at(-1)?.subsystem !== place) told.push({ subsystem: place, name, gloss });
  }
  if (told.length > 0) {
    const way = entries.length > 1 ? 'on the commonest way' : 'on the way';
    return `${way}, ${listed(told.slice(-MOST_TOLD).map(({ name, gloss }) => `${name} ${gloss}`))}`;
  }
  const passed = new Set<string>();
  for (let i = start; i > path.site; i--) {
    const place = startsSomething(path.frames[i]?.name ?? '') ? null : placeOfFrame(path.frames, i);
    if (place && place.subsystem !== subsystem) passed.add(place.subsystem);
  }
  return passed.size > 0 ? `the path comes from ${listed([...passed].slice(-MOST_TOLD))}` : undefined;
}

function startsSomething(name: string): boolean {
  const role = kernelKnowledge().role(name);
  return role?.entry !== undefined || role?.boundary !== undefined;
}

/** Index of the outermost frame that belongs to the path's entry; frames further out say how that was reached. */
function entryFrame({ frames, entry, site }: PathView): number {
  for (let i = frames.length - 1; i > site; i--) {
    if (kernelKnowledge().role(frames[i]?.name ?? '')?.entry?.kind === entry.kind) return i;
  }
  return frames.length - 1;
}

/** How many functions of a path are told of; more would be no summary. */
const MOST_TOLD = 3;

function treeSentence(
  { paths, count }: GroupToExplain,
  { tree, confidence, candidates }: TreeMatch,
): string | undefined {
  if (!tree) {
    if (candidates.length === 0) return undefined;
    return `the entry goes into ${listed(
      candidates.map((other) => `the ${other.name}`),
      'or',
    )}; the stack cannot tell which`;
  }
  let own = 0;
  const others = new Map<TreeRecord, number>();
  for (const { path, count: calls } of paths) {
    const other = treeOf(path).tree;
    if (other === tree) own += calls;
    else if (other) others.set(other, (others.get(other) ?? 0) + calls);
  }
  const where = `the ${tree.name} (${tree.root})`;
  const holds = `which holds ${tree.purpose}`;
  if (confidence === 'certain' && others.size > 0) {
    const names = [...others]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 3)
      .map(([other]) => `the ${other.name}`);
    return `the entry goes ${own * 2 > count ? 'mostly' : 'most often'} (${percent(own, count)}) into ${where}, ${holds}; sometimes into ${listed(names, 'or')}`;
  }
  if (confidence === 'certain') return `the entry goes into ${where}, ${holds}`;
  const alternatives = candidates
    .filter((other) => other !== tree)
    .slice(0, 3)
    .map((other) => `the ${other.name}`);
  const doubt = alternatives.length > 0 ? `; it could also be ${listed(alternatives, 'or')}` : '';
  return `the entry most likely goes into ${where}, ${holds}${doubt}${tree.because && doubt ? ` (${tree.because})` : ''}`;
}

/** The clauses of the paths where these are known, else what the site does. */
function decisionsOf(group: GroupToExplain, match: TreeMatch, subsystem: string | null): Decision[] {
  const clauses = match.tree ? clausesOf(group) : [];
  if (clauses.length > 0) return clauses.map(([text, count]) => ({ text, count }));
  const site = group.path.frames[group.path.site]?.name;
  if (site === undefined || glossOf(site) === null) return [];
  return [{ text: decision(group, { ...match, tree: null }, subsystem), count: group.count }];
}

function entryConfidence({ path, entries }: GroupToExplain): Confidence {
  const kinds = entries.length > 0 ? entries.map(({ kind }) => kind) : [path.entry.kind];
  if (kinds.every((kind) => kind !== 'unknown')) return 'certain';
  return kinds.every((kind) => kind === 'unknown') ? 'unknown' : 'likely';
}
