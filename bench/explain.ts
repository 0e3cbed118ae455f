// How long explaining takes: npm run bench:explain [-- RECORDING]
// Groups are the paths of a recording, repeated with other outermost frames until there are 10,000 different ones.
// The yardstick of the same run is JSON.stringify of the same groups.
import { explainGroup } from '../src/atlas/explain.ts';
import type { GroupToExplain } from '../src/atlas/facts.ts';
import { kernelKnowledge } from '../src/atlas/knowledge.ts';
import { atlasLabeller } from '../src/atlas/labeller.ts';
import { groupCensus } from '../src/census/group.ts';
import { readFile } from '../src/formats/read-file.ts';

const GROUPS = 10_000;

async function main(recording: string): Promise<void> {
  const knowledge = kernelKnowledge();
  const { census } = await readFile(recording, { knowledge });
  const { groups } = groupCensus(census, { by: 'stack', knowledge, labeller: atlasLabeller });
  const many: GroupToExplain[] = [];
  for (let i = 0; many.length < GROUPS; i++) {
    const group = groups[i % groups.length];
    const [commonest] = group?.paths ?? [];
    if (!group || !commonest) continue;
    // A new path object each time: nothing may be remembered from the one before.
    const path = { ...commonest.path, frames: [...commonest.path.frames, { name: `outer_${i}`, module: '' }] };
    many.push({ ...group, path, paths: [{ path, count: group.count }] });
  }
  explainGroup(many[0] as GroupToExplain, 'full');
  const explained = time(() => {
    for (const group of many) explainGroup(group, 'full');
  });
  const yardstick = time(() => {
    for (const group of many) JSON.stringify(group);
  });
  process.stdout.write(
    `${GROUPS} groups (${groups.length} different paths of ${recording})\n` +
      `explained in ${explained.toFixed(0)} ms of processor time; as JSON in ${yardstick.toFixed(0)} ms; ratio ${(explained / yardstick).toFixed(1)}\n`,
  );
}

function time(work: () => void): number {
  // Processor time, not the clock's: other work on the machine is not to be measured.
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e3;
}

void main(process.argv[2] ?? 'test/atlas/captures/6.1-rb-files.pb.gz');
