import { readAttribute } from './attributes.ts';
import type { Words } from './words.ts';

/** Numbers of the parts that a file has beside its records (tools/perf/Documentation/perf.data-file-format.txt). */
export const FEATURE = { buildId: 2, release: 4, version: 5, arch: 6, cpus: 7, command: 11, events: 12 } as const;

const NAMES: readonly string[] = [
  ...['', 'tracing data', 'build ids', 'host name', 'kernel release', 'version of perf', 'architecture', 'CPUs'],
  ...['CPU description', 'CPU id', 'memory', 'command', 'events', 'CPU topology', 'NUMA topology', 'branch stacks'],
  ...['PMUs', 'event groups', 'AUX traces', 'statistics', 'caches', 'times of samples', 'memory topology', 'clock'],
  ...['several files', 'BPF programs', 'BPF types', 'compressed', 'PMU capabilities', 'clock data', 'hybrid topology'],
];

/** Names of the parts whose bits are set. */
export function featureNames(bits: readonly number[]): string[] {
  return bits.map((bit) => NAMES[bit] ?? `part ${bit}`);
}

/** What a file says of the machine and the recording. */
export interface RecordingFacts {
  release: string;
  version: string;
  arch: string;
  cpus: number;
  command: string[];
  /** Name of each event, by the ids of its counters. */
  readonly eventNames: Map<number, string>;
  /** Names in the order of the events, where counters have no ids. */
  readonly eventOrder: string[];
  /** Build ids by file; the kernel's as `[kernel.kallsyms]`. */
  readonly buildIds: Map<string, string>;
}

export function noFacts(): RecordingFacts {
  return {
    release: '',
    version: '',
    arch: '',
    cpus: 0,
    command: [],
    eventNames: new Map(),
    eventOrder: [],
    buildIds: new Map(),
  };
}

/** More events, words or files than any recording has. */
const MOST = 65_536;

/** Takes what is of use of one part. */
export function readFeature(feature: number, words: Words, facts: RecordingFacts): void {
  switch (feature) {
    case FEATURE.release:
      facts.release = stringAt(words, 0).text;
      break;
    case FEATURE.version:
      facts.version = stringAt(words, 0).text;
      break;
    case FEATURE.arch:
      facts.arch = stringAt(words, 0).text;
      break;
    case FEATURE.cpus:
      facts.cpus = words.u32(4);
      break;
    case FEATURE.command: {
      let at = 4;
      const count = Math.min(words.u32(0), MOST);
      for (let i = 0; i < count && at < words.length; i++) {
        const { text, end } = stringAt(words, at);
        facts.command.push(text);
        at = end;
      }
      break;
    }
    case FEATURE.events:
      readEvents(words, facts);
      break;
    case FEATURE.buildId:
      for (let at = 0; at + 8 <= words.length; ) {
        const size = words.u16(at + 6);
        readBuildId(words.part(at, at + size), facts);
        if (size < 8) break;
        at += size;
      }
      break;
  }
}

function readEvents(words: Words, facts: RecordingFacts): void {
  const count = Math.min(words.u32(0), MOST);
  const size = words.u32(4);
  let at = 8;
  for (let i = 0; i < count && at < words.length; i++) {
    const fallback = readAttribute(words.part(at, at + size)).name;
    const ids = Math.min(words.u32(at + size), MOST);
    const { text, end } = stringAt(words, at + size + 4);
    // Names may carry what is left of the command line: `mem:0x…:x, `.
    const name = withoutTail(text) || fallback;
    facts.eventOrder.push(name);
    for (let id = 0; id < ids; id++) facts.eventNames.set(words.u64(end + 8 * id), name);
    at = end + 8 * ids;
  }
}

function withoutTail(text: string): string {
  let end = text.length;
  while (end > 0 && ', \t'.includes(text[end - 1] ?? '')) end--;
  return text.slice(0, end);
}

const BUILD_ID_SIZE = 1 << 15;

/** A record of a build id: header, process, 20 bytes with their number, file. */
export function readBuildId(words: Words, { buildIds }: RecordingFacts): void {
  const hasSize = (words.u16(4) & BUILD_ID_SIZE) !== 0;
  const length = hasSize ? Math.min(words.bytes[12 + 20] ?? 20, 20) : 20;
  const file = words.text(36, words.length - 36);
  if (file !== '' && words.length >= 36) buildIds.set(file, words.bytes.toString('hex', 12, 12 + length));
}

/** A string with its length before it, padded. */
function stringAt(words: Words, at: number): { text: string; end: number } {
  const length = words.u32(at);
  return { text: words.text(at + 4, length), end: at + 4 + Math.min(length, words.length) };
}
