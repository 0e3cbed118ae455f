import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The path of a recording in `test/recordings/`, or of the founding case in `examples/`. */
export function recording(name: string): string {
  return folder(name === 'rbtree-inserts-under-db_bench.txt' ? '../../examples/' : '../recordings/') + name;
}

/** Every recording there is, census files of whocalls 0.1 among them. */
export const ALL_RECORDINGS: readonly string[] = ['../../examples/', '../recordings/', '../atlas/captures/'].flatMap(
  (place) =>
    readdirSync(folder(place))
      .filter((name) => /\.(?:txt|gz)$/.test(name) && !name.startsWith('kallsyms'))
      .map((name) => folder(place) + name),
);
