import type { SymbolSpace } from '../census/symbol-table.ts';

/** Where a symbol lives: the kernel with its modules, or a program. */
export interface Origin {
  readonly space: SymbolSpace;
  /** Kernel module, '' for the image; of a user symbol its file, '' where unknown. */
  readonly module: string;
}

/** `[kernel.kallsyms]`, `[guest.kernel.kallsyms]`, `/usr/lib/debug/boot/vmlinux-6.1`, `/proc/kcore`. */
const KERNEL_FILE = /^\[(?:guest\.)?kernel|(?:^|\/)vmlinux[-.\w]*$|^\/proc\/kcore$/;
const MODULE_FILE = /(?:^|\/)([^/]+)\.ko(?:\.(?:gz|xz|zst|debug))?$/;
/** What stands in brackets and is no module. */
const USER_MAPPING = /^\[(?:vdso|vsyscall|stack|heap|anon|uprobes)/;
const UNKNOWN_FILE = /^(?:|\[?unknown\]?)$/;

/**
 * Where a symbol lives, by the file of its mapping as other tools name it, and its address where one is known.
 *
 * @param file `[ext4]`, `/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko`, `/usr/lib/libc.so.6`; '' where there is none
 * @param address hexadecimal digits without `0x`
 */
export function originOf(file: string, address?: string): Origin {
  const module = MODULE_FILE.exec(file)?.[1];
  if (module !== undefined) return { space: 'kernel', module: module.replaceAll('-', '_') };
  if (KERNEL_FILE.test(file)) return { space: 'kernel', module: '' };
  if (/^\[(?:vdso|vsyscall)/.test(file)) return { space: 'user', module: file };
  const isUnknown = UNKNOWN_FILE.test(file);
  // Addresses of programs are never in the upper half, whatever file a tool names.
  const isUpper = address?.length === 16 && /^[89a-f]/.test(address);
  if (isUnknown) return { space: isUpper || address === undefined ? 'kernel' : 'user', module: '' };
  const isModule = file.startsWith('[') && !USER_MAPPING.test(file);
  if (!isUpper && !isModule) return { space: 'user', module: file };
  // perf gives each BPF program a file of its own.
  if (/^bpf_(?:prog|trampoline|dispatcher)_/.test(file)) return { space: 'kernel', module: 'bpf' };
  return { space: 'kernel', module: file.includes('/') ? '' : file.replace(/^\[(.*)\]$/, '$1').replaceAll('-', '_') };
}
