import { expect, it } from 'vitest';
import type { Explanation } from '../atlas/explain.ts';
import { frameNotes } from '../atlas/frame-notes.ts';
import { stackText } from './stack-text.ts';

it('shows frames, the site and where an interrupt cut in', () => {
  const names = ['try_to_wake_up', 'hrtimer_wakeup', 'asm_sysvec_apic_timer_interrupt', 'vfs_read', 'frobnicate'];
  const frames = frameNotes(names.map((name) => ({ name, module: '' }))).map((note) => ({
    ...note,
    isUnreliable: note.name === 'vfs_read',
    isInlined: note.name === 'hrtimer_wakeup',
    isUser: false,
  }));
  const explanation: Explanation = {
    text: 'A text.',
    decisions: [],
    confidence: { decision: 'certain', subject: 'unknown', entry: 'likely' },
    subject: null,
    candidates: [],
    subsystem: null,
  };
  const text = stackText(
    { calls: 1, heading: '', frames, pathLength: 3, site: 'hrtimer_wakeup', explanation },
    'Heading',
    200,
  );
  expect(text.split('\n')).toEqual([
    'Heading',
    expect.stringMatching(
      /^ {2}try_to_wake_up +kernel\/sched\/core\.c, CPU scheduler: makes a sleeping task runnable and queues it on a CPU$/,
    ),
    expect.stringMatching(/^> hrtimer_wakeup \(inlined\) +kernel\/time\/hrtimer\.c, /),
    expect.stringMatching(/^ {2}asm_sysvec_apic_timer_interrupt {2}/),
    '  -- the interrupt came here; what follows was interrupted --',
    expect.stringMatching(/^ {2}\? vfs_read +fs\/read_write\.c.*\[unreliable\]/),
    expect.stringMatching(/^ {2}frobnicate +not known to the atlas$/),
    '',
    'A text.',
    'Confidence: decision certain, entry likely.',
    '',
  ]);
});
