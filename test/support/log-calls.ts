import type { Census } from '../../src/census/census.ts';
import { checkBytes } from './check-reader.ts';
import { PRINTERS, printed } from './kernel-log.ts';

/** Reads a log as dmesg prints it, every way there is; empty lines at both ends are not of it. */
export async function readLog(text: string): Promise<Census> {
  const lines = text.replace(/^\n|\n$/g, '').split('\n');
  return (await checkBytes('dmesg', printed(lines, PRINTERS.dmesg!))).census;
}

/** Every call: what was reported, by whom, and the sure frames, innermost first. */
export function callsIn(census: Census): string[] {
  return [...census.rows].map((row) => {
    const { report, comm, pid, cpu } = census.keys.at(row.key);
    const frames = census.stacks.frames(row.stack).filter((frame) => !frame.unreliable);
    const names = frames.map(({ symbol }) => census.symbols.name(symbol)).join(' ');
    return `${report} | ${comm}/${pid}@${cpu} | ${names}`;
  });
}
