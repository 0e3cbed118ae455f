import { describe, expect, it } from 'vitest';
import { BpfMachine, type FakeCall, type FakeMap, word } from '../../../test/support/bpf-machine.ts';
import { arch } from '../sys/arch.ts';
import { beginOf } from './coarse-time.ts';
import { assembleCountProgram, type CountProgram, DROP_REASONS } from './count-program.ts';
import { type KeyOptions, keyLayout } from './key-layout.ts';
import { SCRATCH_SPACE, scratchSize, stackRecordSize, USER_PART } from './scratch-space.ts';
import { decodeTaskName } from './task-name.ts';

const TARGET = 1;
const MAPS = { enabled: 11, uncounted: 12, counts: 13, stacks: 14, drops: 15, scratch: 16 };
const CGROUPS = 17;
const OWN_PID = 4711;
const CALLS: FakeCall = { stack: [0xffffffff81000100n, 0xffffffff81000200n, 0xffffffff81000300n] };

interface Wishes extends Partial<Omit<CountProgram, 'layout' | 'maps' | 'target'>> {
  readonly keys?: KeyOptions;
  readonly cgroups?: number;
  readonly maxStacks?: number;
  readonly maxKeys?: number;
}

/** A program with maps around it, which counts unless it is disabled. */
class Counter {
  readonly machine = new BpfMachine();
  readonly counts: FakeMap;
  readonly stacks: FakeMap;
  readonly #maps: Record<'enabled' | 'uncounted' | 'drops' | 'scratch', FakeMap>;
  readonly #code: Buffer;
  readonly #layout;

