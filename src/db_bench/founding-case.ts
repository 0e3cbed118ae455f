import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOverTcp } from './remote-shell.ts';

export interface FoundingCaseOptions {
  /** Entries to write and read. */
  readonly num: number;
  /**
   * Folder of the database, which is made anew there. On a disk whose I/O scheduler keeps a tree all kinds of path occur.
   * Undefined: a folder of its own among the temporary files, which is removed at the end.
   */
  readonly db: string | undefined;
  /** Starts `whocalls`: a program and its first arguments. */
  readonly whocalls: readonly string[];
  readonly out: (chunk: Buffer) => void;
  /** Takes remarks about what could not be done as in the founding case. */
  readonly remark: (text: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The workload of the founding case: db_bench writes a database, the page cache is emptied, and db_bench reads it
 * back through mmap; its output goes over a TCP connection. Returns the exit status.
 */
export async function runFoundingCase(options: FoundingCaseOptions): Promise<number> {
  const { db } = options;
  if (db !== undefined) {
    mkdirSync(db, { recursive: true });
    return writeAndRead(options, db);
  }
  const folder = mkdtempSync(join(tmpdir(), 'whocalls-founding-case-'));
  try {
    return await writeAndRead(options, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeAndRead(options: FoundingCaseOptions, folder: string): Promise<number> {
  const { num } = options;
  const size = [`--db=${folder}`, `--num=${num}`, `--write_buffer_size=${writeBufferSize(num)}`];
  const written = await bench(options, ['--benchmarks=fillseq,fillrandom', ...size]);
  if (written !== 0) return written;
  dropPageCache(options.remark);
  return bench(options, ['--benchmarks=readrandom,readseq', '--use_existing_db=1', ...size]);
}

/** Bytes of an entry: key, value, and what the log adds. */
const ENTRY_BYTES = 130;

/**
 * LevelDB's own 4 MiB for a million entries; less for fewer, so that most of them are in tables, which are read
 * through mmap, and not in the log.
 */
function writeBufferSize(num: number): number {
  return Math.min(4 << 20, Math.max(64 << 10, Math.round((num * ENTRY_BYTES) / 16)));
}

function bench({ whocalls, out, signal }: FoundingCaseOptions, flags: readonly string[]): Promise<number> {
  const [program = '', ...first] = whocalls;
  return runOverTcp(program, [...first, 'db_bench', ...flags], { out, ...(signal && { signal }) });
}

/** Cold reads are what leads from a page fault to the disk. Only root may empty the cache. */
function dropPageCache(remark: (text: string) => void): void {
  spawnSync('sync');
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  } catch {
    remark('the page cache could not be emptied: reads may find everything in memory');
  }
}
