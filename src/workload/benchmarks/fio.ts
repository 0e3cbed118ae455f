import type { Benchmark } from './reader.ts';

/**
 * fio prints all results when everything is over, so that its jobs are known but not when each ran:
 * `randw: (g=0): rw=randwrite, bs=(R) 4096B-4096B, (W) 4096B-4096B, (T) 4096B-4096B, ioengine=psync, iodepth=1`
 * `     issued rwts: total=0,1024,0,0 short=0,0,0,0 dropped=0,0,0,0`
 */
export const fio: Benchmark = {
  name: 'fio',
  programs: ['fio'],
  begins: (line) => /^(?:fio-\d|.+: \(g=\d+\): rw=\S+, bs=)/.test(line),
  read(line, facts) {
    facts.jobs ??= [];
    const job = /^(.+): \(g=\d+\): rw=(\w+), bs=\(R\) ([^,]+),.*?ioengine=([\w-]+), iodepth=(\d+)/.exec(line);
    if (job) {
      const [, name = '', rw, size, engine, depth] = job;
      facts.jobs = [...facts.jobs, { name, what: `${rw}, ${size}, ${engine}, depth ${depth}` }];
    }
    const version = /^fio-(\d\S*)$/.exec(line)?.[1];
    if (version !== undefined) facts.version = version;
    const issued = /^\s+issued rwts: total=([\d,]+) /.exec(line)?.[1];
    if (issued !== undefined) {
      const operations = issued.split(',').reduce((sum, part) => sum + Number(part), 0);
      const next = facts.jobs.findIndex((one) => one.operations === undefined);
      facts.jobs = facts.jobs.map((one, index) => (index === next ? { ...one, operations } : one));
    }
    return undefined;
  },
  headline: ({ jobs = [] }) => {
    const shown = jobs.slice(0, 3).map(({ name, what }) => (what === undefined ? name : `${name}: ${what}`));
    return [...shown, ...(jobs.length > shown.length ? [`${jobs.length - shown.length} more`] : [])].join(' · ');
  },
};
