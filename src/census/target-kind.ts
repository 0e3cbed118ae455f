/** What kind of thing a target is. */
export type TargetKind =
  | 'function'
  | 'tracepoint'
  /** A function of a program. */
  | 'user'
  /** An event of perf that is no place in code: samples of it say what ran, not what was called. */
  | 'event';

/** Modifiers of perf, as they end an event's name: `cycles:ppp`, `branches:uH`. */
const MODIFIER = /:[ukhIGHpPSDWebR]{1,10}$/;

/** An event's name without its modifier. */
export function withoutModifier(event: string): string {
  return event.startsWith('mem:') ? event : event.replace(MODIFIER, '');
}

/** `sched:sched_switch`, `9p:9p_client_req`, `probe_libc:malloc__return`: a system and a name. */
const TRACEPOINT = /^[\w-]+:[\w.]+$/;

/** Whether an event's name without its modifier is a tracepoint's or probe's. */
export function isTracepoint(name: string): boolean {
  return TRACEPOINT.test(name) && !name.startsWith('mem:');
}

/** Names of events that could be functions by their form. No function has a hyphen in its name. */
const EVENTS =
  /^(?:cycles|instructions|branches|slots|faults|cs|migrations|dummy|samples|mem:\S+|raw 0x[0-9a-f]+|r\d[0-9a-f]+)$/;
/** `cpu/cycles/`, `armv8_pmuv3_0/event=0x11/u`, `uncore_imc_0/cas_count_read/`. */
const OF_PMU = /^[\w.-]+\/[^/:]*\/[a-zA-Z]*$/;

/** What kind of thing a target is, by the form of its name: `/usr/lib/libc.so.6:malloc`, `sched:sched_switch`, `cycles:u`. */
export function kindOfTarget(target: string): TargetKind {
  let kind = kinds.get(target);
  if (kind === undefined) {
    kind = kindByForm(target);
    kinds.set(target, kind);
  }
  return kind;
}

/** Of targets, of which there are few and which are asked for with every path. */
const kinds = new Map<string, TargetKind>();

function kindByForm(target: string): TargetKind {
  const name = withoutModifier(target);
  if (EVENTS.test(name) || OF_PMU.test(name)) return 'event';
  if (target.includes('/') && target.includes(':')) return 'user';
  if (isTracepoint(name)) return 'tracepoint';
  return name !== target || /^[\w.]+-[\w.-]+$/.test(name) ? 'event' : 'function';
}
