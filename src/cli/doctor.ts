import { type Command, Option } from 'commander';
import type { Finding } from '../capture/doctor.ts';
import { newCommand } from './command.ts';
import { hasColour } from './terminal.ts';

/** `whocalls doctor`: what this machine can do, and what prevents the rest. */
export function command(): Command {
  return newCommand('doctor')
    .description('Try out what this machine can count, and say what prevents the rest. Nothing is left behind.')
    .addOption(new Option('--format <format>', 'what to write').choices(['text', 'json']).default('text'))
    .action(async ({ format }: { format: string }) => {
      const findings = await gather();
      process.stdout.write(format === 'json' ? `${JSON.stringify({ findings })}\n` : table(findings));
      process.exitCode = findings.some(({ kind, works }) => kind === 'engine' && works) ? 0 : 1;
    });
}

async function gather(): Promise<Finding[]> {
  const [{ examine }, { labAvailability }] = await Promise.all([
    import('../capture/doctor.ts'),
    import('../lab/availability.ts'),
  ]);
  const { ready, missing, kernels } = labAvailability();
  return [
    ...(process.platform === 'linux' ? examine() : []),
    {
      kind: 'lab',
      what: 'lab',
      works: ready,
      detail: ready
        ? `virtual machines with ${kernels.map((kernel) => kernel.release).join(', ')}`
        : `missing ${missing.join(', ')} ('whocalls lab setup' gets kernels)`,
    },
  ];
}

function table(findings: readonly Finding[]): string {
  const colour = hasColour(process.stdout);
  const width = Math.max(...findings.map(({ what }) => what.length)) + 2;
  const lines = findings.map(({ what, works, detail }) => {
    const mark = works ? 'yes' : 'no ';
    const shown = colour ? `\u001b[${works ? 32 : 31}m${mark}\u001b[0m` : mark;
    return `${what.padEnd(width)}${shown}  ${detail}`;
  });
  return `${lines.join('\n')}\n`;
}
