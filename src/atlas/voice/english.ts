import { listed } from '../../text/lists.ts';
import { roundPercent } from '../../text/percent.ts';
import type { Deed } from '../decide.ts';
import type { ExplanationFacts, Way } from '../facts.ts';
import { nounOf } from '../subjects/called-things.ts';
import { isTreeInsert } from '../subjects/rbtree.ts';
import type { SubjectRecord } from '../subjects/subject-catalog.ts';
import type { TreeRecord } from '../subjects/tree-catalog.ts';
import { textFor } from '../versions.ts';

// Explanations in English. Reports show entries, the commonest path and the tree's name beside them, so that these are
// not said again; docs/atlas.md has the rules for sentences.

/** From this share on the rest is not worth a word. */
const NEARLY_ALL = 0.9;
/** Decisions that are told of one by one. */
const MOST_DECISIONS = 3;
/** Targets that are named. */
const MOST_NAMED = 3;

/** One or two sentences (`short`), or some more that tell the path and the tree (`full`). */
export function englishText(facts: ExplanationFacts, style: 'short' | 'full'): string {
  const sentences = [...decisions(facts), ...doubt(facts), ...thingDoubt(facts)];
  if (style === 'full') sentences.push(...way(facts.way), ...tree(facts), ...thing(facts));
  return sentences.join(' ');
}

/** A deed as a clause without a full stop; null where it says no more than names. */
export function decisionText(deed: Deed): string | null {
  switch (deed.kind) {
    case 'clause':
      return deed.clause;
    case 'does':
    case 'has':
      return `${deed.site} ${deed.gloss}`;
    default:
      return null;
  }
}

/** A deed as a clause without a full stop, whatever it says. */
export function deedText(deed: Deed): string {
  return clause(deed, []);
}

/** `An expired timer re-arms itself.`, `55 %: an expired timer re-arms itself. 40 %: the tick is restarted.` */
function decisions({ deeds, count, targets, confidence, candidates }: ExplanationFacts): string[] {
  const [first] = deeds;
  if (!first) return [];
  const counted = deeds.reduce((sum, deed) => sum + deed.count, 0);
  // What is doubtful of other paths than the one shown, the line on confidence tells.
  const isDoubtful = confidence.decision === 'likely' && candidates.length > 1;
  const probably = isDoubtful && first.deed.kind === 'clause' ? 'Probably: ' : '';
  if (first.count >= NEARLY_ALL * counted || deeds.length === 1) {
    const text = clause(first.deed, targets);
    return [`${probably === '' ? capital(text, first.deed) : probably + text}.`];
  }
  const shown = deeds.slice(0, MOST_DECISIONS);
  const sentences = shown.map(({ deed, count: calls, isShown }, i) => {
    // Which of them the path in the report belongs to is only told where it is not the commonest.
    const which = isShown && i > 0 ? ' (the path above)' : '';
    return `${roundPercent(calls / count)}${which}: ${clause(deed, targets)}.`;
  });
  const rest = deeds.slice(MOST_DECISIONS);
  const other = rest.reduce((sum, deed) => sum + deed.count, 0);
  if (rest.length === 1 && rest[0]) sentences.push(`Otherwise: ${clause(rest[0].deed, targets)}.`);
  else if (rest.length > 1) sentences.push(`${roundPercent(other / count)}: ${rest.length} others.`);
  return probably === '' ? sentences : [`${probably}${sentences.join(' ')}`];
}

/** What happened, as a clause that begins in lower case unless a name stands first. */
function clause(deed: Deed, targets: readonly string[]): string {
  switch (deed.kind) {
    case 'clause':
      return deed.clause;
    case 'does':
      return `${deed.site} ${deed.gloss}${calling(targets, deed.site)}`;
    case 'has':
      return `${deed.site} ${deed.gloss}${targets.length > 1 ? ` (${deed.target})` : ''}`;
    case 'inserts':
      return `${deed.site} links a node into a red-black tree`;
    case 'calls':
      return `${deed.site} calls ${several(targets.length > 1 ? targets : [deed.target])}`;
    case 'runs':
      return `${deed.site} runs`;
    case 'no-caller':
      return deed.target === '' ? 'the call has no caller in the kernel' : `${deed.target} is called`;
  }
}

/** Where several functions are counted, those that the site calls; a tree's insert needs no mention. */
function calling(targets: readonly string[], site: string): string {
  const called = targets.filter((target) => target !== site && !isTreeInsert(target));
  return called.length > 1 ? `, calling ${several(called)}` : '';
}

/** `a, b and c`; `a, b, c and 4 more`. */
export function several(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED;
  return listed(rest > 0 ? [...names.slice(0, MOST_NAMED), `${rest} more`] : names);
}

