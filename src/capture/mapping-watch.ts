import { onlineCpus } from './sys/kernel.ts';
import { SystemCallError } from './sys/native.ts';
import { RECORD_FORK, RECORD_MMAP2, TaskRecords } from './sys/task-records.ts';
import type { UserSymbols } from './user-symbols.ts';

const MILLISECONDS = 200;

/**
 * Keeps what every process maps while calls are counted: afterwards nobody knows what the addresses of a process that
 * has ended meant. The kernel tells of each mapping and each new process as it happens, so that none is too short-lived.
 */
export class MappingWatch {
  readonly #symbols: UserSymbols;
  readonly #records = new Map<number, TaskRecords>();
  readonly #timer: NodeJS.Timeout;

  /** `pid`: COMMAND, which began before. Where the kernel refuses its records, COMMAND and its children are looked at now and then. */
  constructor(symbols: UserSymbols, pid: number | undefined) {
    this.#symbols = symbols;
    if (pid !== undefined) symbols.remember(pid);
    let look = () => this.#read();
    try {
      this.#follow();
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.#drop([...this.#records.keys()]);
      look = () => {
        if (pid !== undefined) symbols.rememberFamily(pid);
      };
    }
    this.#timer = setInterval(look, MILLISECONDS);
  }

  /** Reads what came last. */
  close(): void {
    clearInterval(this.#timer);
    for (const records of this.#records.values()) this.#readOf(records);
    this.#drop([...this.#records.keys()]);
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

  /** Listens on the CPUs that are online: the kernel drops the events of one that goes. */
  #follow(): void {
    const online = onlineCpus();
    this.#drop([...this.#records.keys()].filter((cpu) => !online.includes(cpu)));
    for (const cpu of online) if (!this.#records.has(cpu)) this.#records.set(cpu, new TaskRecords(cpu));
  }

  #drop(cpus: readonly number[]): void {
    for (const cpu of cpus) {
      this.#records.get(cpu)?.close();
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
