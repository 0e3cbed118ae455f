import { parentPort, workerData } from 'node:worker_threads';
import { makeCase } from './case.ts';
import { tryCase } from './check.ts';
import { BOUNDS, CELLS, type Finding, type WorkerPlan } from './protocol.ts';
import { makeSeeds } from './seeds.ts';

// Tries one case after the other. The main thread ends it when one takes too long.

const plan = workerData as WorkerPlan;
const cells = new Float64Array(plan.shared);
const tell = (finding: Finding) => parentPort?.postMessage(finding);

const seeds = await makeSeeds();
let highest = process.resourceUsage().maxRSS;

for (let number = plan.from; number < plan.end; number += plan.step) {
  cells[CELLS.current] = number;
  const input = makeCase(seeds, plan, number);
  const { problem, isRefused, stacks } = await tryCase(input, plan.scratch);
  if (problem !== null) tell({ number, problem });
  // In kilobytes. What earlier cases left behind counts as well, so this is only a suspicion.
  const now = process.resourceUsage().maxRSS;
  if (now - highest > BOUNDS.megabytes * 1024 + (stacks * BOUNDS.bytesPerStack) / 1024) {
    tell({ number, problem: 'memory' });
  }
  highest = Math.max(highest, now);
  cells[CELLS.done] = (cells[CELLS.done] ?? 0) + 1;
  cells[CELLS.refused] = (cells[CELLS.refused] ?? 0) + Number(isRefused);
  cells[CELLS.bytes] = (cells[CELLS.bytes] ?? 0) + input.bytes.length;
}
