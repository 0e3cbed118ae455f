import { describe, expect, it, test } from 'vitest';
import type { PathView } from '../../census/knowledge.ts';
import { atlasTable } from '../files.ts';
import { atlasLabeller } from '../labeller.ts';
import { placesOf } from '../places.ts';
import { ThingFinder } from './called-things.ts';
import { kindRecords, type SubjectSites, subjectRecords, subjectSites } from './subject-catalog.ts';

const finder = new ThingFinder();

/** A path from the site outwards, innermost first. */
function path(target: string, frames: string, kernel = '6.1.0-56-amd64', argument = ''): PathView {
  return {
    frames: frames.split(' ').map((name) => ({ name, module: '' })),
    site: 0,
    entry: { kind: 'unknown', name: '' },
    target,
    argument,
    kernel,
  };
}

function found(...of: Parameters<typeof path>): [string | undefined, string] {
  const { record, confidence } = finder.find(path(...of));
  return [record?.id, confidence];
}

describe('what a call is about, by who calls', () => {
  it.each([
    ['kmem_cache_alloc', 'vm_area_dup dup_mmap', 'vm-area-struct'],
    ['kmem_cache_alloc', 'getname_flags do_sys_openat2', 'names-cache'],
    ['kmem_cache_alloc', '__alloc_file alloc_empty_file', 'filp'],
    ['kmem_cache_alloc_lru', '__d_alloc d_alloc', 'dentry'],
    ['kmem_cache_alloc_lru', 'ext4_alloc_inode alloc_inode', 'ext4-inode-cache'],
    ['kmem_cache_free', 'file_free_rcu rcu_do_batch', 'filp'],
    ['down_read', 'lock_mm_and_find_vma do_user_addr_fault', 'mmap-lock'],
    ['down_write', 'vma_link mmap_region', 'i-mmap-rwsem'],
    ['down_write', 'do_unlinkat sys_unlink', 'i-rwsem'],
    ['mutex_lock', 'pipe_read vfs_read', 'pipe-mutex'],
    ['mutex_lock', 'get_epoll_tfile_raw_ptr sys_kcmp', 'ep-mtx'],
    ['mutex_lock', 'rtnl_lock tun_chr_close', 'rtnl-mutex'],
    ['_raw_spin_lock', 'd_alloc d_alloc_parallel', 'dentry-d-lock'],
    ['_raw_spin_lock_irqsave', 'try_to_wake_up wake_up_process', 'task-pi-lock'],
  ])('%s by %s', (target, frames, id) => {
    expect(found(target, frames)[0]).toBe(id);
  });

  it('goes by the kernel at hand', () => {
    // Wrapped by alloc_empty_file since 6.5, which was another function before.
    expect(found('kmem_cache_alloc_noprof', 'alloc_empty_file path_openat', '6.12.117+deb12-amd64')[0]).toBe('filp');
    expect(found('kmem_cache_alloc', 'alloc_empty_file path_openat', '6.1.0-56-amd64')[1]).not.toBe('unknown');
  });

  it('is certain only where the function names nothing else, itself or by what may be compiled into it', () => {
    expect(found('down_read', 'lock_mm_and_find_vma do_user_addr_fault')[1]).toBe('certain');
    // do_epoll_ctl takes a mutex without a record, too.
    expect(found('mutex_lock', 'do_epoll_ctl sys_epoll_ctl')).toEqual(['ep-mtx', 'likely']);
    const { record, confidence, candidates } = finder.find(path('kmem_cache_alloc', '__anon_vma_prepare do_fault'));
    expect([record, confidence]).toEqual([null, 'unknown']);
    expect(candidates.map(({ id }) => id).sort()).toEqual(['anon-vma', 'anon-vma-chain']);
  });

  it('knows nothing of other targets, and of sites nobody looked at', () => {
    expect(found('vfs_read', 'ksys_read')).toEqual([undefined, 'unknown']);
    expect(found('mutex_lock', 'frobnicate')).toEqual([undefined, 'unknown']);
  });
});

describe('a recorded argument', () => {
  it('names the thing, known or not', () => {
    expect(found('mutex_lock', 'frobnicate', '', 'rtnl_mutex')).toEqual(['rtnl-mutex', 'certain']);
    expect(found('mutex_lock', 'frobnicate', '', 'frob_mutex')).toEqual(['frob_mutex', 'certain']);
    const one = atlasLabeller.label(path('mutex_lock', 'frobnicate', '', 'frob_mutex')).subject;
    expect(atlasLabeller.label(path('mutex_lock', 'frobble', '', 'frob_mutex')).subject).toBe(one);
  });

  it('is none where it is a number or an address', () => {
    expect(found('mutex_lock', 'frobnicate', '', '0xffff888100000000')).toEqual([undefined, 'unknown']);
    expect(found('mutex_lock', 'frobnicate', '', '4096')).toEqual([undefined, 'unknown']);
  });
});

test('chains are read from the site outwards, and the longest that fits counts', () => {
  const kinds = kindRecords();
  const record = (id: string, ...where: string[]) => ({ kind: 'lock' as const, id, name: id, where });
  const own = new ThingFinder(kinds, [record('a', 'f'), record('b', 'f <- g'), record('c', 'f <- … <- k <- l')]);
  const id = (frames: string) => own.find(path('mutex_lock', frames)).record?.id;
  expect([id('f'), id('f x'), id('f g x'), id('f x k l'), id('f g k l'), id('g f')]).toEqual([
    'a',
    'a',
    'b',
    'c',
    'c',
    undefined,
  ]);
  const { record: none, candidates } = new ThingFinder(kinds, [record('a', 'f'), record('b', 'f')]).find(
    path('mutex_lock', 'f'),
  );
  expect([none, candidates.map((one) => one.id)]).toEqual([null, ['a', 'b']]);
});

test('every operation that a record names is one of its kind', () => {
  for (const { kind, where = [] } of subjectRecords()) {
    const operations =
      kindRecords()
        .find((one) => one.kind === kind)
        ?.operations.map(({ id }) => id) ?? [];
    for (const one of where)
      if (typeof one !== 'string') expect(operations).toEqual(expect.arrayContaining([...(one.operations ?? [])]));
  }
});

test('every function that a record names is one of 6.1 or 6.12', () => {
  const names = subjectRecords().flatMap(({ where = [] }) =>
    where.flatMap((one) => (typeof one === 'string' ? one : one.chain).split(' <- ')),
  );
  expect(names.filter((name) => name !== '…' && placesOf(name).length === 0)).toEqual([]);
});

test('what the sources name are records', () => {
  const known = new Set(subjectRecords().map(({ kind, id }) => `${kind} ${id}`));
  const named = new Set(
    Object.keys(atlasTable<SubjectSites>('subject-sites')).flatMap((name) =>
      subjectSites(name).flatMap(({ operation, own, inlined }) =>
        [...own, ...inlined].filter((id) => id !== '?').map((id) => `${operation.split(':')[0]} ${id}`),
      ),
    ),
  );
  expect([...named].filter((one) => !known.has(one))).toEqual([]);
  expect(named.size).toBeGreaterThan(400);
});
