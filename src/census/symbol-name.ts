/** The words compilers append to a symbol after a dot when they clone, split or rename a function. */
const COMPILER_SUFFIX =
  /\.(?:isra|constprop|part|cold|hot|unlikely|llvm|lto_priv|localalias|clone|__uniq|\d+)(?=\.|$)[^:(<\s]*$/;

/**
 * The wrappers a syscall has by architecture and kernel version: `__x64_sys_write`, `__se_sys_write`,
 * `__arm64_sys_write`, `__do_sys_write`, `SyS_write` (before 4.17), `__ia32_compat_sys_ioctl`, `compat_SyS_ioctl`.
 */
const SYSCALL_WRAPPER =
  /^(?:__(?:x64|ia32|x32|arm64|se|do|s390|s390x|riscv|powerpc|loongarch)_)?(compat_)?(?:sys|SyS|SYSC)_(?=[a-z0-9_])/;

/**
 * The name that stands for a function however it was compiled: suffixes of compiler copies are cut off
 * (`tcp_v4_rcv.isra.0` is `tcp_v4_rcv`) and the wrappers of a syscall fold onto `sys_NAME`.
 * Names of other languages keep their dots (`main.main`, `std::chrono`). Idempotent.
 */
export function normaliseSymbol(raw: string): string {
  let name = raw;
  if (raw.includes('.')) {
    const suffix = COMPILER_SUFFIX.exec(raw);
    // A name that is all suffix (".cold") stays what it is.
    if (suffix && suffix.index > 0) name = raw.slice(0, suffix.index);
  }
  if (name.includes('sys_') || name.includes('SyS_') || name.includes('SYSC_')) {
    const wrapper = SYSCALL_WRAPPER.exec(name);
    if (wrapper) name = `${wrapper[1] ?? ''}sys_${name.slice(wrapper[0].length)}`;
  }
  return name === raw ? raw : normaliseSymbol(name);
}
