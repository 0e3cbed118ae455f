import { existsSync } from 'node:fs';
import type { Frame } from '../../census/stack-table.ts';
import { NO_OFFSET } from '../../census/stack-table.ts';
import { lastUpTo } from '../../image/ascending.ts';
import { buildId } from '../../image/debug-file.ts';
import { type ElfFile, readElf } from '../../image/elf.ts';
import type { CensusBuilder } from '../builder.ts';
import { originOf } from '../origin.ts';
import type { KernelNames } from './kernel-names.ts';
import { type Mapping, mappingAt } from './mappings.ts';
import type { KernelMapping, Recording } from './recording.ts';
import type { RawStack } from './samples-by-stack.ts';
import { Words } from './words.ts';

/** Marks in call chains: what follows belongs to another context (include/uapi/linux/perf_event.h). */
const FIRST_MARK = -4095;
const USER_MARK = -512;
const KERNEL_MARK = -128;
const GUEST_MARKS = new Set([-2048, -2176, -2560]);

/** Turns recorded addresses into frames. */
export class FrameResolver {
  readonly #builder: CensusBuilder;
  readonly #isLittle: boolean;
  readonly #kernel: KernelNames | null;
  readonly #shift: number | null;
  readonly #modules: readonly KernelMapping[];
  readonly #buildIds: ReadonlyMap<string, string>;
  readonly #frames = new Map<number, Frame>();
  readonly #programs = new Map<string, ProgramNames | null>();
  /** Frames in the kernel without a name. */
  unnamed = 0;

  constructor(builder: CensusBuilder, isLittle: boolean, recording: Recording, kernel: KernelNames | null) {
    this.#builder = builder;
    this.#isLittle = isLittle;
    this.#kernel = kernel;
    this.#modules = recording.kernelMappings;
    this.#buildIds = recording.facts.buildIds;
    const { reference } = recording;
    const own = reference && kernel ? kernel.names.addressOf(reference.symbol) : null;
    // Kernels lie elsewhere at every boot: how far the names' is from the recorded one.
    this.#shift = own === null || reference === null ? 0 : own - reference.address;
  }

  /** Frames innermost first. */
  frames({ chain, mappings }: RawStack): Frame[] {
    const words = new Words(chain, this.#isLittle);
    const frames: Frame[] = [];
    let isUser = false;
    let isGuest = false;
    for (let at = 0; at + 8 <= chain.length; at += 8) {
      const address = words.i64(at);
      if (address < 0 && address >= FIRST_MARK) {
        isUser = address === USER_MARK;
        isGuest = GUEST_MARKS.has(address);
        if (address === KERNEL_MARK) isUser = false;
      } else if (!isGuest) {
        frames.push(
          isUser || address >= 0 ? this.#userFrame(address, mappingAt(mappings, address)) : this.#kernelFrame(address),
        );
      }
    }
    return frames;
  }

  #kernelFrame(address: number): Frame {
    let frame = this.#frames.get(address);
    if (!frame) {
      frame = this.#newKernelFrame(address);
      this.#frames.set(address, frame);
    }
    return frame;
  }

  #newKernelFrame(address: number): Frame {
    const { symbols } = this.#builder.census;
    const mapping = this.#modules.findLast(({ start, end }) => address >= start && address < end);
    const origin = originOf(mapping?.file ?? '', 'f'.repeat(16));
    const isModule = origin.module !== '';
    const canName = this.#kernel !== null && (isModule ? this.#shift === 0 && !this.#kernel.isImageOnly : true);
    const found = canName ? this.#kernel?.names.lookup(address + (isModule ? 0 : (this.#shift ?? 0))) : null;
    if (found) return { symbol: symbols.intern(found.name, found.module), offset: found.offset };
    this.unnamed++;
    const raw = `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`;
    return { symbol: symbols.intern(raw, origin.space === 'kernel' ? origin.module : ''), offset: NO_OFFSET };
  }

  #userFrame(address: number, mapping: Mapping | undefined): Frame {
    const { symbols } = this.#builder.census;
    if (!mapping) return { symbol: symbols.intern('[unknown]', '', 'user'), offset: NO_OFFSET };
    const offset = address - mapping.start + mapping.fileOffset;
    const found = this.#programOf(mapping.file)?.lookup(offset);
    return found
      ? { symbol: symbols.intern(found.name, mapping.file, 'user'), offset: found.offset }
      : { symbol: symbols.intern('[unknown]', mapping.file, 'user'), offset: NO_OFFSET };
  }

  /** Names of a program's functions, where its file is here and is the one that ran. */
  #programOf(file: string): ProgramNames | null {
    let names = this.#programs.get(file);
    if (names === undefined) {
      const recorded = this.#buildIds.get(file);
      const isHere = recorded !== undefined && file.startsWith('/') && existsSync(file) && buildId(file) === recorded;
      names = isHere ? programNames(file) : null;
      this.#programs.set(file, names);
    }
    return names;
  }
}

interface ProgramNames {
  /** The function that a byte of the file belongs to. */
  lookup(offset: number): { readonly name: string; readonly offset: number } | null;
}

function programNames(file: string): ProgramNames | null {
  let elf: ElfFile;
  try {
    elf = readElf(file);
  } catch {
    return null; // not what it was any more
  }
  const functions = [...elf.functions].sort((a, b) => a.address - b.address);
  return {
    lookup: (offset) => {
      const segment = elf.segments.find((one) => offset >= one.offset && offset < one.offset + one.size);
      if (!segment) return null;
      const address = offset - segment.offset + segment.address;
      const found = functions[lastUpTo(address, functions.length, (i) => functions[i]?.address ?? 0)];
      if (!found || address >= found.address + Math.max(found.size, 1)) return null;
      return { name: found.name, offset: address - found.address };
    },
  };
}
