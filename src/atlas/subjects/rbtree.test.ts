import { describe, expect, it } from 'vitest';
import type { PathView } from '../../census/knowledge.ts';
import { TreeFinder } from './rbtree.ts';

const finder = new TreeFinder();

/** A path of these functions, innermost first: `ext4:foo bar` has foo in module ext4. */
function path(frames: string, target = 'rb_insert_color', argument = ''): PathView {
  return {
    frames: frames.split(' ').map((frame) => {
      const [name = '', module = ''] = frame.split(':').reverse();
      return { name, module };
    }),
    site: 0,
    entry: { kind: 'unknown', name: '' },
    target,
    argument,
  };
}

function treeOf(frames: string, target?: string, argument?: string): [string | undefined, string] {
  const { tree, confidence } = finder.find(path(frames, target, argument));
  return [tree?.id, confidence];
}

const AUGMENTED = '__rb_insert_augmented';

describe('trees of the founding case', () => {
  it.each([
    ['enqueue_task_fair ttwu_do_activate try_to_wake_up', 'cfs-run-queue', 'certain'],
    ['put_prev_entity pick_next_task_fair __schedule', 'cfs-run-queue', 'certain'],
    ['timerqueue_add enqueue_hrtimer __hrtimer_run_queues hrtimer_interrupt', 'hrtimer-queue', 'certain'],
    ['cfq_add_rq_rb cfq_insert_request blk_flush_plug_list', 'cfq-sort-list', 'certain'],
    ['__es_insert_extent ext4_es_insert_extent ext4_da_get_block_prep', 'ext4-extent-status', 'certain'],
    ['tcp_event_new_data_sent tcp_write_xmit __tcp_push_pending_frames', 'tcp-retransmission-queue', 'certain'],
  ])('%s', (frames, id, confidence) => {
    expect(treeOf(frames)).toEqual([id, confidence]);
  });

  it('names both trees that __vma_adjust may change', () => {
    const { tree, confidence, candidates } = finder.find(path('__vma_adjust vma_merge mprotect_fixup', AUGMENTED));
    expect(tree?.id).toBe('file-mapping-interval-tree');
    expect(confidence).toBe('likely');
    expect(candidates.map(({ id }) => id)).toContain('anon-mapping-interval-tree');
  });
});

describe('where no target is known', () => {
  it.each([
    ['__schedule schedule schedule_timeout ldsem_down_write'],
    ['sys_mremap do_syscall_64'],
    ['__vmalloc_node_range __vmalloc_node'],
  ])('nothing is inserted by what may call an insert: %s', (frames) => {
    expect(treeOf(frames, '')).toEqual([undefined, 'unknown']);
  });

  it('an insert or a function that inserts tells the tree', () => {
    expect(treeOf('rb_insert_color timerqueue_add enqueue_hrtimer', '')).toEqual(['hrtimer-queue', 'certain']);
    expect(treeOf('__es_insert_extent ext4_es_insert_extent', '')).toEqual(['ext4-extent-status', 'likely']);
  });
});

describe('the same trees in 6.1 and 6.12', () => {
  it.each([
    ['rb_insert_color enqueue_entity enqueue_task_fair', 'rb_insert_color', 'cfs-run-queue'],
    ['__rb_insert_augmented enqueue_entity enqueue_task_fair', AUGMENTED, 'cfs-run-queue'],
    ['rb_insert_color timerqueue_add hrtimer_start_range_ns', 'rb_insert_color', 'hrtimer-queue'],
    ['rb_insert_color tcp_rbtree_insert tcp_event_new_data_sent', 'rb_insert_color', 'tcp-retransmission-queue'],
    ['__rb_insert_augmented vma_complete commit_merge', AUGMENTED, 'file-mapping-interval-tree'],
    ['rb_insert_color ext4:__es_insert_extent ext4:ext4_es_insert_extent', 'rb_insert_color', 'ext4-extent-status'],
    ['rb_insert_color dd_insert_requests blk_mq_sched_insert_requests', 'rb_insert_color', 'mq-deadline-sort-list'],
    ['rb_insert_color do_epoll_ctl', 'rb_insert_color', 'epoll-watches'],
  ])('%s', (frames, target, id) => {
    expect(treeOf(frames, target)[0]).toBe(id);
  });
});

describe('finding a tree', () => {
  it('believes the rotate callback', () => {
    const frames = '__rb_insert_augmented __vma_adjust __split_vma';
    expect(treeOf(frames, AUGMENTED, 'vma_interval_tree_augment_rotate')).toEqual([
      'file-mapping-interval-tree',
      'certain',
    ]);
    expect(treeOf(frames, AUGMENTED, '__anon_vma_interval_tree_augment_rotate')).toEqual([
      'anon-mapping-interval-tree',
      'certain',
    ]);
  });

  it('tells plain from augmented trees by the target', () => {
    expect(treeOf('drm:add_hole drm:drm_mm_init', 'rb_insert_color')[0]).toBe('drm-mm-holes-by-size');
    expect(treeOf('drm:add_hole drm:drm_mm_init', AUGMENTED)[0]).toBe('drm-mm-holes-by-address');
  });

  it('rules a tree out by a function further out: exec moves a stack, which has no file', () => {
    const anonymous = ['anon-mapping-interval-tree', 'certain'];
    expect(treeOf('__rb_insert_augmented __vma_adjust shift_arg_pages setup_arg_pages', AUGMENTED)).toEqual(anonymous);
    expect(treeOf('__rb_insert_augmented vma_complete commit_merge vma_expand do_brk_flags', AUGMENTED)).toEqual(
      anonymous,
    );
    expect(treeOf('__rb_insert_augmented __vma_adjust __split_vma', AUGMENTED)[0]).toBe('file-mapping-interval-tree');
  });

  it('tells functions of one name apart by their module', () => {
    expect(treeOf('ib_core:mcast_insert ib_core:acquire_group')[0]).toBe('ib-multicast-groups');
    expect(treeOf('mlx4_ib:mcast_insert mlx4_ib:acquire_group')[0]).toBe('mlx4-multicast-groups');
  });

  it('names the tree of a helper where its caller is unknown', () => {
    expect(treeOf('timerqueue_add some_driver_function')).toEqual(['timer-queue', 'likely']);
  });

  it('lists candidates where the machine code serves several trees', () => {
    const { tree, confidence, candidates } = finder.find(path('jffs2:jffs2_do_read_inode_internal'));
    expect(tree).toBeNull();
    expect(confidence).toBe('unknown');
    expect(candidates.map(({ id }) => id).sort()).toEqual(['jffs2-nodes-by-version', 'jffs2-temporary-nodes']);
  });

  it('has no tree for other targets', () => {
    expect(treeOf('vfs_write ksys_write', 'vfs_write')).toEqual([undefined, 'unknown']);
    expect(treeOf('enqueue_task_fair ttwu_do_activate', 'enqueue_task_fair')).toEqual([undefined, 'unknown']);
    expect(treeOf('some_function_nobody_knows')).toEqual([undefined, 'unknown']);
  });
});
