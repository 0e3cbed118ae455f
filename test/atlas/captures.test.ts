import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainGroup } from '../../src/atlas/explain.ts';
import { kernelKnowledge } from '../../src/atlas/knowledge.ts';
import { atlasLabeller } from '../../src/atlas/labeller.ts';
import { groupCensus, type PathTally } from '../../src/census/group.ts';
import { readFile } from '../../src/formats/read-file.ts';
import { repository } from '../../tools/atlas-catalog.ts';

const folder = join(repository, 'test', 'atlas', 'captures');
const recordings = readdirSync(folder).map((file) => ({ file, ofTrees: file.includes('-rb-') }));

async function pathsOf(file: string): Promise<{ paths: PathTally[]; attributed: number }> {
  const knowledge = kernelKnowledge();
  const { census } = await readFile(join(folder, file), { knowledge });
  const { groups } = groupCensus(census, { by: 'site', knowledge, labeller: atlasLabeller });
  return { paths: groups.flatMap((group) => group.paths), attributed: census.attributed };
}

function calls(paths: readonly PathTally[], holds: (path: PathTally) => boolean): number {
  return paths.reduce((sum, path) => sum + (holds(path) ? path.count : 0), 0);
}

// Recorded with `whocalls record` in virtual machines with Debian's kernels: @rbtree-insert under five workloads
// (files, network, fork, mmap, timers), and other targets: locks, caches, work items, timers and others under git, SQLite, fio,
// stress-ng, iperf3 and nginx.
describe('recordings of real kernels', () => {
  it.each(recordings.filter(({ ofTrees }) => ofTrees))('$file: nearly every insert gets its tree', async ({ file }) => {
    const { paths, attributed } = await pathsOf(file);
    const known = calls(paths, ({ path }) => {
      const { subject, confidence } = atlasLabeller.label(path);
      return subject !== null && confidence !== 'unknown';
    });
    expect(known / attributed).toBeGreaterThanOrEqual(0.99);
  });

  it.each(recordings)('$file: every call gets entry, subsystem and words', async ({ file }) => {
    const { paths, attributed } = await pathsOf(file);
    expect(calls(paths, ({ path }) => path.entry.kind !== 'unknown')).toBe(attributed);
    expect(
      calls(paths, ({ path }) => atlasLabeller.label(path).subsystem !== null) / attributed,
    ).toBeGreaterThanOrEqual(0.99);
    for (const { path, count } of paths) {
      const group = { path, paths: [{ path, count }], entries: [{ ...path.entry, count }], comms: [], count };
      for (const style of ['short', 'full'] as const) {
        expect(explainGroup(group, style).text).toMatch(/^\S.*[^.\s]\.$/s);
      }
    }
  });
});
