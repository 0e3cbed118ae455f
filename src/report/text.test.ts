import { expect, test } from 'vitest';
import { stacks } from '../../test/support/stacks.ts';
import { noteLabFiles } from './lab-files-note.ts';
import { buildReport } from './report.ts';
import { textReport } from './text.ts';

const LAYOUT = { width: 100, colour: false, verbose: false };

function ofNines() {
  return stacks(
    `
    30 ls              10 ls             2 ls
    kmem_cache_alloc   kmem_cache_alloc  kmem_cache_alloc
    p9_tag_alloc       getname_flags     some_timer
    p9_client_rpc      do_sys_openat2    </IRQ>
    do_sys_openat2     do_syscall_64     p9_client_rpc
    do_syscall_64                        do_syscall_64
    `,
    'kmem_cache_alloc',
  );
}

test('the calls of the own file system of the lab are told, with the filter that leaves them out', () => {
  const census = ofNines();
  noteLabFiles(census);
  expect(textReport(buildReport(census), LAYOUT)).toContain(
    "30 of 42 calls serve the lab's own file sharing (9P); --where '!frame~^p9_client_' leaves them out.",
  );
  expect(buildReport(census, { where: '!frame~^p9_client_' }).matching).toBe(12);
  const others = stacks('1\nkmem_cache_alloc\ngetname_flags', 'kmem_cache_alloc');
  noteLabFiles(others);
  expect(others.facts.notes).toEqual([]);
});

test('that a run was interrupted stands beside the figures, once', () => {
  const census = ofNines();
  census.note({ code: 'interrupted', signal: 'SIGINT' });
  const lines = textReport(buildReport(census), LAYOUT).split('\n');
  const at = lines.findIndex((line) => line.startsWith('Total 42 calls'));
  expect(lines[at + 1]).toBe('Interrupted by SIGINT: COMMAND may not have done all its work.');
  expect(lines.filter((line) => line.startsWith('Interrupted'))).toHaveLength(1);
});
