import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBytes, groupCounts, readBytes } from '../../../test/support/check-reader.ts';
import { recording } from '../../../test/support/recordings.ts';

const PERF_DATA = gunzipSync(readFileSync(recording('perf.data.gz')));
let scratch = '';
let options = {};

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'whocalls-test-'));
  const kallsyms = join(scratch, 'kallsyms');
  writeFileSync(kallsyms, gunzipSync(readFileSync(recording('kallsyms-perf-data.txt.gz'))));
  options = { options: { kallsyms } };
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('a recording of 6.1', () => {
  it('has the samples of perf script, and the same groups', async () => {
    const { census } = await checkBytes('perf-data', PERF_DATA, options);
    expect(census.total).toBe(2007);
    expect(census.targets).toEqual(['rb_insert_color', '__rb_insert_augmented']);
    expect(census.facts).toMatchObject({ kernels: ['6.1.0-56-amd64'], cpus: 2, architectures: ['x86-64'], notes: [] });
    const { census: printed } = await readBytes(readFileSync(recording('perf-script.txt.gz')));
    expect(groupCounts(census)).toEqual(groupCounts(printed));
    // Of tasks that have ended perf prints `:-1`.
    const named = groupCounts(printed, 'comm').map(([comm, calls]) => [
      comm === ':-1' ? '(not recorded)' : comm,
      calls,
    ]);
    expect(groupCounts(census, 'comm')).toEqual(named);
    expect(groupCounts(census, 'entry')).toEqual(groupCounts(printed, 'entry'));
  });

  it('keeps addresses without names, and says what to give', async () => {
    const { census } = await readBytes(PERF_DATA);
    expect(census.total).toBe(2007);
    expect(census.facts.notes).toContainEqual(
      expect.objectContaining({ code: 'kernel-addresses', source: '', release: '6.1.0-56-amd64' }),
    );
  });

  it('keeps what came before a cut, and says that it ends', async () => {
    const { census, diagnostics } = await readBytes(PERF_DATA.subarray(0, 400_000), options);
    expect(census.total).toBeGreaterThan(1000);
    expect(census.total).toBeLessThan(2007);
    expect(diagnostics.truncated).toMatch(/cut off at byte|end at byte/);
  });

  it('reads a file that perf could not finish', async () => {
    const unfinished = Buffer.from(PERF_DATA.subarray(0, 584 + 530_352));
    unfinished.writeBigUInt64LE(0n, 48);
    const { census, diagnostics } = await readBytes(unfinished, options);
    expect(census.total).toBe(2007);
    expect(diagnostics.truncated).toBe('perf record did not finish the file');
  });
});

/** A recording made by hand, in either byte order: two events, a process that runs another program, losses. */
class Draft {
  readonly #isLittle: boolean;
  readonly records: Buffer[] = [];

  constructor(isLittle: boolean) {
    this.#isLittle = isLittle;
  }

