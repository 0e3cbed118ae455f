import { atlasReader } from './files.ts';
import { type Definition, FunctionMap } from './function-map.ts';
import { findFolded } from './generated-symbols.ts';
import { subsystemOf } from './subsystems.ts';

/** Where a kernel function lives. */
export interface Place {
  /** Path in the kernel source: `kernel/sched/fair.c`. */
  readonly file: string;
  /** Our label for that part of the kernel: `CPU scheduler (fair class)`. */
  readonly subsystem: string;
}

/**
 * A frame as far as its place is concerned; `module` is '' for the kernel image. `file` is there where the capture
 * settled an ambiguous name.
 */
export interface PlacedFrame {
  readonly name: string;
  readonly module: string;
  readonly file?: string;
}

let map: FunctionMap | undefined;
const definitions = new Map<string, readonly Definition[]>();

/** Where a function lives; several where the name is ambiguous, none where it is unknown. A module narrows. */
export function placesOf(name: string, module?: string): readonly Place[] {
  return narrow(definitionsOf(name), module ?? '').map(placeOf);
}

/** The files of {@link placesOf}. */
export function filesOf(name: string, module: string): string[] {
  return narrow(definitionsOf(name), module).map(({ file }) => file);
}

/**
 * The place of frame `index` of a path. Where several files define a function of that name, the file the capture found
 * decides, then the frame's module, then the kernel's version (by its release, else as far as the other frames betray
 * it), then what lies nearest in the source to the frames around it. Null where the function is unknown or the question stays open.
 */
export function placeInPath(frames: readonly PlacedFrame[], index: number, kernel = ''): Place | null {
  const candidates = candidatesInPath(frames, index, kernel);
  const [first] = candidates;
  return first && candidates.length === 1 ? placeOf(first) : null;
}

/** The subsystem of frame `index` of a path: known also where several files remain but belong to one subsystem. */
export function subsystemInPath(frames: readonly PlacedFrame[], index: number): string | null {
  const labels = new Set(candidatesInPath(frames, index, '').map(({ file }) => subsystemOf(file)));
  const [label] = labels;
  return label !== undefined && labels.size === 1 ? label : null;
}

function candidatesInPath(frames: readonly PlacedFrame[], index: number, kernel: string): readonly Definition[] {
  const frame = frames[index];
  if (!frame) return [];
  let candidates = definitionsOfFrame(frame);
  if (candidates.length < 2) return candidates;
  candidates = ofArchitecture(candidates, frames);
  if (candidates.length > 1) candidates = ofVersion(candidates, frames, kernel);
  if (candidates.length > 1) candidates = nearest(candidates, frames, index);
  if (candidates.length !== 2) return candidates;
  // A function that moved to another file: without any hint the newer kernel is as good a guess as any.
  const [first, second] = candidates.toSorted((a, b) => b.versions - a.versions);
  if (first && second && (first.versions & second.versions) === 0) return [first];
  return candidates;
}

/** What the name, the module and the file of a frame leave. */
function definitionsOfFrame({ name, module, file }: PlacedFrame): readonly Definition[] {
  const named = definitionsOf(name);
  if (file === undefined) return narrow(named, module);
  const own = named.find((definition) => definition.file === file);
  return [own ?? { file, module, versions: 0 }];
}

function definitionsOf(name: string): readonly Definition[] {
  let found = definitions.get(name);
  if (!found) {
    found = findFolded(functionMap(), name);
    definitions.set(name, found);
  }
  return found;
}

function functionMap(): FunctionMap {
  map ??= new FunctionMap(atlasReader('functions.map'));
  return map;
}

function placeOf({ file }: Definition): Place {
  return { file, subsystem: subsystemOf(file) };
}

/** A module's own files where it has some; a source file beats headers, of which every includer has a copy. */
function narrow(candidates: readonly Definition[], module: string): readonly Definition[] {
  const inModule = module === '' ? [] : candidates.filter((candidate) => candidate.module === module);
  const left = inModule.length > 0 ? inModule : candidates;
  const sources = left.filter(({ file }) => !file.endsWith('.h'));
  return sources.length > 0 ? sources : left;
}

const ARCHITECTURE = /^arch\/\w+\//;

