import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const PLACES = ['../../examples/', '../recordings/', '../atlas/captures/'];

/** The path of a recording: in `test/recordings/`, in `test/atlas/captures/`, or of the founding case in `examples/`. */
export function recording(name: string): string {
  const found = PLACES.map((place) => folder(place) + name).find(existsSync);
  return found ?? folder('../recordings/') + name;
}

/** Every recording there is, census files of whocalls 0.1 among them. */
export const ALL_RECORDINGS: readonly string[] = PLACES.flatMap((place) =>
  readdirSync(folder(place))
    .filter((name) => /\.(?:txt|gz)$/.test(name) && !name.startsWith('kallsyms'))
    .map((name) => folder(place) + name),
);
