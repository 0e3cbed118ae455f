import { onlineCpus } from './sys/kernel.ts';
import { SystemCallError } from './sys/native.ts';
import { RECORD_FORK, RECORD_MMAP2, TaskRecords } from './sys/perf-ring.ts';
import type { UserSymbols } from './user-symbols.ts';

const MILLISECONDS = 200;

/**
 * Keeps what every process maps while calls are counted: afterwards nobody knows what the addresses of a process that
 * has ended meant. The kernel tells of each mapping and each new process as it happens, so that none is too short-lived.
 */
export class MappingWatch {
  readonly #symbols: UserSymbols;
  readonly #records: TaskRecords[] = [];
  readonly #timer: NodeJS.Timeout;

  /** `pid`: COMMAND, which began before. Where the kernel refuses its records, COMMAND and its children are looked at now and then. */
  constructor(symbols: UserSymbols, pid: number | undefined) {
    this.#symbols = symbols;
    if (pid !== undefined) symbols.remember(pid);
    try {
      for (const cpu of onlineCpus()) this.#records.push(new TaskRecords(cpu));
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      for (const records of this.#records.splice(0)) records.close();
    }
    const look = this.#records.length > 0 ? () => this.#read() : () => pid !== undefined && symbols.rememberFamily(pid);
    this.#timer = setInterval(look, MILLISECONDS);
  }

  /** Reads what came last. */
  close(): void {
    clearInterval(this.#timer);
    this.#read();
    for (const records of this.#records.splice(0)) records.close();
  }

  #read(): void {
    for (const records of this.#records) {
      records.read((type, record) => {
        if (type === RECORD_FORK) {
          const pid = record.readUInt32LE(8);
          const parent = record.readUInt32LE(12);
          // otherwise a thread
          if (pid !== parent) this.#symbols.forked(pid, parent);
        } else if (type === RECORD_MMAP2) {
          const end = record.indexOf(0, 72);
          const start = Number(record.readBigUInt64LE(16));
          this.#symbols.mapped(record.readUInt32LE(8), {
            start,
            end: start + Number(record.readBigUInt64LE(24)),
            offset: Number(record.readBigUInt64LE(32)),
            path: record.toString('utf8', 72, end < 0 ? record.length : end),
          });
        }
      });
    }
  }
}
