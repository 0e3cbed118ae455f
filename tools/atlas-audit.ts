// Draws explanations at random, the same ones every time, to be checked by hand against kernel sources. Half of the draw
// goes by calls (every capture weighs the same), half is uniform over the distinct pairs of site and entry.
// Usage: npx tsx tools/atlas-audit.ts [--seed 1] [--count 60] [--rates] FILE…
// docs/atlas-audit.md holds what came of it.
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

import { explainGroup } from '../src/atlas/explain.ts';
import { pathDeed } from '../src/atlas/facts.ts';
import { kernelKnowledge } from '../src/atlas/knowledge.ts';
import { atlasLabeller } from '../src/atlas/labeller.ts';
import type { Census } from '../src/census/census.ts';
import { type Group, groupCensus } from '../src/census/group.ts';
import { readFile } from '../src/formats/read-file.ts';
import { roundPercent } from '../src/text/percent.ts';

/** The calls of one capture with one site and one entry. */
interface Pair {
  readonly capture: string;
  readonly site: string;
  readonly entry: string;
  readonly count: number;
}

interface Capture {
  readonly name: string;
  readonly census: Census;
  readonly groups: readonly Group[];
}

const knowledge = kernelKnowledge();

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '60' },
      rates: { type: 'boolean' },
    },
  });
  const captures: Capture[] = [];
  for (const path of positionals.toSorted()) {
    const { census } = await readFile(path, { knowledge });
    const { groups } = groupCensus(census, { by: 'site', knowledge, labeller: atlasLabeller });
    captures.push({ name: basename(path, '.pb.gz'), census, groups });
  }
  if (values.rates) {
    for (const capture of captures) process.stdout.write(rates(capture));
    return;
  }
  const pairs = captures.flatMap(pairsOf);
  const drawn = draw(pairs, Number(values.count), randomNumbers(Number(values.seed)));
  process.stdout.write(`${pairs.length} pairs in ${captures.length} captures, seed ${values.seed}\n`);
  for (const [i, { pair, how }] of drawn.entries()) {
    const capture = captures.find(({ name }) => name === pair.capture);
    if (capture) process.stdout.write(`\n${i + 1}. (${how}) ${shown(capture, pair)}`);
  }
}

function pairsOf({ name: capture, groups }: Capture): Pair[] {
  return groups.flatMap((group) =>
    group.entries.map(({ name: entry, count }) => ({ capture, site: group.label, entry, count })),
  );
}

/** Half by calls, half uniform over distinct pairs of site and entry; no pair of names twice. */
function draw(pairs: readonly Pair[], count: number, random: () => number): { pair: Pair; how: string }[] {
  const drawn = new Map<string, { pair: Pair; how: string }>();
  const captures = [...new Set(pairs.map(({ capture }) => capture))];
  const byCalls = Math.ceil(count / 2);
  for (let tries = 0; drawn.size < byCalls && tries < 100 * count; tries++) {
    const capture = captures[Math.floor(random() * captures.length)];
    const own = pairs.filter((pair) => pair.capture === capture);
    const pair = byWeight(own, random);
    if (pair && !drawn.has(keyOf(pair))) drawn.set(keyOf(pair), { pair, how: 'by calls' });
  }
  const distinct = [...new Map(pairs.map((pair) => [keyOf(pair), pair])).values()];
  while (drawn.size < Math.min(count, distinct.length)) {
    const pair = distinct[Math.floor(random() * distinct.length)];
    if (pair && !drawn.has(keyOf(pair))) drawn.set(keyOf(pair), { pair, how: 'uniform' });
  }
  return [...drawn.values()];
}

function byWeight(pairs: readonly Pair[], random: () => number): Pair | undefined {
  let left = random() * pairs.reduce((sum, { count }) => sum + count, 0);
  for (const pair of pairs) {
    left -= pair.count;
    if (left < 0) return pair;
  }
  return pairs.at(-1);
}

function keyOf({ site, entry }: Pair): string {
  return `${site}\0${entry}`;
}

/** What a user sees of the group of the site, and of the pair alone (`--where 'site=… && entry=…'`). */
function shown({ census, groups }: Capture, pair: Pair): string {
  const where = groupCensus(census, {
    by: 'site',
    knowledge,
    labeller: atlasLabeller,
    where: ({ call }) => call.site?.name === pair.site && call.view.entry.name === pair.entry,
  });
  const group = groups.find(({ label }) => label === pair.site);
  const alone = where.groups[0];
  const release = census.facts.kernels.join(', ');
  const lines = [`${pair.capture} (${release}): ${pair.site} × ${pair.entry}, ${pair.count} of ${group?.count ?? 0}`];
  if (alone) lines.push(...told(alone, 'pair '));
  if (group && alone && group.count !== alone.count) lines.push(...told(group, 'group'));
  return `${lines.join('\n')}\n`;
}

function told(group: Group, what: string): string[] {
  const [commonest] = group.paths;
  if (!commonest) return [];
  const asked = { ...group, path: commonest.path };
  const { text, confidence, subject, subsystem } = explainGroup(asked, 'full');
  const frames = commonest.path.frames.map(({ name, module }) => (module === '' ? name : `${name} [${module}]`));
  const argument = commonest.path.argument === '' ? '' : ` (${commonest.path.argument})`;
  const entries = group.entries.slice(0, 4).map(({ name, count }) => `${name} ${roundPercent(count / group.count)}`);
  return [
    `   ${what} path ${roundPercent(commonest.count / group.count)} of ${group.paths.length}: ${frames.join(' <- ')}${argument}`,
    `   ${what} text: ${text}`,
    `   ${what} tree: ${subject?.id ?? '-'}, subsystem: ${subsystem ?? '-'}, sure: ${Object.values(confidence).join('/')}, entries: ${entries.join(', ')}`,
  ];
}

/** Names that say of what kind an entry is and no more. */
const COARSE = new Set(['softirq', 'system call', 'kernel thread', 'work item', 'interrupt', 'exception']);

/** How much of a capture is told by the names of functions alone, by calls and by groups; and entries without a name. */
function rates({ name, groups }: Capture): string {
  let calls = 0;
  let plain = 0;
  let targets = 0;
  let coarse = 0;
  let plainGroups = 0;
  for (const group of groups) {
    calls += group.count;
    let own = 0;
    for (const { path, count } of group.paths) {
      const { kind } = pathDeed(path).deed;
      if (['calls', 'runs', 'inserts', 'no-caller'].includes(kind)) own += count;
      if (kind === 'has') targets += count;
    }
    plain += own;
    if (own * 2 > group.count) plainGroups++;
    for (const entry of group.entries) if (COARSE.has(entry.name)) coarse += entry.count;
  }
  const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)} %`;
  return (
    `${name}: ${calls} calls, ${groups.length} groups; only names: ${share(plain, calls)} of calls, ` +
    `${share(plainGroups, groups.length)} of groups; only what the target does: ${share(targets, calls)}; entry without a name: ${share(coarse, calls)}\n`
  );
}

/** A small generator of its own (mulberry32), so that every run draws the same. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

void main();
