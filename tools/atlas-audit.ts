// Draws explanations at random, the same ones every time, to be checked by hand against kernel sources.
// Usage: npx tsx tools/atlas-audit.ts [--seed 5] [--count 60] FILE…
// docs/atlas-audit.md holds what came of it.
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { explainGroup } from '../src/atlas/explain.ts';
import { kernelKnowledge } from '../src/atlas/knowledge.ts';
import { atlasLabeller } from '../src/atlas/labeller.ts';
import { type Group, groupCensus } from '../src/census/group.ts';
import { readFile } from '../src/formats/read-file.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '5' }, count: { type: 'string', default: '60' } },
});

async function main(): Promise<void> {
  const knowledge = kernelKnowledge();
  const drawn: { file: string; group: Group }[] = [];
  for (const path of positionals.toSorted()) {
    const { census } = await readFile(path, { knowledge });
    const { groups } = groupCensus(census, { by: 'site', knowledge, labeller: atlasLabeller });
    for (const group of groups) drawn.push({ file: basename(path, '.pb.gz'), group });
  }
  shuffle(drawn, Number(values.seed));
  process.stdout.write(`${drawn.length} groups in ${positionals.length} recordings, seed ${values.seed}\n`);
  for (const [i, { file, group }] of drawn.slice(0, Number(values.count)).entries()) {
    const [commonest] = group.paths;
    if (!commonest) continue;
    const { text, confidence, subject } = explainGroup({ ...group, path: commonest.path }, 'full');
    const frames = commonest.path.frames.map(({ name }) => name).join(' <- ');
    const argument = commonest.path.argument === '' ? '' : ` [${commonest.path.argument}]`;
    process.stdout.write(
      `\n${i + 1}. ${file}: ${group.site?.name ?? '(no caller)'}, ${group.count} calls, ${group.paths.length} paths\n` +
        `   ${frames}${argument}\n   ${text}\n   ${Object.values(confidence).join('/')}${subject ? `, ${subject.id}` : ''}\n`,
    );
  }
}

/** Fisher-Yates with a small generator of its own (mulberry32), so that every run draws the same. */
function shuffle(list: unknown[], seed: number): void {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
}

void main();
