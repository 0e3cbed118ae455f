// The rules of every file in atlas/, by its name without extension. `shape` checks one file, `whole` the area at once.
import { functionName, listOf, matching, record, text } from './atlas-shapes.mjs';

/** A few words that finish the sentence "this function …". */
const gloss = matching(/^[a-z][^.\n]{3,90}$/, 'a gloss (a few words in lower case, no full stop)');

export const AREAS = {
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
