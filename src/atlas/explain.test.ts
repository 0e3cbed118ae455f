import { describe, expect, it } from 'vitest';
import type { Entry, PathView } from '../census/knowledge.ts';
import { explainGroup, type GroupToExplain } from './explain.ts';

function pathOf(frames: string, entry: Entry, target = 'rb_insert_color', site = 0): PathView {
  const named = frames.split(' ').map((name) => ({ name, module: '' }));
  return { frames: named, site, entry, target, argument: '', comm: 'db_bench' };
}

function group(path: PathView, entries: readonly (Entry & { count: number })[] = []): GroupToExplain {
  const count = entries.reduce((sum, entry) => sum + entry.count, 0) || 1;
  return { path, paths: [{ path, count }], entries, comms: [], count };
}

const TIMER: Entry = { kind: 'interrupt', name: 'timer interrupt' };
const WRITE: Entry = { kind: 'syscall', name: 'write(2)' };
const UNKNOWN: Entry = { kind: 'unknown', name: 'unknown entry' };

describe('explaining', () => {
  it('says what was decided, what started it and which tree it is', () => {
    const path = pathOf('enqueue_task_fair ttwu_do_activate try_to_wake_up', TIMER);
    const entries = [
      { ...TIMER, count: 71 },
      { ...WRITE, count: 20 },
    ];
    const { text, confidence, subject, decisions } = explainGroup(group(path, entries), 'full');
    expect(text).toContain('A task that slept is woken up and put in line for a CPU');
    expect(text).toContain('mostly from the timer interrupt (78 %), sometimes in write(2)');
    expect(text).toContain('fair run queue');
    expect(confidence).toEqual({ decision: 'certain', subject: 'certain', entry: 'certain' });
    expect(subject).toEqual({ kind: 'rbtree', id: 'cfs-run-queue', name: 'fair run queue' });
    expect(decisions).toEqual([{ text: 'a task that slept is woken up and put in line for a CPU', count: 91 }]);
  });

  it('names the alternatives where it is not sure', () => {
    const mprotect: Entry = { kind: 'syscall', name: 'mprotect(2)' };
    const path = pathOf('__vma_adjust vma_merge mprotect_fixup', mprotect, '__rb_insert_augmented');
    const { text, confidence, candidates } = explainGroup(group(path), 'full');
    expect(confidence).toEqual({ decision: 'likely', subject: 'likely', entry: 'certain' });
    expect(text).toContain('most likely');
    expect(text).toContain('could also be the anonymous-mapping interval tree');
    expect(candidates.length).toBe(2);
  });

  it('works for any target', () => {
    const path = pathOf('vfs_write ksys_write', WRITE, 'vfs_write', 1);
    const { text, subject } = explainGroup(group(path), 'full');
    expect(text).toMatch(/^ksys_write .*, in write\(2\)\./);
    expect(subject).toBeNull();
  });

  it('names every target of the group, up to three', () => {
    const said = (...targets: string[]) => {
      const paths = targets.map((target, i) => ({ path: pathOf('frobnicate', WRITE, target), count: 9 - i }));
      // Calls of another site are none of frobnicate's.
      paths.push({ path: pathOf('other', WRITE, 'vfs_other'), count: 1 });
      const [first] = paths;
      return explainGroup({ path: first!.path, paths, entries: [], comms: [], count: 10 }, 'short').text;
    };
    expect(said('vfs_fstat')).toBe('frobnicate calls vfs_fstat, in write(2).');
    expect(said('a', 'b')).toBe('frobnicate calls a and b, in write(2).');
    expect(said('a', 'b', 'c')).toBe('frobnicate calls a, b and c, in write(2).');
    expect(said('a', 'b', 'c', 'd', 'e')).toBe('frobnicate calls a, b, c and 2 more, in write(2).');
  });

  it('says what it does not know', () => {
    const { text, confidence } = explainGroup(group(pathOf('frobnicate', UNKNOWN, 'frob', 0)), 'full');
    expect(text).toBe('frobnicate calls frob, from an entry the atlas does not know.');
    expect(confidence).toEqual({ decision: 'unknown', subject: 'unknown', entry: 'unknown' });
  });
});
