import type { Cursor } from './cursor.ts';

/** Where in the kernel's source a frame was: `fs/inode.c`, 664. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** ` fs/x.c:12`, ` ./include/linux/x.h:12:5`, as syzbot and llvm-symbolizer print them. */
const BARE_PLACE = /\s+([^\s:()[\]]+\.[A-Za-z]{1,4}):(\d{1,9})(?::\d{1,9})?(?=[\s)]|$)/y;
/** Opens the places of `decode_stacktrace.sh`: ` (fs/x.c:12 (discriminator 1) fs/y.c:3)`, ` (??:?)`. */
const OPENING = /\s+\((?=[^\s:()]+:[\d?])/y;
const ITEM =
  /\s*([^\s:()]+):(?:(\d{1,9})(?::\d{1,9})?|\?)(?:\s+\((?:discriminator )?\d+\))?(?:\s+\(inlined by\)\s*\S*)?/y;
const CLOSING = /\s*\)/y;

/**
 * The places printed behind a function. Several stand for functions inlined into it, innermost first, of which no names
 * are printed; the last is its own. Null where no place follows.
 */
export function takePlaces(cursor: Cursor): readonly Place[] | null {
  const bare = cursor.take(BARE_PLACE);
  if (bare) return [{ file: sourceFile(bare[1] ?? ''), line: Number(bare[2]) }];
  if (!cursor.take(OPENING)) return null;
  const places: Place[] = [];
  for (let item = cursor.take(ITEM); item; item = cursor.take(ITEM)) {
    if (item[2] !== undefined) places.push({ file: sourceFile(item[1] ?? ''), line: Number(item[2]) });
  }
  cursor.take(CLOSING);
  return places;
}

/** Folders at the top of the kernel's source: where a path of the build machine ends and one of the kernel begins. */
const IN_KERNEL =
  /\/((?:arch|block|certs|crypto|drivers|fs|include|init|io_uring|ipc|kernel|lib|mm|net|rust|samples|security|sound|virt)\/.*)$/;

/** The path in the kernel's source: without the `./` of headers and the folder it was built in. */
function sourceFile(path: string): string {
  const relative = path.replace(/^(?:\.\.?\/)+/, '');
  return relative.startsWith('/') ? (IN_KERNEL.exec(relative)?.[1] ?? relative) : relative;
}
