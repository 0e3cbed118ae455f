import type { Confidence, PathView, Subject } from '../census/knowledge.ts';
import { type ExplanationConfidence, factsOf, type GroupToExplain, pathDeed, targetsOf } from './facts.ts';
import { subjectOfThing } from './subjects/called-things.ts';
import { subjectOf } from './subjects/rbtree.ts';
import { decisionText, deedText, englishText, several } from './voice/english.ts';

/** What the function that decided to call did, in how many of the group's calls. */
export interface Decision {
  readonly text: string;
  readonly count: number;
}

/** What the atlas has to say of a group. */
export interface Explanation {
  /** One or two sentences (`short`) or some more (`full`). */
  readonly text: string;
  /** Commonest first; none where only the names of the functions are known. */
  readonly decisions: readonly Decision[];
  readonly confidence: ExplanationConfidence;
  readonly subject: Subject | null;
  /** Every subject the group's path admits, likeliest first. */
  readonly candidates: readonly Subject[];
  readonly subsystem: string | null;
}

/** Says what the calls of a group are: what was decided, in which shares, what it was about, and how sure that is. */
export function explainGroup(group: GroupToExplain, style: 'short' | 'full'): Explanation {
  if (group.path.entry.kind === 'user') return explainUser(group, style);
  const facts = factsOf(group, style === 'full');
  const [tree] = facts.trees;
  const [thing] = facts.things;
  return {
    text: englishText(facts, style),
    decisions: facts.deeds.flatMap(({ deed, count }) => {
      const text = decisionText(deed);
      return text === null ? [] : [{ text, count }];
    }),
    confidence: facts.confidence,
    subject: tree ? subjectOf(tree.tree) : thing ? subjectOfThing(thing.thing) : null,
    candidates:
      facts.candidates.length > 0 ? facts.candidates.map(subjectOf) : facts.thingCandidates.map(subjectOfThing),
    subsystem: facts.subsystem,
  };
}

/** What happened on one path. */
export interface PathDecision {
  /** A clause without a full stop, in lower case unless a name stands first. */
  readonly text: string;
  readonly confidence: Confidence;
}

/** What happened on one path, for who groups calls himself. */
export function decisionOf(path: PathView): PathDecision {
  if (path.entry.kind === 'user') {
    const { text, confidence } = explainUser({ path, paths: [], entries: [], comms: [], count: 1 }, 'short');
    return { text: text.replace(/\.$/, ''), confidence: confidence.decision };
  }
  const { deed, confidence } = pathDeed(path);
  return { text: deedText(deed), confidence };
}

/** Calls of a user function: who called is all there is to say, because the atlas knows kernels only. */
function explainUser(group: GroupToExplain, style: 'short' | 'full'): Explanation {
  const { frames, site } = group.path;
  const caller = frames[site];
  const called = several(targetsOf(group).map(userTarget));
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
