import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from '../host/cache.ts';
import { pause } from '../pause.ts';

/**
 * An emulated guest reads the host's own time stamp counter, and must know how fast that runs. It would measure it
 * against emulated timers while it boots, and get it wrong by a factor of four on a busy host: then every clock in
 * the guest is wrong. So the host measures, and tells the guest (kernel parameter tsc_early_khz).
 *
 * Node cannot read the counter. This program can, in 74 bytes: rdtsc, clock_gettime(CLOCK_MONOTONIC), rdtsc,
 * write the 32 bytes of results to standard output, exit.
 */
const PROGRAM = [
  '4883ec20', // sub rsp, 32
  '0f3148c1e2204809d048890424', // rdtsc; rax |= rdx << 32; mov [rsp], rax
  'b8e4000000bf01000000488d7424080f05', // clock_gettime(1, rsp + 8)
  '0f3148c1e2204809d04889442418', // rdtsc; rax |= rdx << 32; mov [rsp + 24], rax
  'b801000000bf010000004889e6ba200000000f05', // write(1, rsp, 32)
  'b83c00000031ff0f05', // exit(0)
].join('');

const LOAD_ADDRESS = 0x400000;
const HEADERS = 64 + 56;
/** Two readings this far apart, each good to some microseconds, give the frequency to a few parts in 100,000. */
const BASELINE_MS = 200;

/** Frequency of this machine's time stamp counter in kHz, measured once per kernel of the host; undefined if it cannot be. */
export function hostTscKhz(): number | undefined {
  const file = join(cacheDirectory(), 'tsc.json');
  const machine = `${cpus()[0]?.model} on ${release()}, ${bootId()}`;
  try {
    const known = JSON.parse(readFileSync(file, 'utf8')) as { machine?: unknown; khz?: unknown };
    if (known.machine === machine && typeof known.khz === 'number') return known.khz;
  } catch {
    // not measured yet
  }
  const khz = measure();
  if (khz !== undefined) remember(file, `${JSON.stringify({ machine, khz })}\n`);
  return khz;
}

/** Where the cache may only be read, it is measured every time. */
function remember(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch {
    // As it is.
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function measure(): number | undefined {
  mkdirSync(cacheDirectory(), { recursive: true });
  const directory = mkdtempSync(join(cacheDirectory(), 'tsc-'));
  try {
    const program = join(directory, 'read-tsc');
    writeFileSync(program, elfProgram(Buffer.from(PROGRAM, 'hex')), { mode: 0o755 });
    const first = bestReading(program);
    pause(BASELINE_MS);
    const second = bestReading(program);
    if (!first || !second) return undefined;
    return Math.round(((second.ticks - first.ticks) / (second.nanoseconds - first.nanoseconds)) * 1e6);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Reading {
  readonly ticks: number;
  readonly nanoseconds: number;
  /** Ticks that passed while the clock was read. */
  readonly width: number;
}

/** The sharpest of several readings: one may be interrupted between counter and clock. */
function bestReading(program: string): Reading | undefined {
  const readings: Reading[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    const { stdout } = spawnSync(program, { timeout: 1000, killSignal: 'SIGKILL' });
    if (stdout?.length !== 32) return undefined;
    const before = Number(stdout.readBigUInt64LE(0));
    const after = Number(stdout.readBigUInt64LE(24));
    const nanoseconds = Number(stdout.readBigUInt64LE(8)) * 1e9 + Number(stdout.readBigUInt64LE(16));
    readings.push({ ticks: (before + after) / 2, nanoseconds, width: after - before });
  }
  return readings.sort((a, b) => a.width - b.width)[0];
}

/** The smallest ELF executable around some code: file header, one program header, the code (elf(5)). */
function elfProgram(code: Buffer): Buffer {
  const file = Buffer.alloc(HEADERS);
  file.write('\x7fELF\x02\x01\x01', 'latin1'); // 64 bits, little endian, version 1
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(62, 18); // EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS + HEADERS), 24); // entry
  file.writeBigUInt64LE(64n, 32); // program headers
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // readable, executable
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 80);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 88);
  file.writeBigUInt64LE(BigInt(HEADERS + code.length), 96);
  file.writeBigUInt64LE(BigInt(HEADERS + code.length), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([file, code]);
}
