import { readFileSync } from 'node:fs';
import { functionNames } from '../image/elf.ts';
import { embeddedSymbols } from '../image/embedded-symbols.ts';
import { guestModules } from './guest.ts';
import { bootImage, identity, keptFor } from './initramfs.ts';
import type { LabKernel } from './kernels.ts';
import { modulesInOrder, readModuleTree } from './modules.ts';

/**
 * The symbols that a kernel will have in the guest, in the form of /proc/kallsyms, with those of the modules that the
 * guest loads. Addresses are numbers in the order of the real ones. Empty where the kernel does not tell.
 */
export async function guestSymbols(kernel: LabKernel, scheduler?: string): Promise<Buffer> {
  const wanted = guestModules(scheduler);
  const modules = kernel.modules === undefined ? [] : [identity(kernel.modules), ...wanted];
  const file = await keptFor([identity(kernel.image), ...modules], 'symbols', async () => {
    const image = embeddedSymbols(readFileSync(await bootImage(kernel)));
    if (image.length === 0) return Buffer.alloc(0);
    const loaded = kernel.modules === undefined ? [] : await modulesInOrder(readModuleTree(kernel.modules), wanted);
    const lines = [
      ...image.map(({ type, name }) => `${type} ${name}`),
      ...loaded.flatMap(({ name, content }) => functionNames(content).map((symbol) => `t ${symbol}\t[${name}]`)),
    ];
    return Buffer.from(lines.map((line, index) => `${address(index)} ${line}\n`).join(''), 'latin1');
  });
  return readFileSync(file);
}

/** Above the kernel's base, far enough apart to tell them. */
function address(index: number): string {
  return `ffffffff${(0x80000000 + 16 * index).toString(16)}`;
}
