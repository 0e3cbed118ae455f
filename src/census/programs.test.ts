import { expect, test } from 'vitest';
import { readBytes } from '../../test/support/check-reader.ts';
import { kernelKnowledge } from '../atlas/knowledge.ts';
import { groupCensus } from './group.ts';

const KERNEL = 'entry_SYSCALL_64_after_hwframe_[k];do_syscall_64_[k];ksys_write_[k];vfs_write_[k]';

test('a group tells what in the program led into the kernel, but not what an interrupt happened to hit', async () => {
  const text = `a;main;log;write;${KERNEL} 12
a;main;save;write;${KERNEL} 30
a;main;spin;asm_sysvec_apic_timer_interrupt_[k];sysvec_apic_timer_interrupt_[k];vfs_write_[k] 5
kworker/0:1;ret_from_fork_[k];kthread_[k];worker_thread_[k];process_one_work_[k];vfs_write_[k] 2
`;
  const { census } = await readBytes(text);
  const { groups } = groupCensus(census, { by: 'target', knowledge: kernelKnowledge() });
  expect(groups[0]?.count).toBe(49);
  expect(groups[0]?.programs).toEqual([
    { frames: ['write', 'save', 'main'], count: 30 },
    { frames: ['write', 'log', 'main'], count: 12 },
  ]);
});
