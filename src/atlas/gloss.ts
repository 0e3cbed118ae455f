import { atlasTable } from './files.ts';

let glosses: Readonly<Record<string, string>> | undefined;

/**
 * What a kernel function does, in a few words that continue "it …": `glossOf('wake_up_process')` is
 * "wakes a task". Lower case, no full stop; null where the atlas has none. Takes normalised names.
 */
export function glossOf(name: string): string | null {
  glosses ??= atlasTable<Readonly<Record<string, string>>>('glosses');
  return Object.hasOwn(glosses, name) ? (glosses[name] ?? null) : null;
}
