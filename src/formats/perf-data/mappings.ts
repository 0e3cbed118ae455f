/** A file mapped into a process. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** Where in the file the mapping begins, in bytes. */
  readonly fileOffset: number;
  readonly file: string;
}

/** The mappings of one process at one time: not changed, but replaced. */
export type Mappings = readonly Mapping[];

const NONE: Mappings = [];

/** What processes have mapped, as records tell it one after another. */
export class ProcessMappings {
  readonly #byProcess = new Map<number, Mappings>();

  /** The mappings of a process as they are now. */
  of(pid: number): Mappings {
    return this.#byProcess.get(pid) ?? NONE;
  }

  /** A new mapping takes the place of what was there. */
  map(pid: number, mapping: Mapping): void {
    const kept = this.of(pid).filter(({ start, end }) => end <= mapping.start || start >= mapping.end);
    this.#byProcess.set(pid, [...kept, mapping]);
  }

  /** A child has what its parent has. */
  fork(pid: number, parent: number): void {
    if (pid === parent) return;
    const mappings = this.#byProcess.get(parent);
    if (mappings) this.#byProcess.set(pid, mappings);
  }

  /** A process runs another program. */
  exec(pid: number): void {
    this.#byProcess.delete(pid);
  }
}

export function mappingAt(mappings: Mappings, address: number): Mapping | undefined {
  return mappings.findLast(({ start, end }) => address >= start && address < end);
}
