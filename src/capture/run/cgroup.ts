import { existsSync, openSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import { Refused } from '../refusals/refused.ts';

/**
 * A descriptor of a cgroup's directory, as BPF maps of cgroups want it.
 * @throws {Refused} it is none of cgroup v2
 */
export function openCgroup(directory: string): number {
  if (!existsSync(`${directory}/cgroup.procs`) || !existsSync(`${directory}/cgroup.controllers`)) {
    throw new Refused({ code: 'no-cgroup', directory, exists: existsSync(directory) });
  }
  try {
    return openSync(directory, 'r');
  } catch (error) {
    throw new Refused({ code: 'cgroup-unreadable', directory, why: messageOf(error) }, { cause: error });
  }
}
