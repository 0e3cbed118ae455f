// Large censuses for `npm run bench:view`: stacks of real recordings, recombined.

import { once } from 'node:events';
import { createWriteStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRecording } from '../src/report/read-inputs.ts';
import { generator } from '../test/support/random.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

export interface MadeCensus {
  readonly stacks: number;
  /** The calls; distributed as Zipf has it, so that few stacks have most of them. */
  readonly calls: number;
  /** So many frames next to the target are replaced by others, so that stacks have little in common. */
  readonly scattered: number;
}

/** Calls of the commonest stack. */
const MOST_CALLS = 3_000_000;

/** The founding case and what the tests capture: whole stacks, innermost frame first, `name_[k]` for kernel functions. */
export async function realStacks(): Promise<string[][]> {
  const captures = join(root, 'test', 'atlas', 'captures');
  const files = [
    ...['6.1', '6.12'].map((kernel) => join(root, 'examples', `founding-case-${kernel}.pb.gz`)),
    ...readdirSync(captures).map((name) => join(captures, name)),
  ];
  const stacks = new Map<string, string[]>();
  for (const file of files) {
    const { census } = await readRecording(file);
    for (const row of census.rows) {
      const frames = census.stacks.frames(row.stack).map(({ symbol }) => {
        const suffix = census.symbols.space(symbol) === 'kernel' ? '_[k]' : '';
        return `${census.symbols.raw(symbol)}${suffix}`;
      });
      if (frames.length > 3) stacks.set(frames.join(';'), frames);
    }
  }
  return [...stacks.values()];
}

/**
 * Writes a census as folded stacks: the inner part of one real stack and the outer part of another that has a function in
 * common with it, again and again. The same every time.
 */
export async function writeCensus(real: readonly string[][], file: string, made: MadeCensus): Promise<void> {
  const random = generator(16);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  /** Places of each function: stack and index. */
  const places = new Map<string, { readonly stack: readonly string[]; readonly at: number }[]>();
  for (const stack of real) {
    for (const [at, name] of stack.entries()) {
      const known = places.get(name) ?? [];
      known.push({ stack, at });
      places.set(name, known);
    }
  }
  const names = [...places.keys()].filter((name) => name.endsWith('_[k]'));
  const seen = new Set<string>();
  const output = createWriteStream(file);
  let calls = 0;
  while (seen.size < made.stacks) {
    let stack = pick(real);
    for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
      const at = 1 + Math.floor(random() * (stack.length - 2));
      const other = pick(places.get(stack[at] as string) ?? []);
      if (other) stack = [...stack.slice(0, at), ...other.stack.slice(other.at)];
    }
    if (stack.length < 8 || stack.length > 40) continue;
    if (made.scattered > 0) {
      stack = [...stack];
      for (let at = 1; at <= made.scattered; at++) stack[at] = pick(names);
    }
    const line = stack.toReversed().join(';');
    if (seen.has(line)) continue;
    seen.add(line);
    const count = Math.max(1, Math.round(((MOST_CALLS / seen.size) * made.calls) / 37e6));
    calls += count;
    if (!output.write(`${line} ${count}\n`)) await once(output, 'drain');
  }
  output.end();
  await once(output, 'finish');
  if (calls === 0) throw new Error('no calls were made');
}