/** Drops what other architectures define, if a frame betrays the one the path comes from (entry code does). */
function ofArchitecture(candidates: readonly Definition[], frames: readonly PlacedFrame[]): readonly Definition[] {
  const architectureOf = ({ file }: Definition) => ARCHITECTURE.exec(file)?.[0];
  if (!candidates.some(architectureOf)) return candidates;
  for (const { name } of frames) {
    const found = new Set(definitionsOf(name).map(architectureOf));
    const [own] = found;
    if (own === undefined || found.size > 1) continue;
    const left = candidates.filter((candidate) => (architectureOf(candidate) ?? own) === own);
    return left.length > 0 ? left : candidates;
  }
  return candidates;
}

/** Drops what the kernel that the path comes from does not have, if it is known or the other frames tell which one that is. */
function ofVersion(
  candidates: readonly Definition[],
  frames: readonly PlacedFrame[],
  kernel: string,
): readonly Definition[] {
  const versions = versionOf(kernel) || versionsOf(frames);
  const left = candidates.filter((candidate) => candidate.versions & versions);
  return left.length > 0 ? left : candidates;
}

const versionsOfReleases = new Map<string, number>();

/** The bit of the kernel version that a release belongs to; 0 where the map was not made from it. */
function versionOf(release: string): number {
  let version = versionsOfReleases.get(release);
  if (version === undefined) {
    const at = functionMap().kernels.findIndex((kernel) => release === kernel || release.startsWith(`${kernel}.`));
    version = at < 0 ? 0 : 1 << at;
    versionsOfReleases.set(release, version);
  }
  return version;
}

/** By the frames of a path: {@link versionsOf}, which is asked for with every ambiguous frame. */
const versionsOfPaths = new WeakMap<readonly PlacedFrame[], number>();
const versionsOfNames = new Map<string, number>();

/** The kernels that have all functions of a path, a bit each. */
function versionsOf(frames: readonly PlacedFrame[]): number {
  let versions = versionsOfPaths.get(frames);
  if (versions === undefined) {
    versions = -1;
    for (let i = 0; i < frames.length && !isOne(versions); i++) versions &= versionsOfName(frames[i]?.name ?? '');
    versionsOfPaths.set(frames, versions);
  }
  return versions;
}

function isOne(bits: number): boolean {
  return (bits & (bits - 1)) === 0;
}

/** The kernels that have a function of this name, a bit each; all of them where it is not known at all. */
function versionsOfName(name: string): number {
  let versions = versionsOfNames.get(name);
  if (versions === undefined) {
    const found = definitionsOf(name);
    versions = found.length === 0 ? -1 : found.reduce((all, definition) => all | definition.versions, 0);
    versionsOfNames.set(name, versions);
  }
  return versions;
}

/** How far away a frame may be to say something about another one. */
const NEIGHBOURS = 4;

/** The candidates that share the most folders with the closest frame whose own place is certain. */
function nearest(
  candidates: readonly Definition[],
  frames: readonly PlacedFrame[],
  index: number,
): readonly Definition[] {
  for (let distance = 1; distance <= NEIGHBOURS; distance += 1) {
    for (const neighbour of [frames[index - distance], frames[index + distance]]) {
      const places = neighbour ? definitionsOfFrame(neighbour) : [];
      const [only] = places;
      if (!only || places.length > 1) continue;
      const left = sharingMost(candidates, only.file);
      if (left.length < candidates.length) return left;
    }
  }
  return candidates;
}

/** The candidates that share the most folders with a file, if any shares enough to say something; else all. */
function sharingMost(candidates: readonly Definition[], file: string): readonly Definition[] {
  let best = 0;
  let left: Definition[] = [];
  for (const candidate of candidates) {
    const shared = sharedFolders(candidate.file, file);
    if (shared > best) {
      best = shared;
      left = [];
    }
    if (shared === best) left.push(candidate);
  }
  // One shared folder (drivers/, fs/) says nothing; a file system's own folder, or the same file, does.
  return best < 2 ? candidates : left;
}

/** How many leading parts two paths share; the same file counts as one more than the same folder. */
function sharedFolders(a: string, b: string): number {
  let shared = 0;
  let at = 0;
  for (; at < a.length && a[at] === b[at]; at++) if (a[at] === '/') shared++;
  return at === a.length && at === b.length ? shared + 1 : shared;
}
