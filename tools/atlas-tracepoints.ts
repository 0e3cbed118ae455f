// Writes atlas/tracepoints.tsv: which system a tracepoint is in, from the headers of unpacked kernel sources.
//   npx tsx tools/atlas-tracepoints.ts DIR [DIR …]
// No compiler: events are what stands in TRACE_EVENT, DEFINE_EVENT and macros that a header makes of them. Names that
// several systems have are left out, because a trace does not tell which is meant.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OUTPUT = fileURLToPath(new URL('../atlas/tracepoints.tsv', import.meta.url));
const FOLDERS = ['arch', 'block', 'crypto', 'drivers', 'fs', 'include', 'io_uring', 'kernel', 'lib', 'mm', 'net'];
const MORE_FOLDERS = ['security', 'sound', 'virt'];
const HEAD = `# Tracepoints by the system under whose name tracefs has them; traces print the name alone.
# Written by tools/atlas-tracepoints.ts from kernel sources; do not edit.
system\tevents
`;

function main(): void {
  const systems = new Map<string, Set<string>>();
  const files = process.argv
    .slice(2)
    .flatMap((source) => [...FOLDERS, ...MORE_FOLDERS].flatMap((f) => headers(join(source, f))));
  for (const file of files) {
    const text = readFileSync(file, 'latin1').replace(/\\\n/g, ' ');
    const system = /^#\s*define\s+TRACE_SYSTEM\s+(\w[\w-]*)\s*$/m.exec(text)?.[1];
    if (system === undefined) continue;
    for (const event of eventsIn(text)) {
      const known = systems.get(event) ?? new Set();
      systems.set(event, known.add(system));
    }
  }
  const bySystem = new Map<string, string[]>();
  for (const [event, [system = '', ...others]] of systems) {
    if (others.length === 0) bySystem.set(system, [...(bySystem.get(system) ?? []), event]);
  }
  const rows = [...bySystem]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([system, events]) => `${system}\t${events.sort().join(' ')}\n`);
  writeFileSync(OUTPUT, HEAD + rows.join(''));
  process.stdout.write(`${systems.size} events, ${bySystem.size} systems\n`);
}

function headers(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.h'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Names of the events that a header defines. */
function eventsIn(text: string): string[] {
  const events: string[] = [];
  for (const [, macro = '', first = '', second = ''] of text.matchAll(
    /^\s*((?:TRACE|DEFINE)_EVENT\w*)\(\s*(\w+)\s*(?:,\s*(\w+))?/gm,
  )) {
    if (macro !== 'TRACE_EVENT_FLAGS') events.push(macro.startsWith('DEFINE') ? second : first);
  }
  // #define DEFINE_IRQ_VECTOR_EVENT(name) TRACE_EVENT_FN(name##_entry, …) … TRACE_EVENT_FN(name##_exit, …)
  for (const [, macro = '', parameters = '', body = ''] of text.matchAll(/^#\s*define\s+(\w+)\(([\w\s,]+)\)(.*)$/gm)) {
    const names = parameters.split(',').map((parameter) => parameter.trim());
    const made = [...body.matchAll(/(?:TRACE_EVENT\w*\(|DEFINE_EVENT\w*\(\s*\w+\s*,)\s*(\w+)(?:\s*##\s*(\w+))?/g)];
    const uses = made.length === 0 ? [] : [...text.matchAll(new RegExp(`^\\s*${macro}\\(([^()]*)`, 'gm'))];
    for (const [, name = '', suffix = ''] of made) {
      const position = names.indexOf(name);
      for (const [, given = ''] of position < 0 ? [] : uses)
        events.push(`${given.split(',')[position]?.trim() ?? ''}${suffix}`);
    }
  }
  return events.filter((event) => /^[a-z]\w{3,}$/i.test(event) && event !== 'name');
}

main();
