import { describe, expect, it } from 'vitest';
import { Census } from '../../census/census.ts';
import { CpuWatch, softirqs } from './hotplug.ts';

const SOFTIRQS = `                    CPU0       CPU1       CPU2
          HI:          1          0          0
       TIMER:       1000        200          0
`;

/** What is reported where CPU 2 has handled `visits` softirqs between start and end. */
function reported(cpus: number[], watched: number[] | undefined, online: number[], visits = 0) {
  const census = new Census();
  const texts = [SOFTIRQS, SOFTIRQS.replace(/0$/m, String(visits))];
  new CpuWatch(cpus, () => texts.shift() ?? '').report(census, watched, online);
  return { warnings: census.facts.warnings, notes: census.facts.notes };
}

describe('CPUs that come and go', () => {
  it('adds up what every possible CPU has handled', () => {
    expect([...softirqs(SOFTIRQS)]).toEqual([
      [0, 1001],
      [1, 200],
      [2, 0],
    ]);
  });

  it('says nothing where nothing happened', () => {
    expect(reported([0, 1], [0, 1], [0, 1])).toEqual({ warnings: [], notes: [] });
    expect(reported([0, 1], undefined, [0, 1])).toEqual({ warnings: [], notes: [] });
  });

  it('warns of CPUs whose calls are not in the total: new ones, and those that were away for a time', () => {
    expect(reported([0], [0], [0, 1]).warnings).toEqual([{ code: 'cpu-came', cpu: 1 }]);
    expect(reported([0, 1], [0], [0, 1]).warnings).toEqual([{ code: 'cpu-returned', cpu: 1 }]);
  });

  it('does not warn of a CPU that went for good, nor where nothing hangs on a CPU', () => {
    expect(reported([0, 1], [0], [0])).toEqual({
      warnings: [],
      notes: [{ code: 'cpu-offline', cpu: 1 }],
    });
    expect(reported([0, 1], undefined, [0]).notes).toEqual([{ code: 'cpus-changed', cpus: '1' }]);
  });

  it('knows of a CPU that was up only in between by the interrupts it took', () => {
    expect(reported([0, 1], [0, 1], [0, 1], 5).warnings).toEqual([{ code: 'cpu-came', cpu: 2 }]);
    expect(reported([0, 1], undefined, [0, 1], 5).notes).toEqual([{ code: 'cpus-changed', cpus: '2' }]);
  });

  it('takes a CPU that was there at the start or the end for no visitor', () => {
    expect(reported([0, 1, 2], [0, 1, 2], [0, 1, 2], 5)).toEqual({ warnings: [], notes: [] });
    expect(reported([0, 1], [0, 1], [0, 1, 2], 5).warnings).toHaveLength(1);
  });
});
