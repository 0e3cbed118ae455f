import { atlasTable } from '../../atlas/files.ts';

/** A named set of targets: `@rbtree-insert`. */
export interface TargetSet {
  readonly name: string;
  readonly summary: string;
  /** Targets as on the command line; those the running kernel lacks are left out. */
  readonly targets: readonly string[];
}

/** Every named set. */
export function targetSets(): readonly TargetSet[] {
  return atlasTable<TargetSet[]>('target-sets');
}
