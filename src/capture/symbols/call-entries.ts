import type { KernelFunction } from './function-map.ts';

/**
 * `__se_sys_clone`, `__do_compat_sys_ioctl`: what the functions that enter a system call go on to call, if it is not
 * inlined.
 */
const INNER_SYSCALL = /^__(?:se|do)_(?:compat_)?sys_/;
/** `__x64_sys_clone`, `__arm64_compat_sys_ioctl`: what the kernel calls when a process makes the system call. */
const SYSCALL_ENTRY = /^__(?!se_|do_)[a-z0-9]+_(?:compat_)?sys_/;

/** Where calls of a name begin. */
export interface CallEntries {
  readonly functions: readonly KernelFunction[];
  /** Only parts are left of the function; its beginning is inlined into its callers. */
  readonly isPart: boolean;
  /** Names of functions left out because the others call them. */
  readonly inner: readonly string[];
}

/**
 * Of functions that share a name, apart from what the compiler or a system call's macros added to it, those at which a
 * call begins. Together with the others a call would be counted twice:
 * - a part (`.part.0`) is called by its function; it is taken only where nothing else is left. `.cold` is no call at all.
 * - `__do_sys_clone` is called by `__x64_sys_clone`, and by `__ia32_sys_clone` for 32-bit processes.
 */
export function callEntries(functions: readonly KernelFunction[]): CallEntries {
  const warm = functions.filter(({ name }) => !/\.cold\b/.test(name));
  const whole = warm.filter(({ name }) => !/\.part\b/.test(name));
  const candidates = whole.length > 0 ? whole : warm;
  const isEntered = candidates.some(({ name }) => SYSCALL_ENTRY.test(name));
  const entries = candidates.filter(({ name }) => !(isEntered && INNER_SYSCALL.test(name)));
  const addresses = new Set(entries.map(({ address }) => address));
  const inner = candidates.filter((f) => !entries.includes(f) && !addresses.has(f.address));
  return {
    functions: entries,
    isPart: whole.length === 0 && warm.length > 0,
    inner: [...new Set(inner.map(({ name }) => name))],
  };
}
