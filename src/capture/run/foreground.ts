import { readFileSync } from 'node:fs';

/**
 * Whether a process is in the foreground of its terminal, which sends SIGINT to it by itself at Ctrl-C.
 * `stat`: /proc/PID/stat, proc_pid_stat(5).
 */
export function isInForeground(stat: string): boolean {
  // 4711 (a name (with brackets)) S PPID PGRP SESSION TTY TPGID …
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group !== undefined && group === foreground;
}

/** {@link isInForeground} of a process by its id; false where it is gone. */
export function getsTerminalSignals(pid: number): boolean {
  try {
    return isInForeground(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
