import type { Census } from '../../census/census.ts';
import type { StackId } from '../../census/stack-table.ts';
import { version } from '../../version.ts';
import { lossText } from '../loss-text.ts';
import {
  DOUBTED,
  KERNEL_FILE,
  LOST_PROFILE,
  PROCESS_PREFIX,
  type SampledProfile,
  SPEEDSCOPE_SCHEMA,
  type SpeedscopeFile,
  type SpeedscopeFrame,
} from './file.ts';

/**
 * A census as a file of speedscope: a profile for each target, weighted by calls, the process as outermost frame; losses
 * are a profile of their own. Offsets, process numbers, CPUs and arguments have no place in this format.
 */
export function speedscopeFile(census: Census): string {
  const frames = new FrameTable(census);
  const profiles = new Map<string, { samples: number[][]; weights: number[] }>();
  const rows = new Map<string, number>();
  const profileOf = (name: string): { samples: number[][]; weights: number[] } => {
    let profile = profiles.get(name);
    if (!profile) {
      profile = { samples: [], weights: [] };
      profiles.set(name, profile);
    }
    return profile;
  };
  for (const name of census.targets) profileOf(name);
  for (const { stack, target, key, count } of census.rows) {
    const name = census.targets[target] ?? '';
    const profile = profileOf(name);
    const sample = frames.sample(stack, census.keys.at(key).comm);
    // Calls that only differ in what has no place here are one sample.
    const own = `${name}\0${sample.join()}`;
    const known = rows.get(own);
    if (known !== undefined) profile.weights[known] = (profile.weights[known] ?? 0) + count;
    else {
      rows.set(own, profile.samples.length);
      profile.samples.push(sample);
      profile.weights.push(count);
    }
  }
  const lost = census.losses.length > 0 ? profileOf(LOST_PROFILE) : null;
  for (const { count, ...cause } of census.losses) {
    lost?.samples.push([frames.named({ name: lossText(cause) })]);
    lost?.weights.push(count);
  }
  const file: SpeedscopeFile = {
    $schema: SPEEDSCOPE_SCHEMA,
    name: census.targets.join(', ') || 'calls',
    exporter: `whocalls ${version()}`,
    shared: { frames: frames.all },
    profiles: [...profiles]
      .filter(([, { samples }]) => samples.length > 0)
      .map(([name, { samples, weights }]): SampledProfile => {
        const endValue = weights.reduce((sum, weight) => sum + weight, 0);
        return { type: 'sampled', name, unit: 'none', startValue: 0, endValue, samples, weights };
      }),
  };
  return `${JSON.stringify(file)}\n`;
}

/** Frames, each once. */
class FrameTable {
  readonly all: SpeedscopeFrame[] = [];
  readonly #census: Census;
  readonly #indices = new Map<string, number>();
  readonly #stacks = new Map<StackId, readonly number[]>();

  constructor(census: Census) {
    this.#census = census;
  }

  /** Outermost first, with the process. */
  sample(stack: StackId, comm: string): number[] {
    const process = comm === '' ? [] : [this.named({ name: `${PROCESS_PREFIX}${comm}` })];
    return [...process, ...this.#frames(stack)];
  }

  named(frame: SpeedscopeFrame): number {
    const key = `${frame.name}\0${frame.file ?? ''}\0${frame.line ?? 0}`;
    let index = this.#indices.get(key);
    if (index === undefined) {
      index = this.all.push(frame) - 1;
      this.#indices.set(key, index);
    }
    return index;
  }

  #frames(stack: StackId): readonly number[] {
    let frames = this.#stacks.get(stack);
    if (!frames) {
      const { stacks } = this.#census;
      frames = stacks
        .prefixes(stack)
        .reverse()
        .map((at) => this.#frame(at));
      this.#stacks.set(stack, frames);
    }
    return frames;
  }

  #frame(at: StackId): number {
    const { stacks, symbols } = this.#census;
    const symbol = stacks.symbol(at);
    const module = symbols.module(symbol);
    const name = `${stacks.isUnreliable(at) ? DOUBTED : ''}${symbols.raw(symbol)}`;
    const file = symbols.space(symbol) === 'kernel' ? (module === '' ? KERNEL_FILE : `[${module}]`) : module;
    const line = symbols.line(symbol);
    return this.named({ name, ...(file !== '' && { file }), ...(line > 0 && { line }) });
  }
}
