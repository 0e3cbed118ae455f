import {
  BATCH_ATTR,
  bpf,
  ELEMENT_ATTR,
  MAP_ATTR,
  MAP_CREATE,
  MAP_GET_NEXT_KEY,
  MAP_LOOKUP_BATCH,
  MAP_LOOKUP_ELEM,
  MAP_UPDATE_ELEM,
  request,
  tryBpf,
} from './bpf-call.ts';
import { allocate, SystemCallError } from './native.ts';

/** `enum bpf_map_type` */
export const MAP_HASH = 1;
export const MAP_ARRAY = 2;
export const MAP_PERCPU_ARRAY = 6;
export const MAP_CGROUP_ARRAY = 8;

/** A flag of arrays: this process shares their memory. Since Linux 5.5. */
export const MAP_MMAPABLE = 1 << 10;

/** A map as it was created. */
export interface BpfMap {
  readonly descriptor: number;
  readonly keySize: number;
  /** Bytes of one value; a per-CPU map holds one per possible CPU. */
  readonly valueSize: number;
  readonly maxEntries: number;
}

/**
 * Creates a map; hash maps are preallocated (no BPF_F_NO_PREALLOC), as BPF programs of breakpoints demand.
 * @throws {SystemCallError}
 */
export function createMap(
  name: string,
  type: number,
  keySize: number,
  valueSize: number,
  maxEntries: number,
  flags = 0,
): BpfMap {
  const attr = MAP_ATTR.pack({
    map_type: type,
    key_size: keySize,
    value_size: valueSize,
    max_entries: maxEntries,
    map_flags: flags,
    map_name: name,
  });
  return { descriptor: bpf(MAP_CREATE, attr, name), keySize, valueSize, maxEntries };
}

/** Sets the value of a key. */
export function updateMap(map: BpfMap, key: Buffer, value: Buffer): void {
  bpf(MAP_UPDATE_ELEM, elementAttr(map, key, value));
}

/**
 * Reads the value of a key into `value`; false where there is none.
 * @throws {SystemCallError}
 */
export function lookupMap(map: BpfMap, key: Buffer, value: Buffer): boolean {
  return isFound(tryBpf(MAP_LOOKUP_ELEM, elementAttr(map, key, value)));
}

/** ENOENT is an answer of a map, any other error a refusal. */
function isFound(result: number | string): boolean {
  if (typeof result === 'string' && result !== 'ENOENT') throw new SystemCallError(request(MAP_LOOKUP_ELEM), result);
  return typeof result === 'number';
}

/**
 * Calls `visit` with key and value of every entry of a hash map. The buffers are reused between calls.
 * In batches where the kernel can (5.6), otherwise entry by entry.
 * @throws {SystemCallError}
 */
export function forEachEntry(map: BpfMap, visit: (key: Buffer, value: Buffer) => void): void {
  if (!forEachBatch(map, visit)) forEachKey(map, visit);
}

function forEachBatch(map: BpfMap, visit: (key: Buffer, value: Buffer) => void): boolean {
  // A batch has to hold the fullest hash bucket at least; 1024 is far beyond that.
  const size = Math.min(Math.max(map.maxEntries, 64), 1024);
  const keys = allocate(size * map.keySize);
  const values = allocate(size * map.valueSize);
  const position = allocate(Math.max(map.keySize, 8));
  for (let first = true; ; first = false) {
    const attr = BATCH_ATTR.pack({
      in_batch: first ? 0 : position,
      out_batch: position,
      keys,
      values,
      count: size,
      map_fd: map.descriptor,
    });
    const result = tryBpf(MAP_LOOKUP_BATCH, attr);
    if (typeof result === 'string' && result !== 'ENOENT') {
      if (first) return false;
      throw new SystemCallError(request(MAP_LOOKUP_BATCH), result);
    }
    const count = BATCH_ATTR.get(attr, 'count');
    for (let i = 0; i < count; i++) {
      visit(
        keys.subarray(i * map.keySize, (i + 1) * map.keySize),
        values.subarray(i * map.valueSize, (i + 1) * map.valueSize),
      );
    }
    if (result === 'ENOENT') return true;
  }
}

function forEachKey(map: BpfMap, visit: (key: Buffer, value: Buffer) => void): void {
  const key = allocate(map.keySize);
  const next = allocate(map.keySize);
  const value = allocate(map.valueSize);
  for (let first = true; ; first = false) {
    const attr = elementAttr(map, key, next);
    if (first) ELEMENT_ATTR.set(attr, 'key', 0);
    if (!isFound(tryBpf(MAP_GET_NEXT_KEY, attr))) return;
    next.copy(key);
    if (lookupMap(map, key, value)) visit(key, value);
  }
}

function elementAttr(map: BpfMap, key: Buffer, value: Buffer): Buffer {
  return ELEMENT_ATTR.pack({ map_fd: map.descriptor, key, value });
}
