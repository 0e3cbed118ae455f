import { counted } from '../../text/lists.ts';
import type { Benchmark } from './reader.ts';

/** `Threads started!` … the first line of results … `    total number of events:              3325` */
export const sysbench: Benchmark = {
  name: 'sysbench',
  programs: ['sysbench'],
  begins: (line) => /^sysbench \d/.test(line),
  read(line, facts, { phases }) {
    const version = /^sysbench (\d\S*)/.exec(line)?.[1];
    if (version !== undefined) facts.version = version;
    const threads = /^Number of threads: (\d+)$/.exec(line)?.[1];
    if (threads !== undefined) facts.threads = Number(threads);
    if (line === 'Threads started!') return { start: true };
    if (
      /^(?:CPU speed|General statistics|SQL statistics|File operations|Total operations\b.*|Throughput):?/.test(line)
    ) {
      return phases === 0 ? { end: { name: 'run' } } : undefined;
    }
    const events = /^\s+total number of events:\s+(\d+)$/.exec(line)?.[1];
    return events === undefined ? undefined : { amend: { operations: Number(events) } };
  },
  headline: ({ version, threads }) =>
    [
      ...(version === undefined ? [] : [`sysbench ${version}`]),
      ...(threads === undefined ? [] : [counted(Number(threads), 'thread')]),
    ].join(' · '),
};
