import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCatalog, readTable, repository } from '../../tools/atlas-catalog.ts';
import { checkCatalog } from '../../tools/catalog-rules.ts';

const catalog = readCatalog();
const sites = readTable(join(repository, 'atlas', 'insert-sites.tsv'));
const compiled = readTable(join(repository, 'atlas', 'compiled-inserts.tsv'));

describe('the catalog of trees', () => {
  it('knows every insert site of 6.1 and 6.12 and every compiled insert of Debian 6.1', () => {
    const { problems, facts } = checkCatalog(catalog, sites, compiled);
    expect(problems).toEqual([]);
    expect(facts.join('\n')).toContain('275 compiled symbols of Debian 6.1.0-56-amd64: 264 lead to one tree');
    expect(facts.join('\n')).toContain('11 to candidates');
  });

  it('fails on a site without a tree', () => {
    const { problems } = checkCatalog(
      catalog.filter((tree) => tree.id !== 'epoll-watches'),
      sites,
      compiled,
    );
    expect(problems).toContainEqual(
      expect.stringMatching(/no tree for ep_rbtree_insert \(fs\/eventpoll\.c:\d+\) of 6\.1/),
    );
    expect(problems).toContainEqual(':do_epoll_ctl: no tree');
  });

  it('fails on a function that inserts in none of the kernels it names', () => {
    const wrong = { function: 'ep_insert_everything', file: 'fs/eventpoll.c', kernels: '6.1-6.12' };
    const { problems } = checkCatalog(
      catalog.map((tree) =>
        tree.id === 'epoll-watches' ? { ...tree, inserted_by: [...tree.inserted_by, wrong] } : tree,
      ),
      sites,
      compiled,
    );
    expect(problems).toContain('epoll-watches: ep_insert_everything (fs/eventpoll.c) inserts nowhere in 6.1');
  });

  it('fails on duplicates', () => {
    const first = catalog.find((tree) => tree.id === 'epoll-watches');
    if (!first) throw new Error('no such tree');
    const { problems } = checkCatalog([...catalog, { ...first, name: 'another name' }], sites, compiled);
    expect(problems).toContain('two trees have the id "epoll-watches"');
    expect(problems).toContainEqual(
      expect.stringContaining('ep_rbtree_insert fs/eventpoll.c inserts into epoll-watches, epoll-watches but at'),
    );
  });
});
