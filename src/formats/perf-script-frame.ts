import type { SymbolSpace } from '../census/symbol-table.ts';

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
const ADDRESS = /^\s*(?:([0-9a-f]{4,16})\s+)?(\S.*?)\s*$/;

/** `([kernel.kallsyms])`, `(/usr/lib/libc.so.6)`, `(/tmp/x (deleted))`, `(inlined)` at the end. */
const FILE = /^(.*?)\s*\(((?:[^()]|\([^()]*\))*)\)$/;

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
    module: space === 'kernel' ? kernelModule(dso) : dso,
    space,
  };
}

function spaceOf(address: string | undefined, dso: string): SymbolSpace {
  if (
    /^\[(?:guest\.)?kernel/.test(dso) ||
    /(?:^|\/)vmlinux(?:[-.\w]*)$/.test(dso) ||
    /\.ko(?:\.(?:gz|xz|zst))?$/.test(dso)
  ) {
    return 'kernel';
  }
  const isHigh = address !== undefined && address.length === 16 && /^[89a-f]/.test(address);
  if (dso === '' || dso === '[unknown]' || dso === 'unknown')
    return address === undefined || isHigh ? 'kernel' : 'user';
  if (/^\[(?:vdso|vsyscall|stack|heap|uprobes|anon)/.test(dso) || dso.startsWith('/') || dso.startsWith('//'))
    return 'user';
  return isHigh || dso.startsWith('[') ? 'kernel' : 'user';
}

/** `[ext4]` and `/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko` are the module ext4. */
function kernelModule(dso: string): string {
  if (/^\[(?:guest\.)?kernel/.test(dso) || /vmlinux/.test(dso) || dso === '[unknown]' || dso === 'unknown') return '';
  const file = /([^/]+)\.ko(?:\.\w+)?$/.exec(dso);
  return (file ? (file[1] ?? '') : dso.replace(/^\[(.*)\]$/, '$1')).replaceAll('-', '_');
}
