import { placesOf } from '../atlas/places.ts';
import { NO_KEY } from '../census/call-key.ts';
import type { Census } from '../census/census.ts';
import type { KernelKnowledge } from '../census/knowledge.ts';
import { type Frame, NO_OFFSET } from '../census/stack-table.ts';
import type { SymbolTable } from '../census/symbol-table.ts';
import { UserError } from '../errors.ts';
import { type Aside, CensusBuilder } from './builder.ts';
import { Diagnostics } from './diagnostics.ts';
import { withInput } from './input.ts';
import { internFrame, parsePrintedFrame } from './kernel-log/frame.ts';
import { sniffReader } from './registry.ts';

/** Somebody pastes pages, not gigabytes; recordings are for `whocalls read`. */
const LARGEST = 64 << 20;

/** Stacks that somebody pasted, with those that are told for information beside them. */
export interface Pasted {
  readonly census: Census;
  readonly asides: readonly Aside[];
}

/**
 * Reads stacks that somebody pasted: any format that `whocalls read` knows, or bare functions, innermost first, one a
 * line or with arrows between (`b <- a`), a blank line between stacks.
 *
 * @throws {UserError} no such file, too large, nothing that looks like a stack
 */
export async function readPasted(path: string, knowledge: KernelKnowledge, target?: string): Promise<Pasted> {
  const { name: file, bytes } = await withInput(path, async ({ name, bytes: stream }) => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream) {
      chunks.push(Buffer.from(chunk));
      size += chunk.length;
      if (size > LARGEST) throw new UserError(`${name} is no pasted stack (over 64 MB): try 'whocalls read'`);
    }
    return { name, bytes: Buffer.concat(chunks) };
  });
  const targets = target === undefined ? [] : [target];

  const reader = sniffReader(bytes.subarray(0, 1 << 20), file, true);
  if (typeof reader === 'object') {
    const diagnostics = new Diagnostics();
    const builder = new CensusBuilder(knowledge, diagnostics);
    builder.nameTargets(targets);
    builder.collectAsides();
    await reader.read(only(bytes), builder, diagnostics, {});
    const census = builder.finish();
    if (census.rows.size > 0) return { census, asides: builder.asides ?? [] };
  }
  const builder = new CensusBuilder(knowledge, new Diagnostics());
  builder.nameTargets(targets);
  for (const block of bytes.toString('utf8').split(/\n[ \t]*\r?\n/)) addBareStack(builder, block);
  const census = builder.finish();
  if (census.rows.size === 0) throw new UserError(`${file} holds nothing that looks like a stack`);
  return { census, asides: [] };
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/**
 * A function as it stands on a line of its own, with what tools print around it: `#3 0xffffffff8110 vfs_write+0x10`,
 * `? try_to_wake_up+0x5/0x450 [ext4]`, `ksys_write at fs/read_write.c:637`.
 */
const FRAME =
  /^(#\d+\s+)?(\[?<?(?:0x)?[0-9a-f]{8,16}>?\]?:?\s+(?:in\s+)?)?(\?\s+)?([A-Za-z_]\w*(?:\.\w+)*)(?:\+(0x[0-9a-f]+|\d+)(?:\/0x[0-9a-f]+)?)?(\s*\(\))?(?:\s+\[([\w-]+)\])?(\s+(?:at|\().*)?$/;

function addBareStack(builder: CensusBuilder, block: string): void {
  const { symbols } = builder.census;
  const frames = block.split(/\r?\n|<-|\u2190/).flatMap((line) => bareFrame(line, symbols) ?? []);
  if (frames.length > 0) builder.call(frames, NO_KEY);
}

function bareFrame(line: string, symbols: SymbolTable): Frame | null {
  const printed = parsePrintedFrame(line);
  if (printed) return internFrame(symbols, printed);
  const match = FRAME.exec(line.replace(/^[\s|`-]+/, '').trimEnd());
  if (!match) return null;
  const [, number, address, doubt, name = '', offset, call, module, place] = match;
  const isMarked = [number, address, doubt, offset, call, module, place].some((part) => part !== undefined);
  if (!isMarked && !looksLikeFunction(name)) return null;
  return {
    symbol: symbols.intern(name, module ?? ''),
    offset: offset === undefined ? NO_OFFSET : Number(offset),
    unreliable: doubt !== undefined,
  };
}

/** A word by itself may be prose. */
function looksLikeFunction(word: string): boolean {
  return /[_\d]/.test(word) || placesOf(word).length > 0;
}
