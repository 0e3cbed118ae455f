import { describe, expect, it } from 'vitest';
import { kernelKnowledge } from '../../src/atlas/knowledge.ts';
import { atlasLabeller } from '../../src/atlas/labeller.ts';
import { groupCensus } from '../../src/census/group.ts';
import { readFile } from '../../src/formats/read-file.ts';
import { recording } from '../support/recordings.ts';

const knowledge = kernelKnowledge();

// dump_stack() by kprobes on both inserts while db_bench ran. Optimised kprobes jump through code without unwind data: all
// frames are doubted, with addresses among them that only lay on the stack. Of 6.12 every sixth of 1,500 traces is kept.
describe.each([
  { file: 'dmesg.txt.gz', kernel: '6.1.0-56-amd64', calls: [3066, 3000], optimised: 2000 },
  { file: 'dmesg-6.12.txt.gz', kernel: '6.12.117+deb12-amd64', calls: [278, 250], optimised: 200 },
])('dump_stack by optimised kprobes, $kernel', ({ file, kernel, calls, optimised }) => {
  const read = async () => {
    const { census } = await readFile(recording(file), { knowledge });
    const { groups, doubted } = groupCensus(census, { by: 'site', knowledge, labeller: atlasLabeller });
    return { census, groups, doubted, paths: groups.flatMap((group) => group.paths) };
  };

  it('every call is accounted for, and its target known', async () => {
    const { census, doubted } = await read();
    expect([census.total, census.attributed]).toEqual(calls);
    expect(census.facts.kernels).toEqual([kernel]);
    expect(census.targets).toEqual(['rb_insert_color', '__rb_insert_augmented']);
    expect(doubted).toBeGreaterThan(optimised);
  });

  it('at least 99 % of the calls have a tree', async () => {
    const { census, paths } = await read();
    const known = paths.filter(({ path }) => atlasLabeller.label(path).subject !== null);
    expect(known.reduce((sum, { count }) => sum + count, 0) / census.attributed).toBeGreaterThanOrEqual(0.99);
  });

  it('no site is an address that was left on the stack', async () => {
    const { paths } = await read();
    for (const { path } of paths) {
      const site = path.frames[path.site]?.name ?? '';
      expect([site, knowledge.mayCall(site, path.target)]).toEqual([site, true]);
    }
  });
});

it('takes the address of a rotate callback for the argument that it is', async () => {
  const { census } = await readFile(recording('dmesg-6.12.txt.gz'), { knowledge });
  const { groups } = groupCensus(census, { by: 'argument', knowledge });
  expect(groups.flatMap(({ key }) => key ?? []).sort()).toEqual([
    '__anon_vma_interval_tree_augment_rotate',
    'min_vruntime_cb_rotate',
    'vma_interval_tree_augment_rotate',
  ]);
});
