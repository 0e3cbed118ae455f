import { readFileSync } from 'node:fs';

/** What the estimates of db_bench's head are made of. */
export interface HeadFacts {
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entries: number;
  readonly compressionRatio: number;
}

/** The first part of the head, which the original prints on stderr: LevelDB's version, time and processor. */
export function environmentLines(version: string, now: Date = new Date()): string {
  const lines = [`LevelDB:    version ${version}`, `Date:       ${cTime(now)}`];
  try {
    const { processors, model, cache } = readProcessors(readFileSync('/proc/cpuinfo', 'utf8'));
    lines.push(`CPU:        ${processors} * ${model}`, `CPUCache:   ${cache}`);
  } catch {
    // not Linux: the original prints no processor there either
  }
  return `${lines.join('\n')}\n`;
}

/** The second part, on stdout: sizes. Megabytes are of 1,048,576 bytes. */
export function sizeLines({ keyBytes, valueBytes, entries, compressionRatio }: HeadFacts): string {
  const compressed = Math.trunc(valueBytes * compressionRatio + 0.5);
  const raw = ((keyBytes + valueBytes) * entries) / 2 ** 20;
  const file = ((keyBytes + valueBytes * compressionRatio) * entries) / 2 ** 20;
  return (
    `Keys:       ${keyBytes} bytes each\n` +
    `Values:     ${valueBytes} bytes each (${compressed} bytes after compression)\n` +
    `Entries:    ${entries}\n` +
    `RawSize:    ${raw.toFixed(1)} MB (estimated)\n` +
    `FileSize:   ${file.toFixed(1)} MB (estimated)\n`
  );
}

/** Of several processors the last one's model and cache are told, as in the original. */
export function readProcessors(cpuinfo: string): { processors: number; model: string; cache: string } {
  const facts = { processors: 0, model: '', cache: '' };
  for (const line of cpuinfo.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const key = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    if (key === 'model name') {
      facts.processors += 1;
      facts.model = value;
    } else if (key === 'cache size') facts.cache = value;
  }
  return facts;
}

/** The form of ctime(3): `Mon Nov 23 04:18:42 2026`, local time. */
export function cTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][time.getDay()];
  const month = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')[time.getMonth()];
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${day} ${month} ${String(time.getDate()).padStart(2)} ${clock} ${time.getFullYear()}`;
}
