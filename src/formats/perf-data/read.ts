// perf.data: a header, records, and parts beside them (tools/perf/Documentation/perf.data-file-format.txt); or the same as
// records only, as `perf record -o -` writes it into a pipe.
import { UserError } from '../../errors.ts';
import type { CensusBuilder } from '../builder.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { architectureOf, SampleBooks } from '../perf-script/samples.ts';
import { type ByteStream, type FormatReader, MalformedInput, type ReaderOptions, type SniffResult } from '../reader.ts';
import { ByteSource } from './byte-source.ts';
import { featureNames, readFeature } from './features.ts';
import { HEADER_BYTES, type Header, isPerfData, readEventSetups, readHeader } from './header.ts';
import { kernelNames } from './kernel-names.ts';
import { RECORD, RECORD_HEADER_BYTES, Recording } from './recording.ts';
import { FrameResolver } from './resolve.ts';
import { Words } from './words.ts';

const MAGIC_BYTES = 16;
/** Parts after the records that are larger are no facts. */
const MOST_PART = 16 << 20;

export const perfDataReader: FormatReader = {
  name: 'perf-data',
  summary: 'perf.data, as perf record writes it, to a file or into a pipe',
  carries: ['targets', 'process', 'pid', 'CPU', 'losses', 'offsets', 'modules', 'user frames'],
  options: [
    {
      name: 'kallsyms',
      flag: '--kallsyms <file>',
      summary: 'names of kernel functions for perf.data: a copy of /proc/kallsyms of the recorded boot',
    },
    {
      name: 'vmlinux',
      flag: '--vmlinux <file>',
      summary: 'the same from the kernel image (vmlinuz or vmlinux) that was recorded',
    },
  ],

  sniff(head: Buffer, _fileName: string, isWhole: boolean): SniffResult {
    const answer = isPerfData(head);
    if (answer === null) return isWhole ? 'no' : 'more';
    return answer ? 'yes' : 'no';
  },

  describe(head: Buffer): string[] {
    try {
      const header = readHeader(head);
      const order = header.isLittle ? 'little' : 'big';
      if (header.isPipe) return [`written into a pipe, ${order}-endian`];
      const events = Math.floor(header.attributes.size / header.attributeSize);
      return [
        `version 2, ${order}-endian, ${header.data.size} bytes of records, ${events} events`,
        `has: ${featureNames(header.features).join(', ')}`,
      ];
    } catch (error) {
      if (error instanceof UserError) return [error.message];
      throw error;
    }
  },

  async read(
    bytes: ByteStream,
    builder: CensusBuilder,
    diagnostics: Diagnostics,
    options: ReaderOptions,
  ): Promise<void> {
    const source = new ByteSource(bytes);
    const { header, recording } = await openRecording(source, builder);
    const problem = await readRecords(source, header, recording, diagnostics);
    recording.finish();
    if (problem === null) await readFeatures(source, header, recording);
    else diagnostics.truncated = problem;
    await book(recording, builder, diagnostics, options, header.isLittle);
  },
};

async function openRecording(
  source: ByteSource,
  builder: CensusBuilder,
): Promise<{ header: Header; recording: Recording }> {
  const start = Buffer.from(await source.take(MAGIC_BYTES));
  const isPipe =
    start.length === MAGIC_BYTES && (start.readUInt32LE(8) === MAGIC_BYTES || start.readUInt32BE(12) === MAGIC_BYTES);
  const rest = isPipe ? Buffer.alloc(0) : await source.take(HEADER_BYTES - MAGIC_BYTES);
  const head = Buffer.concat([start, rest]);
  const header = readHeader(head);
  const recording = new Recording(header.isLittle, builder);
  if (!header.isPipe) {
    const before = Buffer.concat([head, await source.take(header.data.offset - head.length)]);
    if (before.length < header.data.offset) throw new MalformedInput('the file ends before its records begin');
    for (const event of readEventSetups(before, header)) recording.addEvent(event);
  }
  return { header, recording };
}

