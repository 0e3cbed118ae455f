// The rules of every file in atlas/, by its name without extension. `shape` checks one file, `whole` the area at once.
import { functionName, listOf, mapOf, matching, number, oneOf, optional, record, text } from './atlas-shapes.mjs';

/** A few words that finish the sentence "this function …". */
const gloss = matching(/^[a-z][^.\n]{3,90}$/, 'a gloss (a few words in lower case, no full stop)');

/** A function, a prefix of functions (`perf_trace_*`), or what a tool prints in a function's place. */
const framePattern = matching(/^(?:[A-Za-z_][A-Za-z0-9_]*\*?|\[[A-Z ]+\])$/, 'a function name or a prefix ending in *');

export const AREAS = {
  entries: {
    shape: listOf(
      record({
        kind: oneOf(
          'syscall',
          'interrupt',
          'softirq',
          'exception',
          'nmi',
          'kthread',
          'work',
          'idle',
          'fork',
          'boot',
          'user-return',
        ),
        name: text,
        boundary: optional(oneOf('task', 'softirq', 'hardirq', 'exception', 'nmi')),
        rank: number,
        functions: listOf(functionName),
      }),
    ),
    whole: oneRulePerFunction,
  },
  helpers: { shape: mapOf(text, listOf(functionName)) },
  instrumentation: { shape: record({ always: listOf(framePattern), probe: listOf(framePattern) }) },
  subsystems: {
    shape: listOf(record({ prefix: text, label: text, group: text })),
    whole: noDuplicates('prefix'),
  },
  glosses: {
    shape: listOf(record({ function: functionName, gloss })),
    whole: noDuplicates('function'),
  },
  syscalls: {
    shape: listOf(record({ name: functionName, summary: gloss })),
    whole: noDuplicates('name'),
  },
};

function noDuplicates(key) {
  return (records, report) => {
    const seen = new Set();
    for (const item of records) {
      if (seen.has(item[key])) report(`"${item[key]}" stands twice`);
      seen.add(item[key]);
    }
  };
}

function oneRulePerFunction(rules, report) {
  const seen = new Set();
  for (const name of rules.flatMap((rule) => rule.functions ?? [])) {
    if (seen.has(name)) report(`"${name}" stands in two rules`);
    seen.add(name);
  }
}