  constructor({ keys = {}, maxStacks = 10, maxKeys = 10, cgroups = 0, ...wishes }: Wishes) {
    this.#layout = keyLayout(keys);
    const userStacks = wishes.userStacks ?? false;
    const nesting = wishes.nesting ?? 0;
    const map = (name: keyof typeof MAPS, keySize: number, valueSize: number, room: number) =>
      this.machine.map(MAPS[name], keySize, valueSize, room);
    this.counts = map('counts', this.#layout.size, 8, maxKeys);
    this.stacks = map('stacks', 8, stackRecordSize(userStacks), maxStacks);
    this.#maps = {
      enabled: map('enabled', 4, 8, 1).asArray(),
      uncounted: map('uncounted', 4, 8 * (TARGET + 2), 1).asArray(),
      drops: map('drops', 4, 8, (TARGET + 1) * DROP_REASONS.length).asArray(),
      scratch: map('scratch', 4, scratchSize(userStacks), Math.max(nesting, 1)).asArray(),
    };
    this.machine.map(CGROUPS, 4, 4, 2);
    this.#code = assembleCountProgram({
      layout: this.#layout,
      target: TARGET,
      maps: { ...MAPS, ...(cgroups > 0 && { cgroups: { map: CGROUPS, count: cgroups } }) },
      filter: {},
      userStacks,
      onlyUserStack: false,
      addCaller: false,
      mayBeEmpty: false,
      nesting,
      isPreemptible: false,
      readsProcesses: false,
      ownPid: OWN_PID,
      pidNamespace: undefined,
      bucketMilliseconds: undefined,
      argumentOffset: undefined,
      ...wishes,
    }).bytes;
    this.enable(true);
  }

  enable(isOn: boolean): void {
    this.#value('enabled', 0).writeUInt32LE(Number(isOn), 0);
  }

  call(...calls: readonly FakeCall[]): this {
    for (const call of calls) this.machine.run(this.#code, { ...CALLS, ...call });
    return this;
  }

  /** Counted calls, largest first. */
  get counted(): number[] {
    return Array.from(this.counts.entries(), ([, value]) => Number(value.readBigUInt64LE(0))).sort((a, b) => b - a);
  }

  get uncounted(): number {
    return Number(this.#value('uncounted', 0).readBigUInt64LE(8 * TARGET));
  }

  /** Calls that were not counted, by reason; those of no call are left out. */
  get drops(): Record<string, number> {
    const numbers = DROP_REASONS.map((name, i): [string, number] => [
      name,
      Number(this.#value('drops', TARGET * DROP_REASONS.length + i).readBigUInt64LE(0)),
    ]);
    return Object.fromEntries(numbers.filter(([, count]) => count > 0));
  }

  occupy(buffer: number, isBusy: boolean): void {
    this.#value('scratch', buffer).writeUInt32LE(Number(isBusy), SCRATCH_SPACE.busy);
  }

  isBusy(buffer: number): boolean {
    return this.#value('scratch', buffer).readUInt32LE(SCRATCH_SPACE.busy) !== 0;
  }

  /** One part of the keys, as 32 bits. */
  part(name: 'target' | 'pid' | 'cpu' | 'bucket'): number[] {
    const { target, bucket, parts } = this.#layout;
    const offset = { target, bucket, pid: parts.pid, cpu: parts.cpu }[name] ?? -1;
    return Array.from(this.counts.entries(), ([key]) => key.readUInt32LE(offset)).sort((a, b) => a - b);
  }

  get comms(): string[] {
    const offset = this.#layout.parts.comm ?? -1;
    return Array.from(this.counts.entries(), ([key]) => decodeTaskName(key.subarray(offset, offset + 16))).sort();
  }

  get arguments(): bigint[] {
    return Array.from(this.counts.entries(), ([key]) => key.readBigUInt64LE(this.#layout.argument ?? -1));
  }

  /** The stored stacks, kernel or user part. */
  frames(part = 0): bigint[][] {
    return Array.from(this.stacks.entries(), ([, record]) => {
      const frames: bigint[] = [];
      for (let at = part; at < part + 128 * 8; at += 8) frames.push(record.readBigUInt64LE(at));
      return frames.slice(0, frames.indexOf(0n));
    });
  }

  #value(map: 'enabled' | 'uncounted' | 'drops' | 'scratch', index: number): Buffer {
    const region = this.#maps[map].get(word(index));
    if (!region) throw new Error(`${map} has no ${index}`);
    return region.bytes;
  }
}

const OLD = { isPreemptible: false, readsProcesses: false };
const NEW = { isPreemptible: true, readsProcesses: true };

describe.each([
  ['5.4', OLD],
  ['6.12', NEW],
])('the counting program, run on Linux %s', (_, kernel) => {
  it('adds one to the count of a stack for each call with that stack, and keeps the stack', () => {
    const counter = new Counter({ ...kernel }).call({}, { stack: [1n, 2n] }, {}, {}, { stack: [2n, 1n] });
    expect(counter.counted).toEqual([3, 1, 1]);
    expect(counter.frames()).toEqual([CALLS.stack, [1n, 2n], [2n, 1n]]);
    expect([counter.drops, counter.part('target')]).toEqual([{}, [1, 1, 1]]);
  });

  it('keeps 127 frames, and nothing of a deeper stack that came before', () => {
    const deep = Array.from({ length: 200 }, (_, i) => BigInt(i + 1));
    const counter = new Counter({ ...kernel }).call({ stack: deep }, {});
    expect(counter.frames()).toEqual([deep.slice(0, 127), CALLS.stack]);
  });

  it('counts aside what finds the enable flag off, whatever filters would say', () => {
    const counter = new Counter({ ...kernel, filter: { pids: [7] } });
    counter.enable(false);
    counter.call({}, { pid: 7 });
    expect([counter.uncounted, counter.counted, counter.drops]).toEqual([2, [], {}]);
    counter.enable(true);
    counter.call({}, { pid: 7 });
    expect([counter.uncounted, counter.counted, counter.drops]).toEqual([2, [1], { filtered: 1 }]);
  });

  it('lets through what filters ask for, and counts the rest', () => {
    const cases: [CountProgram['filter'], FakeCall[], passing: number, cgroups?: number][] = [
      [{ pids: [7, 8] }, [{ pid: 7 }, { pid: 8 }, { pid: 9 }], 2],
      [{}, [{ pid: OWN_PID }, { pid: 8 }], 1],
      [{ includeSelf: true }, [{ pid: OWN_PID }, { pid: 8 }], 2],
      [{ cpus: [1, 3] }, [{ cpu: 0 }, { cpu: 1 }, { cpu: 3 }], 2],
      [{ comms: ['a', 'name-of-15-byte'] }, [{ comm: 'a' }, { comm: 'ab' }, { comm: 'name-of-15-byte' }, {}], 2],
      [
        { cgroup: '/a', onlyCommand: true },
        [{ cgroups: [true, true] }, { cgroups: [true, false] }, { cgroups: [false, true] }],
        1,
        2,
      ],
      [{ pids: [7], cpus: [1] }, [{ pid: 7 }, { cpu: 1 }, { pid: 7, cpu: 1 }], 1],
    ];
    for (const [filter, calls, passing, cgroups = 0] of cases) {
      const counter = new Counter({ ...kernel, filter, cgroups }).call(...calls);
      const left = calls.length - passing;
      expect([counter.counted, counter.drops]).toEqual([[passing], left > 0 ? { filtered: left } : {}]);
    }
  });

  it('knows processes by their numbers in a namespace, and those of others as 0', () => {
    const pidNamespace = { device: 4n, inode: 4_026_532_000n };
    const calls = [
      { pid: 100, namespacePid: 7 },
      { pid: 7, namespacePid: null },
    ];
    const counter = new Counter({ ...kernel, keys: { pid: true }, pidNamespace }).call(...calls);
    expect(counter.part('pid')).toEqual([0, 7]);
    expect(new Counter({ ...kernel, filter: { pids: [7] }, pidNamespace }).call(...calls).counted).toEqual([1]);
  });

  it('tells calls apart by the keys that were asked for', () => {
    const keys = { pid: true, comm: true, cpu: true, bucketMilliseconds: 10, argument: true };
    const offset = 112;
    const calls: FakeCall[] = [
      { pid: 1, comm: 'long-name', cpu: 2, nanoseconds: 25_000_000n, registers: { [offset]: 5n } },
      { pid: 1, comm: 'short', cpu: 2, nanoseconds: 29_999_999n, registers: { [offset]: 5n } },
      { pid: 1, comm: 'short', cpu: 2, nanoseconds: 30_000_000n, registers: { [offset]: 5n } },
      { pid: 1, comm: 'short', cpu: 2, nanoseconds: 30_000_000n, registers: { [offset]: 6n } },
    ];
    const counter = new Counter({ ...kernel, keys, bucketMilliseconds: 10, argumentOffset: offset }).call(
      ...calls,
      ...calls,
    );
    expect(counter.counted).toEqual([2, 2, 2, 2]);
    expect(counter.part('bucket')).toEqual([2, 2, 3, 3]);
    expect(counter.comms).toEqual(['long-name', 'short', 'short', 'short']);
    expect(counter.arguments).toEqual([5n, 5n, 5n, 6n]);
    expect([counter.part('pid'), counter.part('cpu')]).toEqual([
      [1, 1, 1, 1],
      [2, 2, 2, 2],
    ]);
  });

  it('tells calls apart by coarse times, wider ones later, until as many keys are told apart as may be', () => {
    const seconds = (after: number): FakeCall => ({ ...CALLS, nanoseconds: BigInt(Math.round((1000 + after) * 1e9)) });
    const coarse = (mostKeys: number) =>
      new Counter({
        keys: { bucketMilliseconds: 1000 },
        maxKeys: 40,
        coarseTime: { time: { base: 1000n, mostKeys, insertedAt: 8 * (TARGET + 1) }, map: MAPS.uncounted },
      });
    const times = [0, 0.9, 1, 127.9, 128, 129.9, 130, 255.9, 256, 259, 1e5, 4e6];
    const counter = coarse(40).call(...times.map(seconds));
    const begins = counter.part('bucket').map(beginOf);
    expect(begins.sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual([0, 1, 127, 128, 130, 254, 256, 99_328, 3_997_696]);
    expect(counter.counted.reduce((sum, count) => sum + count)).toBe(times.length);

    const full = coarse(3).call(...[0, 1, 2, 3, 4, 4, 0].map(seconds));
    expect(full.part('bucket').map(beginOf)).toEqual([0, 1, 2, null]);
    expect(full.counted).toEqual([4, 1, 1, 1]);
  });

  it('loses a call without a stack, unless it may have none', () => {
    expect(new Counter({ ...kernel }).call({ stackError: -14 }, { stack: [] }).drops).toEqual({ 'no-stack': 2 });
    const counter = new Counter({ ...kernel, mayBeEmpty: true }).call(
      { stackError: -14 },
      { stack: [] },
      { stack: [] },
    );
    expect([counter.drops, counter.counted]).toEqual([{ 'no-stack': 1 }, [2]]);
  });

  it('stops inserting where a map is full, and goes on counting what is known', () => {
    const stacks = new Counter({ ...kernel, maxStacks: 1 }).call({}, { stack: [1n] }, {}, { stack: [1n] });
    expect([stacks.counted, stacks.drops]).toEqual([[2], { 'stacks-full': 2 }]);
    const keys = new Counter({ ...kernel, maxKeys: 1 }).call({}, { stack: [1n] }, {}, { stack: [1n] });
    expect([keys.counted, keys.drops, keys.stacks.size]).toEqual([[2], { 'counts-full': 2 }, 2]);
  });

  it('tries again where a map is in use, four times', () => {
    const busy = -16;
    for (const name of ['stacks', 'counts'] as const) {
      const counter = new Counter({ ...kernel });
      counter[name].refusals = [busy, busy, busy];
      counter.call({});
      expect([counter.counted, counter.drops]).toEqual([[1], {}]);
      counter[name].refusals = [busy, busy, busy, busy];
      counter.call({ stack: [1n] });
      expect([counter.counted, counter.drops]).toEqual([[1], { [`${name}-busy`]: 1 }]);
    }
  });

  it('adds to an entry that somebody else inserted meanwhile', () => {
    const counter = new Counter({ ...kernel });
    let key: Buffer | undefined;
    counter.call({});
    for (const [found] of counter.counts.entries()) key = found;
    const other = new Counter({ ...kernel });
    other.counts.beforeUpdate = () => {
      other.counts.beforeUpdate = () => {};
      other.counts.insert(key ?? Buffer.alloc(0)).bytes.writeUInt32LE(5, 0);
    };
    expect(other.call({}).counted).toEqual([6]);
  });

  it('takes a buffer that is free, gives it back, and loses a call only where none is', () => {
    const counter = new Counter({ ...kernel, nesting: 3, maxStacks: 2 });
    const isFree = () => [0, 1, 2].map((buffer) => !counter.isBusy(buffer));
    counter.occupy(0, true);
    counter.occupy(1, true);
    expect(counter.call({}, {}).counted).toEqual([2]);
    expect(isFree()).toEqual([false, false, true]);
    counter.occupy(2, true);
    expect(counter.call({}).drops).toEqual({ reentered: 1 });
    for (const buffer of [0, 1, 2]) counter.occupy(buffer, false);
    // However a call ends.
    counter.call({ stack: [1n] }, { stack: [2n] }, { stackError: -14 });
    expect(counter.drops).toEqual({ reentered: 1, 'stacks-full': 1, 'no-stack': 1 });
    expect(isFree()).toEqual([true, true, true]);
  });

  it('puts the caller from the link register after the function, where the kernel misses it', () => {
    const registers = { [arch().returnAddress.offset]: 2n };
    const counter = new Counter({ ...kernel, addCaller: true }).call(
      { stack: [1n, 3n], registers },
      { stack: [1n, 4n], registers },
    );
    expect(counter.frames()).toEqual([
      [1n, 2n, 3n],
      [1n, 2n, 4n],
    ]);
  });

  it('tells stacks apart by their part in the program, too', () => {
    const counter = new Counter({ ...kernel, userStacks: true }).call({ userStack: [1n] }, { userStack: [2n] }, {}, {});
    expect(counter.counted).toEqual([2, 1, 1]);
    expect(counter.frames(USER_PART)).toEqual([[1n], [2n], []]);
    expect(counter.frames()).toEqual([CALLS.stack, CALLS.stack, CALLS.stack]);
  });

  it('puts the address a function of a program was called from in place of the kernel’s stack', () => {
    const { onStack, offset } = arch().returnAddress;
    const counter = new Counter({ ...kernel, userStacks: true, onlyUserStack: true });
    const caller = Buffer.alloc(8);
    caller.writeUInt32LE(0x1234);
    const registers = { [offset]: onStack ? counter.machine.region(caller).start : 0x1234n };
    counter.call({ registers, userStack: [1n, 2n] });
    expect([counter.frames(), counter.frames(USER_PART)]).toEqual([[[0x1234n]], [[1n, 2n]]]);
    expect(counter.call({ registers, userStack: [] }).drops).toEqual({ 'no-stack': 1 });
  });
});
