import { readFileSync } from 'node:fs';

/** Whether there is a process of this number, be it only a zombie. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether there is a process of this number that has not ended. */
export function isRunning(pid: number): boolean {
  const state = statusOf(pid, 'State');
  return state !== null && !/^[ZX]/.test(state);
}

/** The process that a thread belongs to, null where there is none of this number. */
export function processOf(thread: number): number | null {
  const process = statusOf(thread, 'Tgid');
  return process === null ? null : Number(process);
}

/** What proc_pid_status(5) says under a name, null where there is no such process. */
function statusOf(pid: number, name: string): string | null {
  try {
    const line = new RegExp(`^${name}:\\s*(.*)`, 'm');
    return line.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? null;
  } catch {
    return null;
  }
}
