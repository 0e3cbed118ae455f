import { FUNCTION_ENTRY } from '../bpf/program-context.ts';
import { PROG_KPROBE } from '../sys/bpf-programs.ts';
import { perfSourceType } from '../sys/kernel.ts';
import { allocate } from '../sys/native.ts';
import { type Armed, type BpfEngine, CannotArm } from './engine.ts';
import { armPerfEvents } from './perf-event.ts';

/** Functions of executables and libraries, in every process that runs them. */
export const uprobeEngine = {
  name: 'uprobe',
  backend: 'bpf',
  summary: {
    targets: '`file:function`',
    how: "a user probe of `perf_event_open`; the stack is the process's",
    limits: 'frame pointers are needed to see further than the caller',
  },
  trial: { on: 'library function', brings: 'functions of executables and libraries' },
  hasSlots: false,
  order: 0,
  mayRepeat: () => false,
  blindSpots: [{ code: 'blind-bypassed' }],
  fits: (target) => target.kind === 'user',
  arm(target, context): Armed {
    if (target.kind !== 'user') throw new CannotArm({ code: 'wrong-kind' });
    const type = perfSourceType('uprobe');
    if (type === null)
      throw new CannotArm({ code: 'no-event-source', source: 'uprobe', option: 'CONFIG_UPROBE_EVENTS' });
    const path = allocate(Buffer.byteLength(target.path) + 1);
    path.write(target.path);
    const events = target.offsets.map((offset) => ({ type, config1: path, config2: offset }));
    const request = { type: PROG_KPROBE, context: FUNCTION_ENTRY, isNested: true, userStack: true };
    return armPerfEvents('uprobe', events, request, context);
  },
} as const satisfies BpfEngine;