  u16(value: number): Buffer {
    const bytes = Buffer.alloc(2);
    if (this.#isLittle) bytes.writeUInt16LE(value);
    else bytes.writeUInt16BE(value);
    return bytes;
  }

  u32(value: number): Buffer {
    const bytes = Buffer.alloc(4);
    if (this.#isLittle) bytes.writeUInt32LE(value >>> 0);
    else bytes.writeUInt32BE(value >>> 0);
    return bytes;
  }

  u64(value: bigint | number): Buffer {
    const bytes = Buffer.alloc(8);
    const word = BigInt.asUintN(64, BigInt(value));
    if (this.#isLittle) bytes.writeBigUInt64LE(word);
    else bytes.writeBigUInt64BE(word);
    return bytes;
  }

  text(text: string): Buffer {
    return Buffer.concat([Buffer.from(text), Buffer.alloc(8 - (text.length % 8))]);
  }

  record(type: number, misc: number, ...parts: Buffer[]): void {
    const body = Buffer.concat(parts);
    this.records.push(Buffer.concat([this.u32(type), this.u16(misc), this.u16(body.length + 8), body]));
  }

  /** IP, TID, TIME, ID, CPU, CALLCHAIN; sampled every time, ids beside other records. */
  attribute(type: number, config: number): Buffer {
    const flags = 1n << 18n;
    // A bit field counts from the other end where the byte order is the other.
    const word = this.#isLittle ? flags : reverse(flags);
    const words = [
      this.u32(type),
      this.u32(80),
      this.u64(config),
      this.u64(1),
      this.u64(0x1 | 0x2 | 0x4 | 0x40 | 0x80 | 0x20),
    ];
    return Buffer.concat([...words, this.u64(0), this.u64(word), Buffer.alloc(80 - 48)]);
  }

  sample(id: number, tid: number, time: number, chain: readonly (bigint | number)[]): void {
    this.record(
      9,
      1,
      this.u64(chain[1] ?? 0),
      this.u32(tid),
      this.u32(tid),
      this.u64(time),
      this.u64(id),
      this.u32(3),
      this.u32(0),
      this.u64(chain.length),
      ...chain.map((one) => this.u64(one)),
    );
  }

  /** What stands at the end of records that are no samples: TID, TIME, ID, CPU. */
  trailer(time: number): Buffer {
    return Buffer.concat([this.u64(0), this.u64(time), this.u64(11), this.u64(0)]);
  }

  file(): Buffer {
    const attributes = [
      [this.attribute(1, 0), 11],
      [this.attribute(1, 3), 12],
    ] as const;
    const ids = Buffer.concat([this.u64(11), this.u64(12)]);
    const idsAt = 104;
    const attributesAt = idsAt + ids.length;
    const setups = attributes.map(([bytes], i) => Buffer.concat([bytes, this.u64(idsAt + 8 * i), this.u64(8)]));
    const dataAt = attributesAt + setups.length * 96;
    const data = Buffer.concat(this.records);
    const sections = [this.u64(attributesAt), this.u64(setups.length * 96), this.u64(dataAt), this.u64(data.length)];
    const magic = Buffer.from(this.#isLittle ? 'PERFILE2' : '2ELIFREP', 'latin1');
    const header = [magic, this.u64(104), this.u64(96), ...sections, this.u64(0), this.u64(0), Buffer.alloc(32)];
    return Buffer.concat([...header, ids, ...setups, data]);
  }
}

function reverse(bits: bigint): bigint {
  let result = 0n;
  for (let i = 0n; i < 64n; i++) if (bits & (1n << i)) result |= 1n << (63n - i);
  return result;
}

const KERNEL = -128n;
const USER = -512n;
const SCHEDULE = 0xffffffff81000010n;

describe.each([true, false])('a recording with words in little-endian order: %s', (isLittle) => {
  function draft(): Draft {
    const made = new Draft(isLittle);
    const { u32, u64, text } = { u32: made.u32.bind(made), u64: made.u64.bind(made), text: made.text.bind(made) };
    const pids = Buffer.concat([u32(7), u32(7)]);
    made.record(3, 0, pids, text('first'), made.trailer(0));
    // Of the second CPU's buffer and later in the file, though it happened before.
    made.sample(11, 7, 300, [KERNEL, SCHEDULE, USER, 0x1004n]);
    made.record(3, 1 << 13, pids, text('second'), made.trailer(200));
    made.sample(12, 7, 100, [KERNEL, SCHEDULE]);
    made.record(68, 0);
    made.record(2, 0, u64(11), u64(5), made.trailer(400));
    made.record(5, 0, u64(400), u64(11), u64(0), made.trailer(400));
    return made;
  }

  it('puts records into the order of their times, and tells losses', async () => {
    const { census } = await checkBytes('perf-data', draft().file());
    expect([census.total, census.lost]).toEqual([7, 5]);
    expect(census.losses).toEqual([{ code: 'ring-buffer-full', count: 5 }]);
    expect(groupCounts(census, 'comm')).toEqual([
      ['first', 1],
      ['second', 1],
    ]);
    expect(census.targets).toEqual(['context-switches', 'cpu-clock']);
    expect(census.facts.warnings).toEqual([{ code: 'perf-throttled', times: 1 }]);
  });

  it('counts what it cannot read', async () => {
    const made = draft();
    const whole = made.file();
    made.record(9, 1, made.u64(0), made.u64(0), made.u64(100), made.u64(11), made.u64(0), made.u64(1n << 40n));
    const { census, diagnostics } = await readBytes(made.file());
    expect(diagnostics.skippedLines).toBe(1);
    expect(census.attributed).toBe(2);
    // A record of no size: nothing can follow.
    const broken = Buffer.concat([whole, Buffer.alloc(8)]);
    const at = isLittle ? 48 : 55;
    broken[at] = (broken[at] as number) + 8;
    const damaged = await readBytes(broken);
    expect(damaged.diagnostics.truncated).toMatch(/damaged at byte/);
    expect(damaged.census.total).toBe(7);
  });
});
