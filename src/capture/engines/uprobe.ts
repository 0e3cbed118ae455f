import { PROG_KPROBE } from '../sys/bpf-programs.ts';
import { perfSourceType } from '../sys/kernel.ts';
import { allocate } from '../sys/native.ts';
import { CannotArm, type Engine } from './engine.ts';
import { armPerfEvents } from './perf-event.ts';

/** Functions of programs and libraries, in every process that runs them. */
export const uprobeEngine: Engine = {
  name: 'uprobe',
  blindSpots: [{ code: 'blind-bypassed' }],
  fits: (target) => target.kind === 'user',
  arm(target, context) {
    if (target.kind !== 'user') throw new CannotArm({ code: 'wrong-kind' });
    const type = perfSourceType('uprobe');
    if (type === null)
      throw new CannotArm({ code: 'no-event-source', source: 'uprobe', option: 'CONFIG_UPROBE_EVENTS' });
    const path = allocate(Buffer.byteLength(target.path) + 1);
    path.write(target.path);
    const events = target.offsets.map((offset) => ({ type, config1: path, config2: offset }));
    return armPerfEvents('uprobe', events, { type: PROG_KPROBE, context: 'registers', userStack: true }, context);
  },
};
