import type { CaptureFilter } from '../bpf/capture-filter.ts';
import { Refused } from '../refusals/refused.ts';
import { onlineCpus } from '../sys/kernel.ts';
import { isInitialPidNamespace, sharesPidNamespace } from '../sys/pid-namespace.ts';
import { processOf } from '../sys/processes.ts';

/** @throws {Refused} asked for a CPU or process that there is none of: nothing would be counted */
export function checkFilter({ cpus = [], pids = [] }: CaptureFilter): void {
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
