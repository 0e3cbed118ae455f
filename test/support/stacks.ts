import { Census } from '../../src/census/census.ts';
import type { Frame } from '../../src/census/stack-table.ts';

/**
 * A census from a drawing: one column for each stack, innermost frame on top, the count (and the process) above it.
 *
 *     12 db_bench           3
 *     rb_insert_color       rb_insert_color
 *     ? timerqueue_add      ext4_es_insert [ext4]
 *     </IRQ>                main (a.out)
 */
export function stacks(drawing: string, target = ''): Census {
  const lines = drawing.split('\n').filter((line) => line.trim() !== '');
  const head = lines[0] ?? '';
  const starts = [...head.matchAll(/\S+(?: \S+)*/g)].map((match) => match.index);
  const census = new Census();
  for (const [i, start] of starts.entries()) {
    const cells = lines.map((line) => line.slice(start, starts[i + 1]).trim());
    const [count = '', comm = ''] = (cells[0] ?? '').split(' ');
    const frames = cells
      .slice(1)
      .filter((cell) => cell !== '')
      .map((cell) => frame(census, cell));
    census.add(
      { stack: census.stack(frames), comm, ...(target !== '' && { target: census.target(target) }) },
      Number(count),
    );
  }
  return census;
}

function frame(census: Census, cell: string): Frame {
  if (/^<.*>$/.test(cell)) return { symbol: census.symbols.intern(cell, '', 'marker'), offset: -1 };
  const parts = /^(\? )?(\S+?)(?:\+(\d+))?(?: \[(\S+)\]| \((\S+)\))?$/.exec(cell);
  if (!parts) throw new Error(`cannot read the frame '${cell}'`);
  const [, doubt, name = '', offset, module, file] = parts;
  const symbol = census.symbols.intern(name, module ?? file ?? '', file === undefined ? 'kernel' : 'user');
  return { symbol, offset: offset === undefined ? -1 : Number(offset), unreliable: doubt !== undefined };
}