/** Reads all records. @returns why they end too early, where they do */
async function readRecords(
  source: ByteSource,
  { isPipe, isLittle, data }: Header,
  recording: Recording,
  diagnostics: Diagnostics,
): Promise<string | null> {
  // Where perf record was killed it could not write how many bytes there are.
  const isOpen = isPipe || data.size === 0;
  const end = isOpen ? Number.POSITIVE_INFINITY : data.offset + data.size;
  while (source.position < end) {
    const at = source.position;
    const head = await source.peek(RECORD_HEADER_BYTES);
    if (head.length === 0 && isOpen) return isPipe ? null : 'perf record did not finish the file';
    if (head.length < RECORD_HEADER_BYTES) return `the records end at byte ${at}`;
    const size = new Words(head, isLittle).u16(6);
    if (size < RECORD_HEADER_BYTES) {
      diagnostics.skip(0, '', `byte ${at}: a record says it has ${size} bytes`);
      return `the records are damaged at byte ${at}`;
    }
    const bytes = await source.take(size);
    if (bytes.length < size) return `the last record is cut off at byte ${at}`;
    await recording.take(bytes);
    const extra = bytesBehind(new Words(bytes, isLittle));
    if (extra > 0) await source.skipTo(source.position + extra);
  }
  return null;
}

/** Bytes that follow a record and are no part of it. */
function bytesBehind(record: Words): number {
  const type = record.u32(0);
  if (type === RECORD.auxTrace) return record.u64(RECORD_HEADER_BYTES);
  return type === RECORD.tracingData ? (record.u32(RECORD_HEADER_BYTES) + 7) & ~7 : 0;
}

/** The parts after the records: a table of where they are, in the order of their numbers, then themselves. */
async function readFeatures(source: ByteSource, header: Header, recording: Recording): Promise<void> {
  if (header.features.length === 0) return;
  const table = new Words(Buffer.from(await source.take(16 * header.features.length)), header.isLittle);
  const parts = header.features
    .map((feature, i) => ({ feature, offset: table.u64(16 * i), size: table.u64(16 * i + 8) }))
    .filter(({ offset, size }) => offset >= source.position && size <= MOST_PART)
    .sort((a, b) => a.offset - b.offset);
  for (const { feature, offset, size } of parts) {
    if (offset < source.position) continue;
    await source.skipTo(offset);
    const bytes = await source.take(size);
    readFeature(feature, new Words(Buffer.from(bytes), header.isLittle), recording.facts);
  }
}

/** Books what was recorded: addresses become frames, events get their names. */
async function book(
  recording: Recording,
  builder: CensusBuilder,
  diagnostics: Diagnostics,
  options: ReaderOptions,
  isLittle: boolean,
): Promise<void> {
  const { facts } = recording;
  const file = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === 'string' ? value : undefined;
  };
  const names = await kernelNames(recording, file('kallsyms'), file('vmlinux'));
  const resolver = new FrameResolver(builder, isLittle, recording, names);
  const books = new SampleBooks(builder);
  const events = recording.events.map(({ attribute, name, ids }, i) => {
    const known = name || ids.map((id) => facts.eventNames.get(id)).find((one) => one !== undefined);
    return books.event(known ?? (ids.length === 0 ? facts.eventOrder[i] : undefined) ?? attribute.name);
  });
  for (const { stack, event, task, period, samples } of recording.samples.all()) {
    const used = events[event];
    if (!used) continue;
    const sample = books.sample(task, used, period, '');
    const all = { ...sample, calls: sample.calls * samples };
    const frames = resolver.frames(stack);
    if (frames.length > 0) books.add(builder.stack(frames), all);
    else books.addWithoutStack(all);
  }
  books.finish();
  tellFacts(recording, builder);
  if (recording.throttled > 0) builder.census.warn({ code: 'perf-throttled', times: recording.throttled });
  if (recording.unreadRecords > 0) diagnostics.skip(0, '', `${recording.unreadRecords} records could not be read`);
  if (resolver.unnamed > 0) {
    builder.census.note({
      code: 'kernel-addresses',
      addresses: resolver.unnamed,
      source: names?.source ?? '',
      release: facts.release,
    });
  }
}

function tellFacts({ facts: { release, arch, cpus, command } }: Recording, { census }: CensusBuilder): void {
  if (release !== '') census.facts.kernels.push(release);
  if (cpus > 0) census.facts.cpus = cpus;
  if (command.length > 0) census.facts.commands.push([...command]);
  const architecture = architectureOf(arch);
  if (architecture !== undefined) census.facts.architectures.push(architecture);
}