/** Why the tree is not certain, and what else it may be. */
function doubt({ trees, candidates, confidence, lacksCallback }: ExplanationFacts): string[] {
  if (confidence.subject === 'certain' || candidates.length < 2) return [];
  const [commonest] = trees;
  const why = lacksCallback ? 'no rotate callback was recorded, and ' : '';
  if (!commonest) {
    return [`Which tree is open: ${why}the path fits ${listed(candidates.slice(0, 4).map(named), 'and')}.`];
  }
  const others = candidates.filter((other) => other !== commonest.tree).slice(0, 3);
  const because = commonest.tree.because ? ` (but ${commonest.tree.because})` : '';
  return others.length === 0
    ? []
    : [`The tree is not certain: ${why}the path also fits ${listed(others.map(named), 'and')}${because}.`];
}

/** Which locks, caches, … it may be where the path does not decide. */
function thingDoubt({ things, thingCandidates, confidence }: ExplanationFacts): string[] {
  const [first] = thingCandidates;
  if (!first || confidence.subject === 'certain' || thingCandidates.length < 2) return [];
  const noun = nounOf(first.kind);
  const names = listed(
    thingCandidates.slice(0, 4).map(({ name }) => name),
    'or',
  );
  return [
    things.length === 0 ? `The stack does not tell which ${noun}: ${names}.` : `The ${noun} is not certain: ${names}.`,
  ];
}

function named(record: TreeRecord): string {
  return `the ${record.name}`;
}

function way(told: Way | null): string[] {
  if (!told) return [];
  const { steps, parts } = told;
  if (steps.length > 0) return [`Typical path: ${steps.map(({ name, gloss }) => `${name} ${gloss}`).join(' → ')}.`];
  return parts.length > 0 ? [`Reached through ${listed(parts)}.`] : [];
}

/** What the catalogue knows of the tree, in the words of the kernel at hand. */
function tree({ trees, count, kernel }: ExplanationFacts): string[] {
  const [commonest, second] = trees;
  if (!commonest) return [];
  const { tree: record } = commonest;
  const share = second ? ` (${roundPercent(commonest.count / count)} of the calls)` : '';
  const sentences = [`The ${record.name}${share}, ${recordText(record, kernel)}`];
  if (second) {
    const others = trees.slice(1, 4).map((other) => `${named(other.tree)} ${roundPercent(other.count / count)}`);
    sentences.push(`Other trees of these calls: ${others.join(', ')}.`);
  }
  return sentences;
}

/** Of records and kernels: many groups are about one tree. */
const recordTexts = new WeakMap<TreeRecord, Map<string, string>>();

/** What a record says in every group of a kernel's calls, from the tree's root on. */
function recordText(record: TreeRecord, kernel: string): string {
  let texts = recordTexts.get(record);
  if (!texts) {
    texts = new Map();
    recordTexts.set(record, texts);
  }
  let text = texts.get(kernel);
  if (text === undefined) {
    text = recordSentences(record, kernel).join(' ');
    texts.set(kernel, text);
  }
  return text;
}

function recordSentences(record: TreeRecord, kernel: string): string[] {
  const sentences = [
    `${textFor(record.root, kernel)}, holds ${textFor(record.purpose, kernel)}.`,
    `Its nodes are ${textFor(record.node, kernel)}, sorted by ${textFor(record.key, kernel)}${nodes(record)}.`,
  ];
  if (record.lock !== undefined) sentences.push(`Held while inserting: ${textFor(record.lock, kernel)}.`);
  if (record.why !== undefined) sentences.push(`Why a tree: ${record.why}.`);
  if (record.history !== undefined) sentences.push(`Other versions: ${record.history}.`);
  return sentences;
}

/** `Lock: mmap_lock, the rwsem of an address space.` */
function thing({ things, count, kernel }: ExplanationFacts): string[] {
  const [commonest, ...others] = things;
  if (!commonest) return [];
  const noun = nounOf(commonest.thing.kind);
  const rest = others.slice(0, 3).map((other) => `${other.thing.name} ${roundPercent(other.count / count)}`);
  const share = rest.length > 0 ? ` (${roundPercent(commonest.count / count)})` : '';
  const also = rest.length > 0 ? ` Others: ${rest.join(', ')}.` : '';
  return [`${noun.charAt(0).toUpperCase()}${noun.slice(1)}: ${described(commonest.thing, kernel)}${share}.${also}`];
}

function described({ name, what }: SubjectRecord, kernel: string): string {
  return what === undefined ? name : `${name}, ${textFor(what, kernel)}`;
}

function nodes({ nodes: usual }: TreeRecord): string {
  return usual === undefined ? '' : `; usually ${usual}`;
}

/** The clause with a capital first letter, unless it begins with the name of a function. */
function capital(text: string, deed: Deed): string {
  const isName = deed.kind !== 'clause' && !(deed.kind === 'no-caller' && deed.target === '');
  return isName ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
