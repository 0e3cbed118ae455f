/** One executable mapping of a process, as /proc/PID/maps has it. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** Byte offset in the file that `start` shows. */
  readonly offset: number;
  readonly path: string;
}

/** What is the same wherever a file's code is mapped. */
interface Segment {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

const FIRST_CAPACITY = 1 << 8;
const NONE = -1;

/**
 * The executable mappings of many processes. A run may see a hundred thousand short-lived ones, which map the same few
 * files, each at addresses of its own: 16 bytes a mapping, in columns, and the files only once.
 */
export class ProcessMappings {
  /** The newest mapping of each process. */
  readonly #newest = new Map<number, number>();
  readonly #segments: Segment[] = [];
  readonly #segmentIds = new Map<string, number>();
  #size = 0;
  /** Address at which the segment lies. */
  #starts = new Float64Array(FIRST_CAPACITY);
  #segmentOf = new Int32Array(FIRST_CAPACITY);
  /** The mapping of the same process that came before; {@link NONE} for its first. */
  #older = new Int32Array(FIRST_CAPACITY);

  /** Adds a mapping. Where others of that process lie they are hidden, but for what it does not cover. */
  add(pid: number, { start, end, offset, path }: Mapping): void {
    const segment = this.#segment(path, offset, end - start);
    const there = this.#at(pid, start);
    if (there !== NONE && this.#starts[there] === start && this.#segmentOf[there] === segment) return;
    if (this.#size === this.#starts.length) this.#grow();
    const at = this.#size++;
    this.#starts[at] = start;
    this.#segmentOf[at] = segment;
    this.#older[at] = this.#newest.get(pid) ?? NONE;
    this.#newest.set(pid, at);
  }

  /** Takes all mappings from a process. */
  forget(pid: number): void {
    this.#newest.delete(pid);
  }

  /** The mapping an address of a process lies in: the newest of several. */
  find(pid: number, address: number): Mapping | undefined {
    const at = this.#at(pid, address);
    const segment = this.#segments[this.#segmentOf[at] ?? NONE];
    if (!segment) return undefined;
    const start = this.#starts[at] as number;
    return { start, end: start + segment.size, offset: segment.offset, path: segment.path };
  }

  #at(pid: number, address: number): number {
    let at = this.#newest.get(pid) ?? NONE;
    for (; at !== NONE; at = this.#older[at] as number) {
      const inside = address - (this.#starts[at] as number);
      if (inside >= 0 && inside < (this.#segments[this.#segmentOf[at] as number] as Segment).size) break;
    }
    return at;
  }

  #segment(path: string, offset: number, size: number): number {
    const key = `${offset} ${size} ${path}`;
    let id = this.#segmentIds.get(key);
    if (id === undefined) {
      id = this.#segments.push({ path, offset, size }) - 1;
      this.#segmentIds.set(key, id);
    }
    return id;
  }

  #grow(): void {
    const { length } = this.#starts;
    const wider = <T extends Float64Array | Int32Array>(column: T, copy: T): T => {
      copy.set(column);
      return copy;
    };
    this.#starts = wider(this.#starts, new Float64Array(length * 2));
    this.#segmentOf = wider(this.#segmentOf, new Int32Array(length * 2));
    this.#older = wider(this.#older, new Int32Array(length * 2));
  }
}
