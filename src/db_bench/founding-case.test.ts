import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runFoundingCase } from './founding-case.ts';

test('without a folder for the database there is one of its own, which goes again; a failure is passed on', async () => {
  let out = '';
  const status = await runFoundingCase({
    num: 10,
    db: undefined,
    whocalls: ['sh', '-c', 'ls -d "$(echo "$3" | cut -c 6-)" && echo "$@" && exit 3', 'sh'], // --db=FOLDER
    out: (chunk) => {
      out += chunk;
    },
    remark: () => {},
  });
  expect(status).toBe(3);
  const [folder = '', words] = out.split('\n');
  expect(words).toBe(`db_bench --benchmarks=fillseq,fillrandom --db=${folder} --num=10 --write_buffer_size=65536`);
  expect(existsSync(folder)).toBe(false);
});
