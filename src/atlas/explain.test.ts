import { describe, expect, it } from 'vitest';
import type { Entry, PathView } from '../census/knowledge.ts';
import { explainGroup } from './explain.ts';
import type { GroupToExplain } from './facts.ts';

function pathOf(frames: string, entry: Entry, target = 'rb_insert_color', site = 0): PathView {
  const named = frames.split(' ').map((name) => ({ name, module: '' }));
  return { frames: named, site, entry, target, argument: '' };
}

function group(path: PathView): GroupToExplain {
  return { path, paths: [{ path, count: 1 }], entries: [], comms: [], count: 1 };
}

const TIMER: Entry = { kind: 'interrupt', name: 'timer interrupt' };
const WRITE: Entry = { kind: 'syscall', name: 'write(2)' };
const UNKNOWN: Entry = { kind: 'unknown', name: 'unknown entry' };

describe('explaining', () => {
  it('says what was decided, and in full which tree it is', () => {
    const path = pathOf('enqueue_task_fair ttwu_do_activate try_to_wake_up', TIMER);
    const { text, confidence, subject, decisions } = explainGroup(group(path), 'full');
    expect(text).toMatch(
      /^A sleeping task is woken and queued on a CPU\. .*The fair run queue, cfs_rq->tasks_timeline, holds/,
    );
    expect(confidence).toEqual({ decision: 'certain', subject: 'certain', entry: 'certain' });
    expect(subject).toEqual({ kind: 'rbtree', id: 'cfs-run-queue', name: 'fair run queue' });
    expect(decisions).toEqual([{ text: 'a sleeping task is woken and queued on a CPU', count: 1 }]);
  });

  it.each([
    'cpu-clock:u',
    'cycles',
    'cpu_core/cache-misses/',
    'page-faults',
  ])('says nothing is called in samples of %s', (event) => {
    const inKernel = pathOf('frobnicate ksys_write do_syscall_64', WRITE, event);
    expect(explainGroup(group(inKernel), 'short').text).toMatch(/^frobnicate runs\b/);
    const user: Entry = { kind: 'user', name: 'user space' };
    const inProgram = { ...pathOf('main', user, event), frames: [{ name: 'main', module: '/home/u/alpha' }] };
    expect(explainGroup(group(inProgram), 'short').text).toBe('main in alpha runs.');
  });

  it('gives the share of each decision, and says which one the path in the report belongs to', () => {
    const paths = [
      { path: pathOf('hrtimer_start_range_ns bfq_finish_requeue_request', TIMER), count: 4 },
      { path: pathOf('hrtimer_start_range_ns tick_nohz_stop_tick tick_nohz_idle_stop_tick', TIMER), count: 3 },
      { path: pathOf('hrtimer_start_range_ns tick_nohz_idle_stop_tick', TIMER), count: 3 },
    ];
    const { text } = explainGroup({ path: paths[0]!.path, paths, entries: [], comms: [], count: 10 }, 'short');
    expect(text).toBe(
      '60 %: the scheduler tick is stopped or put off while the CPU is idle. 40 % (the path above): a BFQ queue in service has run empty, and BFQ waits for its next request (idle_slice_timer).',
    );
  });

  it('lets a clause speak only where its function decided', () => {
    const said = (frames: string) => explainGroup(group(pathOf(frames, TIMER)), 'short').text;
    expect(said('__hrtimer_run_queues hrtimer_interrupt')).toBe('An expired timer re-arms itself.');
    // The timer that ran is the tick; the one that is armed is another.
    const server = 'hrtimer_start_range_ns start_dl_timer update_curr_dl_se update_curr task_tick_fair';
    expect(said(`${server} sched_tick tick_nohz_handler __hrtimer_run_queues hrtimer_interrupt`)).toContain(
      'deadline server',
    );
    expect(said('hrtimer_start_range_ns frobnicate __hrtimer_run_queues hrtimer_interrupt')).toBe('A timer is armed.');
  });

  it('says what trees that a stack cannot tell apart have in common', () => {
    const path = pathOf('jffs2_do_read_inode_internal jffs2_iget jffs2_lookup', WRITE);
    const { text, confidence, subject, candidates } = explainGroup(group(path), 'short');
    expect(text).toMatch(/^A file is read in or checked, and its data nodes on flash are sorted/);
    expect(confidence).toMatchObject({ decision: 'certain', subject: 'unknown' });
    expect(subject).toBeNull();
    expect(candidates.map(({ id }) => id).sort()).toEqual(['jffs2-nodes-by-version', 'jffs2-temporary-nodes']);
  });

  it('speaks of the kernel at hand only', () => {
    const said = (kernel: string) =>
      explainGroup(group({ ...pathOf('put_prev_entity __schedule schedule do_nanosleep', WRITE), kernel }), 'full')
        .text;
    expect(said('6.1.0-56-amd64')).toMatch(/task group, in which others can still run.*sorted by vruntime/);
    expect(said('6.12.117+deb12-amd64')).toMatch(/delayed dequeue.*sorted by virtual deadline/);
    expect(said('6.1.0-56-amd64')).not.toContain('delayed');
    const quota = { ...pathOf('add_delayed_ref_head btrfs_add_delayed_tree_ref', WRITE), kernel: '6.12.1' };
    expect(explainGroup(group(quota), 'full').candidates.map(({ id }) => id)).not.toContain(
      'btrfs-qgroup-dirty-extents',
    );
  });

  it('names the alternatives where it is not sure, and why', () => {
    const mprotect: Entry = { kind: 'syscall', name: 'mprotect(2)' };
    const path = pathOf('__vma_adjust vma_merge mprotect_fixup', mprotect, '__rb_insert_augmented');
    const { text, confidence, candidates } = explainGroup(group(path), 'short');
    expect(confidence).toEqual({ decision: 'likely', subject: 'likely', entry: 'certain' });
    expect(text).toMatch(
      /^Probably: .*no rotate callback was recorded, .*also fits the anonymous-mapping interval tree/,
    );
    expect(candidates.length).toBe(2);
  });

  it('is as sure as the least sure of its calls', () => {
    const sure = pathOf('enqueue_task_fair ttwu_do_activate', TIMER);
    const paths = [
      { path: sure, count: 6 },
      { path: { ...sure, isDoubted: true }, count: 3 },
      { path: pathOf('frobnicate', TIMER), count: 1 },
    ];
    const { confidence } = explainGroup({ path: sure, paths, entries: [], comms: [], count: 10 }, 'short');
    expect(confidence).toMatchObject({ decision: 'likely', subject: 'likely' });
  });

  it('works for any target: what the site does, else what it does by calling', () => {
    const path = pathOf('vfs_write ksys_write', WRITE, 'vfs_write', 1);
    const { text, subject } = explainGroup(group(path), 'full');
    expect(text).toMatch(/^ksys_write \S/);
    expect(subject).toBeNull();
    expect(explainGroup(group(pathOf('frobnicate', WRITE, 'mutex_lock')), 'short').text).toMatch(
      /^frobnicate \S+s .*mutex/,
    );
  });

  it('names every target of the group, up to three', () => {
    const said = (...targets: string[]) => {
      const paths = targets.map((target, i) => ({ path: pathOf('frobnicate', WRITE, target), count: 9 - i }));
      const [first] = paths;
      return explainGroup({ path: first!.path, paths, entries: [], comms: [], count: 10 }, 'short').text;
    };
    expect(said('frob')).toBe('frobnicate calls frob.');
    expect(said('a', 'b')).toBe('frobnicate calls a and b.');
    expect(said('a', 'b', 'c', 'd', 'e')).toBe('frobnicate calls a, b, c and 2 more.');
  });

  it('says what it does not know', () => {
    const { text, confidence } = explainGroup(group(pathOf('frobnicate', UNKNOWN, 'frob', 0)), 'full');
    expect(text).toBe('frobnicate calls frob.');
    expect(confidence).toEqual({ decision: 'unknown', subject: 'unknown', entry: 'unknown' });
  });
});
