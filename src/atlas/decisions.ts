import type { PathView } from '../census/knowledge.ts';
import { fitsChain } from './chains.ts';
import { atlasTable } from './files.ts';
import { isInRange } from './versions.ts';

/** A record of `atlas/decisions.yaml`: what calls of a target mean by who makes them. */
export interface DecisionRecord {
  readonly targets: readonly string[];
  /** Functions from the site outwards; one of them must fit. */
  readonly chains?: readonly string[];
  /** Functions of which one must stand between the target and the site. */
  readonly through?: readonly string[];
  readonly kernels?: string;
  /** A clause in lower case, without a full stop. */
  readonly says: string;
}

/** By target; the first that fits counts. */
let byTarget: Map<string, DecisionRecord[]> | undefined;

/** What a path's call means, where the atlas has a clause for it; null elsewhere. */
export function decisionClause(path: PathView): string | null {
  if (!byTarget) {
    byTarget = new Map();
    for (const record of atlasTable<DecisionRecord[]>('decisions')) {
      for (const target of record.targets) byTarget.set(target, [...(byTarget.get(target) ?? []), record]);
    }
  }
  return byTarget.get(path.target)?.find((record) => fits(record, path))?.says ?? null;
}

function fits({ chains, through, kernels }: DecisionRecord, { frames, site, kernel = '' }: PathView): boolean {
  if (site < 0 || (kernels !== undefined && !isInRange(kernel, kernels))) return false;
  if (through && !frames.slice(0, site).some(({ name }) => through.includes(name))) return false;
  const names = frames.slice(site).map(({ name }) => name);
  return chains === undefined || chains.some((chain) => fitsChain(chain.split(' <- '), names));
}
