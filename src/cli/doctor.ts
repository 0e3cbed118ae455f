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
      process.stdout.write(format === 'json' ? `${JSON.stringify({ findings })}\n` : table(gathered(findings)));
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

/** Features that are there share one line; of one that is missing it matters what for. */
function gathered(findings: readonly Finding[]): Finding[] {
  const isThere = ({ kind, works }: Finding) => kind === 'feature' && works;
  const names = findings.filter(isThere).map(({ what }) => what);
  const rest = findings.filter((finding) => !isThere(finding));
  if (names.length === 0) return rest;
  const line: Finding = { kind: 'feature', what: 'features', works: true, detail: names.join(', ') };
  const at = rest.findIndex(({ kind }) => kind === 'feature' || kind === 'lab');
  return at < 0 ? [...rest, line] : rest.toSpliced(at, 0, line);
}

function table(findings: readonly Finding[]): string {
  const colour = hasColour();
  const width = Math.max(...findings.map(({ what }) => what.length)) + 2;
  const lines = findings.map(({ what, works, detail }) => {
    const mark = works ? 'yes' : 'no ';
    const shown = colour ? `\u001b[${works ? 32 : 31}m${mark}\u001b[0m` : mark;
    return `${what.padEnd(width)}${shown}  ${detail}`;
  });
  return `${lines.join('\n')}\n`;
}
