import { PROG_KPROBE } from '../sys/bpf.ts';
import { perfSourceType } from '../sys/kernel.ts';
import { addressOf, allocate } from '../sys/native.ts';
import { openPerfEvent } from '../sys/perf.ts';
import { CannotArm, type Engine } from './engine.ts';
import { ArmedPerfEvent } from './perf-event.ts';

/** Functions of programs and libraries, in every process that runs them. */
export const uprobeEngine: Engine = {
  name: 'uprobe',
  blindSpots: ['Calls that a compiler inlined or that bypass the symbol are not seen.'],
  fits: (target) => target.kind === 'user',
  arm(target, index, context) {
    if (target.kind !== 'user') throw new CannotArm('uprobes are for functions of programs');
    const type = perfSourceType('uprobe');
    if (type === null) throw new CannotArm('the kernel has no uprobes for perf (CONFIG_UPROBE_EVENTS)');
    const program = context.loadProgram(index, { type: PROG_KPROBE, context: 'registers', userStack: true });
    const path = allocate(Buffer.byteLength(target.path) + 1);
    path.write(target.path);
    const open = target.offsets.map(
      (offset) => () => openPerfEvent({ type, config1: addressOf(path), config2: offset }, 0),
    );
    return new ArmedPerfEvent(open, program, 'uprobe');
  },
};
