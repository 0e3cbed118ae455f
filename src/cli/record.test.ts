import { expect, it } from 'vitest';
import { parseOnly } from './command.ts';
import { keepingSeparator } from './own-arguments.ts';
import { command, planOf } from './record.ts';

async function plan(...args: string[]) {
  const parsed = command();
  await parseOnly(parsed, keepingSeparator(args));
  return planOf(parsed.args, parsed.opts());
}

it('takes the short options of perf, before COMMAND only', async () => {
  const { targets, command, filter, durationSeconds } = await plan(
    ...['vfs_read,vfs_write', '-a', '-p', '12,13', '-C', '0,2-3', '-d', '5s', '--', 'perf', '-p', '1', '--', '-d'],
  );
  expect(targets).toEqual(['vfs_read,vfs_write']);
  expect(command).toEqual(['perf', '-p', '1', '--', '-d']);
  expect([filter?.pids, filter?.cpus, durationSeconds]).toEqual([[12, 13], [0, 2, 3], 5]);
});

it('refuses what does not go together', async () => {
  await expect(plan('--', 'ls')).rejects.toThrow('name a function to count');
  await expect(plan('vfs_read', '--only-command')).rejects.toThrow('--only-command needs a COMMAND');
  await expect(plan('vfs_read', '--by', 'argument', '--', 'ls')).rejects.toThrow('--keys comm,argN');
  await expect(plan('vfs_read', '-d', '0')).rejects.toThrow("'-d, --duration <seconds>' argument '0' is invalid");
});
