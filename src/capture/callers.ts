import { normaliseSymbol } from '../census/symbol-name.ts';
import { UsageError, UserError } from '../errors.ts';
import { CallGraph } from '../image/call-graph.ts';
import { CallerFinder, type FunctionCallers, type LookedAtModule, reachableNames } from '../image/callers.ts';
import { functionNames } from '../image/elf.ts';
import { runningImage } from '../image/find-image.ts';
import { KernelImage } from '../image/kernel-image.ts';
import { mentions, moduleCalls } from '../image/module-calls.ts';
import { type ModuleFile, moduleFiles, readModules } from '../image/module-files.ts';
import { Refused } from './refusals/refused.ts';
import { toUnsigned } from './symbols/address.ts';
import { Kallsyms } from './symbols/kallsyms.ts';
import { type Names, resolveTargets } from './targets/resolve-targets.ts';
import { targetSets } from './targets/target-sets.ts';

/** Which kernel to look at, and which of its modules. */
export interface CallersOptions {
  /** The image's file; the running kernel's where there is none. */
  readonly image?: string;
  /** Folder with the kernel's modules; those of the running kernel where neither this nor `image` is given. */
  readonly modules?: string;
  /** Names of the modules to look at; all of the folder where undefined. */
  readonly only?: readonly string[];
  /** Levels of callers that will be asked for; from 2 on modules are read whole. */
  readonly depth?: number;
  /** Is told what is being done. */
  readonly onProgress?: (text: string) => void;
}

/** What {@link findCallers} found. */
export interface FoundCallers {
  readonly image: KernelImage;
  readonly graph: CallGraph;
  /** Asked again for functions further out. */
  readonly finder: CallerFinder;
  /** Modules that speak of the functions; all, and whole, where more than one level was asked for. */
  readonly looked: readonly LookedAtModule[];
  readonly functions: readonly FunctionCallers[];
  /** Modules that were read. */
  readonly modules: number;
  /** Modules of the folder that were left out. */
  readonly otherModules: number;
  /** What the reader should know. */
  readonly remarks: readonly string[];
}

/** Functions one may ask for at once. */
const MOST_FUNCTIONS = 4096;
/** Bytes of code that are no instruction, between functions and in tables; more is told. */
const FEW_BYTES = 64;

/**
 * Finds who can call functions, from a kernel's image and its modules: direct calls and jumps, and where addresses of the
 * functions are kept. Nothing is run.
 *
 * @param words functions as {@link resolveTargets} takes them
 * @throws {UserError} no image, no such function
 */
export async function findCallers(words: readonly string[], options: CallersOptions = {}): Promise<FoundCallers> {
  const { onProgress: tell = () => {}, depth = 1 } = options;
  tell('reading the kernel image');
  const { image, passedOver } =
    options.image === undefined
      ? await runningImage()
      : { image: await KernelImage.open(options.image), passedOver: [] };
  tell('following the calls of the kernel image');
  const graph = new CallGraph(image);
  const { chosen, others } = chooseModules(options, image);
  const asked = await resolve(words, image, chosen, tell);
  const wanted = new Set(asked.flatMap(({ name }) => [...reachableNames(graph, name)]));
  const isWanted = depth > 1 ? () => true : (name: string) => wanted.has(name) || wanted.has(normaliseSymbol(name));
  const looked: LookedAtModule[] = [];
  const read = await readModules(chosen, ({ name, path }, file) => {
    tell(`looking at modules: ${name}`);
    if (depth > 1 || [...wanted].some((one) => mentions(file, one))) {
      looked.push({ name, calls: moduleCalls(file, path, isWanted) });
    }
  });
  const finder = new CallerFinder(graph, looked);
  return {
    image,
    graph,
    finder,
    looked,
    functions: asked.map(({ name, module }) => finder.callersOf(name, module)),
    modules: read.read,
    otherModules: others,
    remarks: [
      ...passedOver,
      ...read.failed.map(({ module, why }) => `${module.path} could not be read: ${why}`),
      ...doubts(graph),
    ],
  };
}

function doubts(graph: CallGraph): string[] {
  const remarks: string[] = [];
  if (!graph.areKeptListed) {
    remarks.push(
      'This image has no list of the addresses it keeps: what looks like one in its data was taken for one.',
    );
  }
  if (graph.unreadBytes > FEW_BYTES)
    remarks.push(`${graph.unreadBytes} bytes of code could not be read as instructions.`);
  return remarks;
}

function chooseModules(options: CallersOptions, image: KernelImage): { chosen: ModuleFile[]; others: number } {
  const directory = options.modules ?? (options.image === undefined ? `/lib/modules/${image.release}` : undefined);
  const all = directory === undefined ? [] : moduleFiles(directory);
  if (options.modules !== undefined && all.length === 0)
    throw new UserError(`there are no kernel modules in ${options.modules}`);
  const only = options.only && new Set(options.only);
  const chosen = only ? all.filter(({ name }) => only.has(name)) : all;
  return { chosen, others: all.length - chosen.length };
}

/** A function that was asked for; `module` is '' for one of the kernel image. */
interface Asked {
  readonly name: string;
  readonly module: string;
}

/** What words stand for, in the image or else in the modules too: whoever asks for one of those has them read twice. */
async function resolve(
  words: readonly string[],
  image: KernelImage,
  modules: readonly ModuleFile[],
  tell: (text: string) => void,
): Promise<Asked[]> {
  try {
    return askedFor(words, symbolLines(image));
  } catch (error) {
    if (!(error instanceof Refused) || modules.length === 0) throw error;
  }
  const lines = symbolLines(image);
  let address = FIRST_MODULE_ADDRESS;
  await readModules(modules, ({ name }, file) => {
    tell(`reading the names of modules: ${name}`);
    for (const symbol of functionNames(file)) {
      lines.push(symbolLine(address, `${symbol}\t[${name}]`));
      address += 16;
    }
  });
  return askedFor(words, lines);
}

/** Where modules may lie on x86-64; only the order counts. */
const FIRST_MODULE_ADDRESS = -0x4000_0000;

function askedFor(words: readonly string[], lines: readonly string[]): Asked[] {
  const names: Names = {
    kallsyms: new Kallsyms(Buffer.from(lines.join(''), 'latin1')),
    sets: targetSets(),
    hasEvent: () => false,
    events: () => [],
    whyNoEvents: () => null,
    userFunctions: (path) => {
      throw new UsageError(`${path}: only functions of the kernel can be looked up in its image`);
    },
    library: () => undefined,
  };
  return resolveTargets(words, names, MOST_FUNCTIONS).targets.flatMap((target) => {
    if (target.kind !== 'function') return [];
    return [...new Set(target.functions.map(({ module }) => module))].map((module) => ({ name: target.name, module }));
  });
}

function symbolLines({ functions }: KernelImage): string[] {
  const lines: string[] = [];
  for (let i = 0; i < functions.size; i++) {
    for (const name of functions.names(i)) lines.push(symbolLine(functions.address(i), name));
  }
  return lines;
}

function symbolLine(address: number, name: string): string {
  return `${toUnsigned(address).toString(16).padStart(16, '0')} t ${name}\n`;
}
