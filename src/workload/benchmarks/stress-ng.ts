import { some } from '../../text/lists.ts';
import type { Benchmark } from './reader.ts';

/**
 * `stress-ng: info:  [20997] dispatching hogs: 1 switch, 1 pipe`
 * `stress-ng: metrc: [20997] switch            161163      1.00      0.07      0.82    161087.61      181463.71`
 */
export const stressNg: Benchmark = {
  name: 'stress-ng',
  programs: ['stress-ng'],
  begins: (line) => /^stress-ng: \w+:\s+\[\d+\]/.test(line),
  read(line, facts, { phases }) {
    facts.jobs ??= [];
    const said = /^stress-ng: \w+:\s+\[\d+\] (.*)$/.exec(line)?.[1];
    if (said === undefined) return undefined;
    const hogs = /^dispatching hogs: (.*)$/.exec(said)?.[1];
    if (hogs !== undefined) {
      facts.jobs = hogs.split(/, /).map((hog) => ({ name: hog.replace(/^\d+ /, '') }));
      return { start: true };
    }
    const name = facts.jobs.map((job) => job.name).join('+');
    if (/^(?:stressor\s+bogo ops|successful run completed|unsuccessful run completed)/.test(said)) {
      return phases === 0 ? { end: { name } } : undefined;
    }
    const measured = /^(\S+)\s+(\d+)\s+[\d.]+\s+[\d.]+\s+[\d.]+\s+[\d.]+/.exec(said);
    if (!measured) return undefined;
    facts.jobs = facts.jobs.map((job) =>
      job.name === measured[1] ? { ...job, operations: Number(measured[2]) } : job,
    );
    return { amend: { operations: facts.jobs.reduce((sum, job) => sum + (job.operations ?? 0), 0) } };
  },
  headline: ({ jobs = [] }) => {
    const names = some(jobs.map(({ name }) => name));
    return names === '' ? '' : `stressor${jobs.length === 1 ? '' : 's'} ${names}`;
  },
};
