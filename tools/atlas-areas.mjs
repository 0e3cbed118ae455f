// The rules of every file in atlas/, by its name without extension. `shape` checks one file, `whole` the area at once;
// `compiled` makes of it what the program reads, where looking things up asks for another form.
import { flag, functionName, listOf, mapOf, matching, number, oneOf, optional, record, text } from './atlas-shapes.mjs';

/** A few words that finish the sentence "this function …". */
const gloss = matching(/^[a-z][^.\n]{3,90}$/, 'a gloss (a few words in lower case, no full stop)');

/** A function, a prefix of functions (`perf_trace_*`), or what a tool prints in a function's place. */
const framePattern = matching(/^(?:[A-Za-z_][A-Za-z0-9_]*\*?|\[[A-Z ]+\])$/, 'a function name or a prefix ending in *');

/** The name of a task, at most 15 bytes of it: `#` stands for a number, `*` for anything, but not for all of it. */
const commPattern = matching(/^[a-z][a-z0-9][A-Za-z0-9_.:/#*-]{1,14}$/, 'the name of a task (# a number, * anything)');

/** Kernel versions from the first to the last: `4.14-6.12`, or one: `6.12`. */
const kernelRange = matching(/^\d+\.\d+(?:-\d+\.\d+)?$/, 'a kernel version or a range of them');

const anyText = matching(/^/, 'a text');

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
  threads: {
    shape: listOf(record({ kind: oneOf('kthread', 'idle'), name: text, comms: listOf(commPattern) })),
    whole: oneRulePerComm,
  },
  'target-sets': {
    shape: listOf(
      record({ name: matching(/^[a-z][a-z0-9-]*$/, 'the name of a set'), summary: text, targets: listOf(text) }),
    ),
    whole: noDuplicates('name'),
  },
  helpers: { shape: mapOf(text, listOf(functionName)) },
  instrumentation: { shape: record({ always: listOf(framePattern), probe: listOf(framePattern) }) },
  subsystems: {
    shape: listOf(record({ prefix: text, label: text, group: text })),
    whole: noDuplicates('prefix'),
  },
  trees: {
    shape: listOf(
      record({
        id: matching(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'an id (lower-case words with hyphens)'),
        name: text,
        root: text,
        node: text,
        key: text,
        purpose: text,
        general: optional(flag),
        rotate: optional(listOf(functionName)),
        augmented: optional(kernelRange),
        likelier_than: optional(listOf(text)),
        because: optional(text),
        decided: optional((value, ...rest) =>
          typeof value === 'string' ? text(value, ...rest) : mapOf(functionName, text)(value, ...rest),
        ),
        inserted_by: listOf(
          record({ function: functionName, file: text, kernels: kernelRange, through: optional(functionName) }),
        ),
      }),
    ),
    whole: treesAreSound,
  },
  'tree-callers': {
    shape: listOf(record({ function: functionName, file: text, kernels: text, callers: text })),
    compiled: byCaller,
  },
  'compiled-inserts': {
    shape: listOf(
      record({
        module: anyText,
        symbol: text,
        function: functionName,
        file: text,
        primitive: functionName,
        insn: oneOf('call', 'jump'),
      }),
    ),
  },
  glosses: {
    shape: listOf(record({ function: functionName, gloss })),
    whole: noDuplicates('function'),
    compiled: (rows) => Object.fromEntries(rows.map((row) => [row.function, row.gloss])),
  },
  syscalls: {
    shape: listOf(record({ name: functionName, call: functionName, summary: gloss })),
    whole: noDuplicates('name'),
  },
};

/**
 * Turns "this function inserts, and these are its callers, and theirs" around, because callers are what is looked up:
 * `{ inserters: ['function file', …], callers: { name: [inserter, calls in between, inserter, …] } }`
 */
function byCaller(rows) {
  const callers = Object.create(null);
  for (const [index, row] of rows.entries()) {
    for (const [step, names] of row.callers.split(' | ').entries()) {
      for (const name of names.split(' ')) {
        callers[name] ??= [];
        callers[name].push(index, step);
      }
    }
  }
  return { inserters: rows.map((row) => `${row.function} ${row.file}`), callers };
}

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

function oneRulePerComm(rules, report) {
  const seen = new Set();
  for (const comm of rules.flatMap((rule) => rule.comms ?? [])) {
    if (seen.has(comm)) report(`"${comm}" stands in two rules`);
    seen.add(comm);
  }
}

function treesAreSound(trees, report) {
  noDuplicates('id')(trees, report);
  noDuplicates('name')(trees, report);
  const ids = new Set(trees.map((tree) => tree.id));
  for (const { id, likelier_than = [] } of trees) {
    for (const other of likelier_than)
      if (!ids.has(other)) report(`"${id}" is likelier than "${other}", which does not exist`);
  }
}
