import type { LossCause, LossFacts } from '../census/message.ts';

// Folded stacks and pprof labels have room for a word where a loss has a code and facts:
//     map-full map=stacks limit=32768

/** A cause as one word with its facts; what another tool said in words stays as it was. */
export function lossText(cause: LossCause): string {
  if (cause.code === 'stated') return cause.text;
  const facts = Object.entries(cause).filter(([key]) => key !== 'code');
  return [cause.code, ...facts.map(([key, value]) => `${key}=${value}`)].join(' ');
}

const CODED = /^[a-z]+(?:-[a-z]+)*(?: [a-z]+=[^ ]+)*$/;

/** Facts of no loss: these words mean something else beside them. */
const RESERVED = /^(?:code|count|text)=/;

/** Takes {@link lossText} back, and reads the words of whocalls 0.1. */
export function lossFromText(text: string): LossCause {
  const known = Object.hasOwn(OLD_WORDS, text) ? OLD_WORDS[text] : undefined;
  if (known) return known;
  const [code = '', ...facts] = text.split(' ');
  if (!CODED.test(text) || code === 'stated' || facts.some((fact) => RESERVED.test(fact))) {
    return { code: 'stated', text };
  }
  const entries = facts.map((fact) => {
    const [key = '', value = ''] = fact.split('=', 2);
    return [key, /^\d{1,15}$/.test(value) ? Number(value) : value];
  });
  // A code of a later version is kept as it is; reports show it in place of a sentence.
  return { code: code as keyof LossFacts, ...Object.fromEntries(entries) };
}

/** Whatever whocalls 0.1 wrote as the reason of a loss. */
const OLD_WORDS: Readonly<Record<string, LossCause>> = {
  'not printed': { code: 'not-printed' },
  'not listed': { code: 'not-listed' },
  'start of the trace missing': { code: 'trace-start-missing' },
  'call trace without frames': { code: 'trace-without-frames' },
  'trace without frames': { code: 'trace-without-frames' },
  'sample without a stack': { code: 'sample-without-stack' },
  'line without a frame': { code: 'line-without-frame' },
  'event line missing': { code: 'event-line-missing' },
  'perf ring buffer full': { code: 'ring-buffer-full' },
  'more distinct stacks than --max-stacks': { code: 'map-full', map: 'stacks' },
  'more distinct keys than --max-keys': { code: 'map-full', map: 'keys' },
  'a map was in use by the same CPU': { code: 'map-busy' },
  'no stack could be taken': { code: 'no-stack' },
  'the program was interrupted by itself': { code: 'reentered' },
  'the kernel skipped the program, another one was running on that CPU': { code: 'skipped' },
  'the kernel skipped the kprobe, another one was being handled on that CPU': { code: 'kprobe-skipped' },
  'counted by the kernel without a stack': { code: 'hist-without-stack' },
};
