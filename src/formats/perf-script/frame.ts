import type { SymbolSpace } from '../../census/symbol-table.ts';

/** A frame as `perf script` prints it. */
export interface PerfFrame {
  readonly raw: string;
  /** Bytes from the start of the function, -1 where not printed. */
  readonly offset: number;
  /** Kernel module, '' for the kernel image; for user frames the file. */
  readonly module: string;
  readonly space: SymbolSpace;
}

/** Address, then the rest; the address is missing with `-F sym`. */
const ADDRESS = /^\s*(?:([0-9a-f]{1,16})\s+)?(\S.*?)\s*$/;

/** After a blank, for a C++ function ends in its parameters: `([kernel.kallsyms])`, `(/usr/lib/libc.so.6)`, `(/tmp/x (deleted))`, `(inlined)` at the end. */
const FILE = /^(?:(.*?)\s+)?\(((?:[^()]|\([^()]*\))*)\)$/;

const OFFSET = /^(.+)\+0x([0-9a-f]+)$/;

/** Reads a frame line, without its newline; null for any other text. */
export function parsePerfFrame(line: string): PerfFrame | null {
  if (!/^\s/.test(line)) return null;
  const parts = ADDRESS.exec(line);
  if (!parts) return null;
  const [, address, rest = ''] = parts;
  const file = FILE.exec(rest);
  let symbol = file ? (file[1] ?? '') : rest;
  let dso = file ? (file[2] ?? '') : '';
  if (dso === 'inlined') dso = '';
  if (!file && !address) {
    // With neither address nor file only `name+0xoffset` or a plain name can be a frame.
    if (!/^[^\s()[\]:]+$/.test(rest) && rest !== '[unknown]') return null;
  }
  if (symbol === '') symbol = '[unknown]';
  const printed = OFFSET.exec(symbol);
  const offset = printed ? Number.parseInt(printed[2] ?? '', 16) : -1;
  const space = spaceOf(address, dso);
  return {
    raw: printed ? (printed[1] ?? symbol) : symbol,
    offset: offset <= 0x7fffffff ? offset : -1,
    module: space === 'kernel' ? kernelModule(dso) : isUnknown(dso) ? '' : dso,
    space,
  };
}

const KERNEL_FILE = /^\[(?:guest\.)?kernel|(?:^|\/)vmlinux[-.\w]*$|\.ko(?:\.(?:gz|xz|zst|debug))?$|^\/proc\/kcore$/;

function spaceOf(address: string | undefined, dso: string): SymbolSpace {
  if (KERNEL_FILE.test(dso)) return 'kernel';
  if (/^\[(?:vdso|vsyscall)/.test(dso)) return 'user';
  // Addresses of user programs are never in the upper half, whatever file perf names.
  if (address?.length === 16 && /^[89a-f]/.test(address)) return 'kernel';
  if (isUnknown(dso)) return address === undefined ? 'kernel' : 'user';
  return dso.startsWith('[') && !/^\[(?:stack|heap|anon|uprobes)/.test(dso) ? 'kernel' : 'user';
}

function isUnknown(dso: string): boolean {
  return dso === '' || dso === '[unknown]' || dso === 'unknown';
}

/** `[ext4]` and `/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko` are the module ext4. */
function kernelModule(dso: string): string {
  const file = /([^/]+)\.ko(?:\.\w+)?$/.exec(dso)?.[1];
  if (file === undefined && (isUnknown(dso) || dso.includes('/') || KERNEL_FILE.test(dso))) return '';
  return (file ?? dso.replace(/^\[(.*)\]$/, '$1')).replaceAll('-', '_');
}
