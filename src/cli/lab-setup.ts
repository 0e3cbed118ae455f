import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { UserError } from '../errors.ts';
import { hasApt } from '../host/apt.ts';
import { installedKernels, offeredKernels } from '../lab/kernels.ts';
import { planSetup, type SetupStep } from '../lab/setup.ts';
import { newCommand } from './command.ts';

export function setupCommand(): Command {
  return newCommand('setup')
    .description('Get what the lab needs: QEMU, and stock kernels into the cache.')
    .option('--kernel <kernel>', '6.1, 6.12, a full version, or all', 'all')
    .option('--yes', 'do it without asking')
    .action((flags: { kernel: string; yes?: boolean }) => setup(flags.kernel, flags.yes === true));
}

export function kernelsCommand(): Command {
  return newCommand('kernels')
    .description('List the kernels that are installed and those that are available.')
    .action(listKernels);
}

async function setup(kernel: string, yes: boolean): Promise<void> {
  const steps = planSetup(kernel);
  if (steps.length === 0) {
    process.stdout.write(`everything is installed: ${installedReleases().join(', ')}\n`);
    return;
  }
  process.stdout.write(`whocalls lab setup will\n${steps.map(({ description }) => `  ${description}\n`).join('')}`);
  if (!yes && !(await confirmed())) throw new UserError('nothing was done; --yes goes ahead without asking');
  for (const step of steps) perform(step);
  process.stdout.write(`ready: ${installedReleases().join(', ')}\n`);
}

function perform({ description, run }: SetupStep): void {
  const terminal = process.stderr.isTTY;
  if (terminal) process.stderr.write(`\r\x1b[K${description.slice(0, (process.stderr.columns ?? 80) - 3)} …`);
  try {
    run();
  } finally {
    if (terminal) process.stderr.write('\r\x1b[K');
  }
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await questions.question('Go ahead? [y/N] ')).trim());
  } finally {
    questions.close();
  }
}

function listKernels(): void {
  process.stdout.once('error', () => {}); // whoever read it has had enough
  const here = installedKernels();
  for (const { release, image } of here) process.stdout.write(`installed  ${release?.padEnd(26)}  ${image}\n`);
  const offered = hasApt() ? offeredKernels() : [];
  for (const { release } of offered.filter((offer) => !here.some((kernel) => kernel.release === offer.release))) {
    process.stdout.write(`available  ${release.padEnd(26)}  whocalls lab setup --kernel ${release}\n`);
  }
  if (here.length + offered.length === 0) {
    process.stdout.write('no kernel is installed and none is in the package lists; --kernel takes a file\n');
  }
}

function installedReleases(): string[] {
  return installedKernels().flatMap(({ release }) => release ?? []);
}
