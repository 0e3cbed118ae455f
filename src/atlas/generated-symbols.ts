import type { Definition, FunctionMap } from './function-map.ts';

// Symbols that build machinery makes out of another name; the place of that other name is theirs too.

/** What tracepoints are compiled into; the map knows them all as `__traceiter_NAME`. */
const TRACEPOINT =
  /^(?:trace_event_raw_event|perf_trace|__bpf_trace|trace_raw_output|trace_event_get_offsets|__SCT__tp_func|__probestub|do_trace_event_raw_event|do_perf_trace|trace)_(\w+)$/;

/** Static call trampolines, saved-register thunks, Xen's entry stubs, inlined-away system call tables. */
const WRAPPER = /^(?:__SCT__|__SCK__|__raw_callee_save_|xen_(?=asm_)|__pfx_)(\w+)$/;

/** The definitions of a function, or of what a generated symbol was made from: tracepoint, static call, wrapper. */
export function findFolded(map: FunctionMap, name: string): Definition[] {
  const found = map.find(name);
  if (found.length > 0) return found;
  const folded = foldGenerated(name);
  return folded === name ? [] : map.find(folded);
}

/** `perf_trace_sched_switch` is `__traceiter_sched_switch` to the map. */
function foldGenerated(name: string): string {
  const tracepoint = TRACEPOINT.exec(name);
  if (tracepoint) return `__traceiter_${tracepoint[1]}`;
  if (name.startsWith('__SCT__lsm_static_call_')) return 'security_add_hooks';
  const wrapper = WRAPPER.exec(name);
  if (wrapper?.[1]) return foldGenerated(wrapper[1]);
  // One macro makes a function of every security hook; the file defines this one itself.
  if (/^bpf_lsm_\w+$/.test(name)) return 'bpf_lsm_is_trusted';
  if (/^__bpf_prog_run(?:_args)?\d+$/.test(name)) return '___bpf_prog_run';
  if (/^__x86_indirect_\w+$/.test(name)) return '__x86_return_thunk';
  return name;
}
