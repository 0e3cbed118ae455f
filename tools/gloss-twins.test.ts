import { describe, expect, test } from 'vitest';
import { sharedByOpposites } from './gloss-twins.ts';

function problems(glosses: Record<string, string>): string[] {
  return sharedByOpposites(Object.entries(glosses).map(([name, text]) => ({ name, text })));
}

describe('Opposites that share a text', () => {
  test.each([
    ['alloc_iova', 'free_iova'],
    ['alloc_iova', '__free_iova'],
    ['__alloc_skb', '__kfree_skb'],
    ['kobject_get', 'kobject_put'],
    ['ext4_orphan_add', 'ext4_orphan_del'],
    ['queued_read_lock_slowpath', 'queued_write_lock_slowpath'],
    ['lock_page_memcg', 'unlock_page_memcg'],
    ['munlock', 'mlock'],
    ['swapon', 'swapoff'],
    ['shmat', 'shmdt'],
    ['__perf_event_task_sched_in', '__perf_event_task_sched_out'],
    ['unregister_kprobe', 'register_kprobe'],
    ['copyin', 'copyout'],
  ])('%s and %s are found, once', (one, other) => {
    const found = problems({ [one]: 'manages something', [other]: 'manages something', another: 'manages something' });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(one);
    expect(found[0]).toContain(other);
  });

  test('a text of their own makes them fine', () => {
    expect(problems({ alloc_iova: 'allocates a range', free_iova: 'frees a range' })).toEqual([]);
  });

  test.each([
    ['sock_sendmsg', '__sock_sendmsg'],
    ['alloc_skb', 'alloc_iova'],
    ['tcp_v4_rcv', 'tcp_v6_rcv'],
    ['alloc_iova', 'free_iova_fast'],
  ])('%s and %s are no opposites', (one, other) => {
    expect(problems({ [one]: 'does it', [other]: 'does it' })).toEqual([]);
  });
});
