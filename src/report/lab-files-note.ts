import type { Census } from '../census/census.ts';
import { buildReport } from './report.ts';

/** What finds the calls of the 9P client, for `--where`. */
const OF_9P = 'frame~^p9_client_';

/**
 * Says how many calls are due to the virtual machine and not to the workload: the files of the host reach it over 9P.
 */
export function noteLabFiles(census: Census): void {
  const { matching } = buildReport(census, { where: OF_9P, explain: 'off' });
  if (matching > 0) census.note({ code: 'lab-files', calls: matching, of: census.total, without: `!${OF_9P}` });
}
