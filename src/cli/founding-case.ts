import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { runFoundingCase } from '../db_bench/founding-case.ts';
import { newCommand } from './command.ts';
import { count } from './values.ts';

/** `whocalls founding-case`: what `whocalls demo` records. */
export function command(): Command {
  return newCommand('founding-case')
    .description('The workload of the demo: db_bench on LevelDB, cold reads, its output sent over a TCP connection.')
    .option('--num <n>', 'entries to write and read', count(), 20_000)
    .option('--db <folder>', 'where the database goes, and stays; without it among the temporary files, and is removed')
    .action(async ({ num, db }: { num: number; db?: string }) => {
      const stop = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
      process.exitCode = await runFoundingCase({
        num,
        db,
        whocalls: [process.execPath, ownProgram()],
        out: (chunk) => void process.stdout.write(chunk),
        remark: (text) => void process.stderr.write(`whocalls: ${text}\n`),
        signal: stop.signal,
      });
    });
}

/** The program this process runs, for starting it again. */
export function ownProgram(): string {
  return process.argv[1] ?? fileURLToPath(import.meta.url);
}
