/**
 * Kernel functions that counting itself calls, on x86-64: to take and keep a stack, to look at filters and keys. Found
 * with the function graph tracer in Debian's 6.1.0-50 and 6.12.117 while nothing but a counted command ran, with every
 * engine and option. Normalised names.
 */
const USED_BY_COUNTING: ReadonlySet<string> = new Set([
  // breakpoints and events
  ...['hw_breakpoint_exceptions_notify', 'perf_bp_event', 'perf_exclude_event', 'perf_swevent_event'],
  ...['bpf_overflow_handler', 'perf_prepare_sample', '__perf_event_overflow', '__perf_event_account_interrupt'],
  // helpers of BPF programs
  ...['bpf_current_task_under_cgroup', 'bpf_get_current_comm', 'bpf_get_current_pid_tgid', 'bpf_get_smp_processor_id'],
  ...['bpf_get_stack', 'bpf_get_stack_pe', '__bpf_get_stack', 'bpf_ktime_get_ns'],
  ...['copy_from_kernel_nofault', 'copy_from_kernel_nofault_allowed'],
  // maps
  ...['__htab_map_lookup_elem', 'htab_map_update_elem', 'alloc_htab_elem', 'lookup_elem_raw', 'lookup_nulls_elem_raw'],
  ...['percpu_array_map_lookup_elem', '__pcpu_freelist_pop', '___pcpu_freelist_pop', '___pcpu_freelist_pop_nmi'],
  ...['_raw_spin_lock', '_raw_spin_trylock', '_raw_spin_unlock', '__rcu_read_lock', '__rcu_read_unlock'],
  // stacks
  ...['get_perf_callchain', 'get_callchain_entry', 'callchain_store', 'callchain_finalize'],
  ...['perf_callchain_kernel', 'perf_callchain_user', 'nmi_uaccess_okay', 'is_uprobe_at_func_entry'],
  ...['__unwind_start', 'unwind_next_frame', 'unwind_get_return_address', 'orc_find', '__orc_find'],
  ...['get_stack_info', 'in_gate_area_no_mm', 'stack_access_ok', 'kernel_text_address', '__kernel_text_address'],
  ...['is_bpf_text_address', 'bpf_ksym_find', 'is_module_text_address', '__module_text_address', '__module_address'],
  '__is_insn_slot_addr',
]);

/** Whether counting itself calls a function: what it calls there is no call of anything that is counted. */
export function isUsedByCounting(name: string): boolean {
  return USED_BY_COUNTING.has(name);
}
