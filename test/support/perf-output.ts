/** An event as `perf script` knows it. */
export interface PerfSample {
  readonly comm: string;
  readonly pid: number;
  readonly tid: number;
  readonly cpu: number;
  readonly seconds: number;
  readonly period: number;
  readonly event: string;
  /** What a tracepoint's own format prints. */
  readonly trace?: string;
  /** Address, symbol, offset, file; innermost first. */
  readonly frames: readonly (readonly [address: string, symbol: string, offset: number, file: string])[];
}

export const KERNEL = '[kernel.kallsyms]';

/** Two calls, one of them from an interrupt, the other with user frames. */
export const SAMPLES: readonly PerfSample[] = [
  {
    comm: 'Web Content: a',
    pid: 196,
    tid: 197,
    cpu: 0,
    seconds: 18.873442,
    period: 1,
    event: 'mem:0xffffffff8e7ea5b0:x',
    frames: [
      ['ffffffff8e7ea5b0', 'rb_insert_color', 0, KERNEL],
      ['ffffffffc0546164', '__es_insert_extent', 0x164, '[ext4]'],
      ['ffffffff8e1617b5', 'vfs_write', 0x2c5, KERNEL],
      ['ffffffff8e161b5b', '__x64_sys_write', 0x19, KERNEL],
      ['ffffffff8e843e1d', 'do_syscall_64', 0x5d, KERNEL],
      ['ffffffff8ea00126', 'entry_SYSCALL_64_after_hwframe', 0x6e, KERNEL],
      ['ee137', '__write', 0x4d, '/usr/lib/x86_64-linux-gnu/libc.so.6'],
      ['146f2c', '[unknown]', -1, '/opt/a b/db_bench (deleted)'],
      ['7f21a0', 'std::vector<int, std::allocator<int> >::push_back(int&&)', 0x10, '//anon'],
      ['0', '[unknown]', -1, '[unknown]'],
    ],
  },
  {
    comm: 'swapper',
    pid: 0,
    tid: 0,
    cpu: 1,
    seconds: 19.000001,
    period: 1,
    event: 'mem:0xffffffff8e7ea5b0:x',
    frames: [
      ['ffffffff8e7ea5b0', 'rb_insert_color', 0, KERNEL],
      ['ffffffff8e7eb334', 'timerqueue_add', 0x94, KERNEL],
      ['ffffffff8df4d11b', '__hrtimer_run_queues', 0x13b, KERNEL],
      ['ffffffff8ea00f06', 'asm_sysvec_apic_timer_interrupt', 0x16, KERNEL],
      ['ffffffff8e85a3de', 'native_safe_halt', 0xe, KERNEL],
    ],
  },
];

export type PerfField =
  | 'comm'
  | 'pid'
  | 'tid'
  | 'cpu'
  | 'misc'
  | 'time'
  | 'period'
  | 'event'
  | 'trace'
  | 'ip'
  | 'sym'
  | 'symoff'
  | 'dso'
  | 'srcline';

/** The subsets of a list. */
export function selections<T>(list: readonly T[]): T[][] {
  const numbers = Array.from({ length: 2 ** list.length }, (_, number) => number);
  return numbers.map((number) => list.filter((_, bit) => (number >> bit) % 2 === 1));
}

/** Samples as `perf script -F` prints these fields; before Linux 6.0 pids were padded to 5 characters, since then to 7. */
export function perfScript(samples: readonly PerfSample[], fields: readonly PerfField[], pidWidth = 5): string {
  const has = (field: PerfField) => fields.includes(field);
  return samples
    .map((sample) => {
      const hasStack = has('ip') && sample.frames.length > 0;
      const parts: string[] = [];
      if (has('comm')) parts.push(hasStack ? sample.comm : sample.comm.padStart(16));
      const pid = String(sample.pid).padStart(pidWidth);
      if (has('pid') && has('tid')) parts.push(`${pid}/${String(sample.tid).padEnd(pidWidth)}`);
      else if (has('pid')) parts.push(pid);
      else if (has('tid')) parts.push(String(sample.tid).padStart(pidWidth));
      if (has('cpu')) parts.push(`[${String(sample.cpu).padStart(3, '0')}]`);
      if (has('misc')) parts.push('K     ');
      if (has('time')) parts.push(`${sample.seconds.toFixed(6).padStart(12)}:`);
      if (has('period')) parts.push(String(sample.period).padStart(10));
      if (has('event')) parts.push(`${sample.event}:`);
      const trace = has('trace') && sample.trace !== undefined ? `${sample.trace}` : '';
      const head = `${parts.join(' ')} ${trace}`.replace(/^ $/, '');
      if (!hasStack) return `${head}\n`;
      const frames = sample.frames.map(([address, symbol, offset, file]) => {
        const name = has('sym') ? ` ${symbol}${has('symoff') && offset >= 0 ? `+0x${offset.toString(16)}` : ''}` : '';
        const source = has('srcline') ? `\n  ${file === KERNEL ? 'rbtree.c:432' : `??:0`}` : '';
        return `\t${address.padStart(16)}${name}${has('dso') ? ` (${file})` : ''}${source}\n`;
      });
      return `${head}\n${frames.join('')}\n`;
    })
    .join('');
}
