import type { Note } from '../../census/message.ts';

/** What whocalls 0.1 wrote where this version has codes without facts. */
const OLD_SENTENCES: Readonly<Record<string, Note>> = {
  'Calls that a compiler inlined are not seen.': { code: 'blind-inlined' },
  'Calls made inside a non-maskable interrupt or a debug exception are not seen.': { code: 'blind-nmi' },
  'Calls that a compiler inlined or that bypass the symbol are not seen.': { code: 'blind-bypassed' },
  'Calls made by whocalls itself are not counted.': { code: 'self-left-out' },
  'No argument was recorded; --keys argN records one.': { code: 'argument-not-recorded' },
  'Kprobes that were skipped may be some that whocalls itself met.': { code: 'kprobe-skips-may-be-own' },
  'Histograms leave out the function that called the target on this processor; paths begin with its caller.': {
    code: 'hist-no-caller',
  },
  'This kernel does not say whether kprobes were skipped.': { code: 'misses-unreported' },
  'CPUs came or went, so that it is not known whether kprobes were skipped.': { code: 'misses-incomplete' },
  "The kernel's verifier does not let programs walk stacks: its unwinder takes every one, which costs more.": {
    code: 'walking-refused',
  },
};

/** A note or warning of a file of whocalls 0.1, which kept sentences. */
export function messageFromText(text: string): Note {
  const known = Object.hasOwn(OLD_SENTENCES, text) ? OLD_SENTENCES[text] : undefined;
  return known ?? { code: 'stated', text };
}
