// A recording and the lab's kernel it was taken on; nothing is booted.
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findCallers } from '../capture/callers.ts';
import { Census } from '../census/census.ts';
import { mergeCensus } from '../census/merge.ts';
import type { StackId } from '../census/stack-table.ts';
import { reachableNames } from '../image/callers.ts';
import { ReturnSites } from '../image/return-sites.ts';
import { bootImage } from '../lab/initramfs.ts';
import { installedKernels, type LabKernel } from '../lab/kernels.ts';
import { CallerLookup, coverageOf } from './coverage.ts';
import { withJumpedFrames } from './jumped-frames.ts';
import { readRecording } from './read-inputs.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/founding-case-6.12.pb.gz', import.meta.url));
const RELEASE = '6.12.117+deb12-amd64';
const MODULES = ['ext4', 'jbd2', 'bfq', 'overlay', '9p', '9pnet', 'netfs', 'virtio_blk', 'crc16', 'mbcache'];
const kernel = installedKernels().find(({ release }) => release === RELEASE);

async function lookUp(census: Census, { image, modules }: LabKernel) {
  const found = await findCallers(census.targets, {
    image: await bootImage({ release: RELEASE, image, modules }),
    ...(modules !== undefined && { modules }),
    only: MODULES,
    depth: 2,
  });
  const targets = found.functions.map((callers) => ({ callers, names: reachableNames(found.graph, callers.name) }));
  const lookup = new CallerLookup(census, targets, new ReturnSites(found.graph, found.looked));
  return { coverage: coverageOf(census, targets, lookup), lookup };
}

it.skipIf(!kernel)(
  'every call of the founding case came through a call site of the image (needs the lab, 6.12.117)',
  async () => {
    const { census } = await readRecording(EXAMPLE);
    const { coverage, lookup } = await lookUp(census, kernel as LabKernel);
    expect(
      coverage.map(({ name, calls, strange, throughPointers }) => [name, calls, strange, throughPointers]),
    ).toEqual([
      ['rb_insert_color', 198_561, 0, 0],
      ['__rb_insert_augmented', 50_066, 0, 0],
    ]);
    const [plain, augmented] = coverage;
    expect(plain?.throughSites).toBe(198_561);
    expect([augmented?.throughSites, augmented?.notToldApart]).toEqual([47_725, 2_341]);
    const used = plain?.sites.filter(({ state }) => state === 'used') ?? [];
    expect(used.reduce((sum, { calls }) => sum + calls, 0)).toBe(198_561);
    // What jumps leaves no frame: the image tells.
    expect(used.find(({ symbol }) => symbol === 'elv_rb_add')).toMatchObject({ kind: 'jump', calls: 1646 });
    const filled = withJumpedFrames(census, lookup);
    expect([filled.total, filled.attributed]).toEqual([census.total, census.attributed]);
    expect(callsUnder(filled, 'bfq_pos_tree_add_move')).toBe(1294);
    expect(callsUnder(census, 'bfq_pos_tree_add_move')).toBe(0);
  },
);

it.skipIf(!kernel)('a return address that was changed is noticed (needs the lab, 6.12.117)', async () => {
  const { census } = await readRecording(EXAMPLE);
  let changed = 0;
  const other = new Census();
  mergeCensus(other, census, undefined, (from, stack, into, copied) => {
    const frames = from.stacks.frames(stack);
    const [inner, caller] = frames;
    if (changed > 0 || inner === undefined || caller === undefined) return copied;
    changed++;
    const copy = frames.map((frame, i) => {
      const symbol = into.symbols.intern(
        from.symbols.raw(frame.symbol),
        from.symbols.module(frame.symbol),
        from.symbols.space(frame.symbol),
      );
      return { ...frame, symbol, ...(i === 1 && { offset: frame.offset + 1 }) };
    });
    return into.stacks.intern(copy);
  });
  expect(changed).toBe(1);
  const { coverage } = await lookUp(other, kernel as LabKernel);
  const strange = coverage.reduce((sum, one) => sum + one.strange, 0);
  expect(strange).toBeGreaterThan(0);
  expect(coverage.flatMap(({ strangeFrames }) => strangeFrames)).toHaveLength(1);
});

function callsUnder(census: Census, name: string): number {
  let calls = 0;
  for (let number = 0; number < census.rows.size; number++) {
    const { stack, count } = census.rows.row(number);
    const at = census.stacks.prefixes(stack)[1] ?? (0 as StackId);
    if (at !== 0 && census.symbols.name(census.stacks.symbol(at)) === name) calls += count;
  }
  return calls;
}
