// Real kernels of the lab's cache; nothing is booted.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bootImage } from '../lab/initramfs.ts';
import { findKernel, installedKernels } from '../lab/kernels.ts';
import { CallGraph } from './call-graph.ts';
import { CallerFinder } from './callers.ts';
import { KernelImage } from './kernel-image.ts';

const hasObjdump = existsSync('/usr/bin/objdump');
/** Bytes of code that are compared: objdump takes half a minute for all. */
const SLICE = 3_000_000;

describe.each(['6.1', '6.12'])('the calls of Linux %s', (version) => {
  const isHere = installedKernels().some(({ release }) => release?.startsWith(`${version}.`));

  async function graphOf(): Promise<{ graph: CallGraph; file: string }> {
    const file = await bootImage(findKernel(version));
    return { graph: new CallGraph(await KernelImage.open(file)), file };
  }

  it.skipIf(!isHere || !hasObjdump)('are those that objdump finds (needs the lab and binutils)', async () => {
    const { graph, file } = await graphOf();
    const { functions } = graph.image;
    const [text] = graph.image.code();
    if (!text) throw new Error('no code');
    const start = BigInt.asUintN(64, BigInt(text.address + 4_000_000));
    const { stdout } = spawnSync(
      'objdump',
      ['-d', '-w', '--no-show-raw-insn', `--start-address=${start}`, `--stop-address=${start + BigInt(SLICE)}`, file],
      { encoding: 'latin1', maxBuffer: 1 << 29 },
    );
    const theirs = new Set<string>();
    // ffffffff81400012:	call   0xffffffff81cd0000
    for (const [, at = '', mnemonic = '', to = ''] of stdout.matchAll(
      /^(ffffffff[0-9a-f]{8}):\t(?:(?:cs|ds|notrack|bnd|rep|repz) )*(call|j\w+)(?:,p[nt])?\s+0x(ffffffff[0-9a-f]{8})/gm,
    )) {
      const target = addressOf(to);
      const index = functions.at(target);
      if (functions.address(index) !== target) continue;
      // A jump to the start of its own function is a loop.
      if (mnemonic !== 'call' && functions.at(addressOf(at)) === index) continue;
      theirs.add(`${at} ${mnemonic === 'call' ? 'call' : 'jump'} ${functions.name(index)}`);
    }
    expect(theirs.size).toBeGreaterThan(20_000);
    const ours = new Set<string>();
    const from = text.address + 4_000_000;
    for (const { address, target, kind } of graph.placesWithin(from, from + SLICE)) {
      if (kind !== 'call' && kind !== 'jump') continue;
      ours.add(`${BigInt.asUintN(64, BigInt(address)).toString(16)} ${kind} ${functions.name(target)}`);
    }
    // What is told of alternatives runs there, and objdump sees it where it is kept.
    const replaced = alternativePlaces(graph, from);
    expect([...theirs].filter((one) => !ours.has(one))).toEqual([]);
    expect([...ours].filter((one) => !theirs.has(one) && !replaced.has(one.slice(0, 16)))).toEqual([]);
  });

  it.skipIf(!isHere)('hold every site of the list the kernel itself keeps (needs the lab)', async () => {
    const { graph } = await graphOf();
    const list = graph.image.sectionNamed('.call_sites');
    if (version === '6.1') return expect(list).toBeUndefined(); // it keeps none yet
    if (!list) throw new Error('no list of call sites');
    const known = new Set<number>();
    for (let i = 0; i < graph.size; i++) known.add(graph.place(i).address);
    let missing = 0;
    for (let at = 0; at + 4 <= list.bytes.length; at += 4) {
      if (!known.has(list.address + at + list.bytes.readInt32LE(at))) missing++;
    }
    expect(list.bytes.length / 4).toBeGreaterThan(200_000);
    expect(missing).toBe(0);
  });

  it.skipIf(!isHere)('name functions in operations and static calls (needs the lab)', async () => {
    const { graph } = await graphOf();
    const finder = new CallerFinder(graph, []);
    const held = finder.callersOf('pipe_write');
    expect(held.sites).toEqual([]);
    expect(held.holders).toMatchObject([{ object: 'pipefifo_fops', isCode: false }]);
    expect(finder.callersOf('rb_insert_color').sites.length).toBeGreaterThan(60);
    const patched = finder.callersOf('__traceiter_sched_switch').sites;
    expect(patched.some(({ kind }) => kind === 'static call')).toBe(true);
  });
});

function addressOf(digits: string): number {
  return Number(BigInt.asIntN(64, BigInt(`0x${digits}`)));
}

/** Where branches were told whose code lies elsewhere: outside the instruction that stands there. */
function alternativePlaces(graph: CallGraph, from: number): Set<string> {
  const places = new Set<string>();
  const kept = graph.image.sectionNamed('.altinstructions');
  if (!kept) return places;
  for (const { address } of graph.placesWithin(from, from + SLICE)) {
    if (graph.isMoved(address)) places.add(BigInt.asUintN(64, BigInt(address)).toString(16));
  }
  return places;
}
