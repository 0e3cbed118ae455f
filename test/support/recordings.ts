import { fileURLToPath } from 'node:url';

/** The path of a recording in `test/recordings/`, or of the founding case in `examples/`. */
export function recording(name: string): string {
  const folder = name === 'rbtree-inserts-under-db_bench.txt' ? '../../examples/' : '../recordings/';
  return fileURLToPath(new URL(folder + name, import.meta.url));
}
