import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { findProgram } from './programs.ts';

/** Whether this is a distribution whose packages can be had. */
export function hasApt(): boolean {
  return ['apt-get', 'apt-cache', 'dpkg'].every((program) => findProgram(program) !== undefined);
}

/** Names in the package lists that begin like this; empty if the lists were never fetched. */
export function packageNames(prefix: string): string[] {
  return apt('apt-cache', ['pkgnames', prefix])
    .stdout.split('\n')
    .filter((name) => name !== '');
}

/** Megabytes (10^6) to download for a package, undefined if it is not offered. */
export function downloadSize(name: string): number | undefined {
  const { stdout } = apt('apt-cache', ['show', '--no-all-versions', name]);
  const bytes = /^Size: (\d+)$/m.exec(stdout)?.[1];
  return bytes === undefined ? undefined : Math.ceil(Number(bytes) / 1e6);
}

/** Megabytes (10^6) that installing packages would download, what they depend on included. Changes nothing. */
export function installSize(packages: readonly string[]): number {
  const { stdout } = apt('apt-get', ['--print-uris', '--yes', '--no-install-recommends', 'install', ...packages]);
  // 'http://…/cpio_2.13_amd64.deb' cpio_2.13_amd64.deb 245232 SHA256:…
  const sizes = [...stdout.matchAll(/^'.*' \S+ (\d+) /gm)].map(([, size]) => Number(size));
  return Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / 1e6);
}

export function updateLists(): void {
  mustApt(['update'], 'fetch the package lists');
}

export function installPackages(packages: readonly string[]): void {
  mustApt(['--yes', '--no-install-recommends', 'install', ...packages], `install ${packages.join(', ')}`);
}

/** Downloads a package and unpacks it into `directory`, without installing it; needs no root. */
export function unpackPackage(name: string, directory: string): void {
  mkdirSync(directory, { recursive: true });
  mustApt(['download', name], `download ${name}`, directory);
  const archive = readdirSync(directory).find((file) => file.endsWith('.deb'));
  if (archive === undefined) throw new UserError(`apt-get download ${name} left no package`);
  const { status, stderr } = apt('dpkg', ['-x', join(directory, archive), directory]);
  if (status !== 0) throw new UserError(`cannot unpack ${archive}: ${stderr.trim()}`);
}

function mustApt(args: readonly string[], what: string, cwd?: string): void {
  const { status, stderr } = apt('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], cwd);
  if (status !== 0)
    throw new UserError(`cannot ${what}: apt-get ${args.join(' ')} failed: ${stderr.trim().split('\n').at(-1)}`);
}

function apt(command: string, args: readonly string[], cwd?: string): SpawnSyncReturns<string> {
  // Its output is parsed, and a question would wait for ever.
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const result = spawnSync(findProgram(command) ?? command, args, { encoding: 'utf8', env, cwd, maxBuffer: 1 << 28 });
  return { ...result, stdout: result.stdout ?? '', stderr: result.stderr ?? String(result.error ?? '') };
}
