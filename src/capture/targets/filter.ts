import { existsSync, openSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import type { Filter } from '../bpf/count-program.ts';
import { Refused } from '../refusals/refused.ts';
import { onlineCpus } from '../sys/kernel.ts';
import { isInitialPidNamespace, sharesPidNamespace } from '../sys/pid-namespace.ts';
import { processOf } from '../sys/processes.ts';

/** @throws {Refused} asked for a CPU or process that there is none of: nothing would be counted */
export function checkFilter({ cpus = [], pids = [] }: Filter): void {
  const online = onlineCpus();
  const offline = cpus.filter((cpu) => !online.includes(cpu));
  if (offline.length > 0) throw new Refused({ code: 'cpus-offline', cpus: offline, online });
  for (const pid of pids) {
    const process = processOf(pid);
    if (process === null) throw new Refused({ code: 'no-process', pid });
    if (process !== pid) throw new Refused({ code: 'is-thread', pid, process });
    if (!isInitialPidNamespace() && !sharesPidNamespace(pid)) throw new Refused({ code: 'inner-namespace', pid });
  }
}

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
