import type { UserSymbols } from '../symbols/user-symbols.ts';
import { onlineCpus } from '../sys/kernel.ts';
import { SystemCallError } from '../sys/native.ts';
import { RECORD_FORK, RECORD_MMAP2, TaskRecords } from '../sys/task-records.ts';

/** How often is often enough: {@link MappingWatch.look}. */
export const LOOK_MILLISECONDS = 200;

/**
 * Keeps what every process maps while calls are counted: afterwards the addresses of a process that has ended
 * mean nothing. The kernel tells of each mapping and each new process as it happens, so that none is too short-lived.
 */
export class MappingWatch {
  readonly #symbols: UserSymbols;
  readonly #records = new Map<number, TaskRecords>();
  readonly #pid: number | undefined;
  /** Whether the kernel tells. */
  #isTold = true;
  #lost = 0;

  /**
   * `pid`: COMMAND, which began before. Where the kernel refuses its records, COMMAND and its children are looked at
   * now and then.
   */
  constructor(symbols: UserSymbols, pid: number | undefined) {
    this.#symbols = symbols;
    this.#pid = pid;
    if (pid !== undefined) symbols.remember(pid);
    try {
      this.#follow();
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.#drop([...this.#records.keys()]);
      this.#isTold = false;
    }
  }

  /** Reads what came since the last time. To be called now and then: the kernel keeps only so much. */
  look(): void {
    if (this.#isTold) this.#read();
    else if (this.#pid !== undefined) this.#symbols.rememberFamily(this.#pid);
  }

  /** Reads what came last. */
  close(): void {
    try {
      for (const records of this.#records.values()) this.#readOf(records);
    } finally {
      this.#drop([...this.#records.keys()]);
    }
  }

  /** How many mappings and processes the kernel had no room to tell of. To be asked when all is closed. */
  get lost(): number {
    return this.#lost;
  }

  #read(): void {
    for (const records of this.#records.values()) this.#readOf(records);
    try {
      this.#follow();
    } catch (error) {
      // A CPU that went while it was opened; the others go on.
      if (!(error instanceof SystemCallError)) throw error;
    }
  }

  /** Listens on the CPUs that are online: the kernel drops the events of one that goes offline. */
  #follow(): void {
    const online = onlineCpus();
    this.#drop([...this.#records.keys()].filter((cpu) => !online.includes(cpu)));
    for (const cpu of online) if (!this.#records.has(cpu)) this.#records.set(cpu, new TaskRecords(cpu));
  }

  #drop(cpus: readonly number[]): void {
    for (const cpu of cpus) {
      const records = this.#records.get(cpu);
      this.#lost += records?.lost ?? 0;
      records?.close();
      this.#records.delete(cpu);
    }
  }

  #readOf(records: TaskRecords): void {
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
