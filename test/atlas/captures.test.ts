import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainGroup } from '../../src/atlas/explain.ts';
import { pathDeed } from '../../src/atlas/facts.ts';
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

  // What calls of functions that handle locks, caches, timers or work items are about. A function that takes several locks
  // of a kind, or allocates from several caches, leaves it open: __vma_adjust and vm_area_dup are much of the rest.
  it.each([
    ['mutex_lock', 0.9],
    ['queue_work', 1],
    ['kmalloc', 0.98],
    ['timers', 0.85],
    ['down_write', 0.3],
    ['slab', 0.5],
  ])('%s: calls have a subject', async (name, share) => {
    for (const kernel of ['6.1', '6.12']) {
      const { paths, attributed } = await pathsOf(`${kernel}-${name}.pb.gz`);
      const known = calls(paths, ({ path }) => atlasLabeller.label(path).subject !== null);
      expect(known / attributed).toBeGreaterThanOrEqual(share);
    }
  });

  it.each(recordings)('$file: names alone tell few calls', async ({ file }) => {
    const { paths, attributed } = await pathsOf(file);
    const isPlain = ({ path }: PathTally) => ['calls', 'inserts', 'no-caller'].includes(pathDeed(path).deed.kind);
    expect(calls(paths, isPlain) / attributed).toBeLessThan(0.05);
    expect(new Set(paths.filter(isPlain).map(({ path }) => path.frames[path.site]?.name)).size).toBeLessThanOrEqual(
      0.12 * new Set(paths.map(({ path }) => path.frames[path.site]?.name)).size,
    );
  });
});
