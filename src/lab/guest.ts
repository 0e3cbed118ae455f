/**
 * What the host tells the guest's side: two shell scripts (`src/lab/guest/`), run by a static busybox.
 * `init` is process 1 in the initial file system: it loads modules, mounts the host and hands over.
 * `agent` is process 1 from then on: it runs COMMAND and relays its streams over virtio-serial ports.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LabKernel } from './kernels.ts';
import type { LabSettings } from './options.ts';

/** Where the lab keeps its things in the guest; `/run` is the guest's own. */
export const GUEST_DIRECTORY = '/run/whocalls';

/** Modules the guest cannot start without. One that is built in need not be listed in a tree. */
export const NEEDED_MODULES = ['virtio_pci', '9p', '9pnet_virtio', 'overlay'] as const;

/** Modules loaded while the host's files are being mounted. ext4 asks for crc32c by algorithm: no dependency names it. */
const LATER_MODULES = ['virtio_console', 'virtio_blk', 'crc32c_generic', 'ext4'] as const;

/** Every module the guest loads, but for what these depend on. */
export function guestModules(scheduler?: string): string[] {
  return [...NEEDED_MODULES, ...LATER_MODULES, ...(scheduler === 'bfq' ? ['bfq'] : [])];
}

/** Lines on the console with this start are the guest saying why it gives up. */
export const COMPLAINT = 'whocalls-lab:';

/** Numbers of the virtio-serial ports. */
export const PORTS = { stdout: 1, stderr: 2, stdin: 3, control: 4 } as const;

/**
 * A script of the guest, from `src/lab/guest/`; in the built package those lie beside `index.js`, and beside `cli/` with
 * the program.
 */
export function guestScript(name: 'init' | 'agent' | 'common'): string {
  const places = ['./guest/', '../guest/'].map((place) =>
    fileURLToPath(new URL(`${place}${name}.sh`, import.meta.url)),
  );
  const file = places.find(existsSync);
  if (file === undefined)
    throw new Error(`the script ${name}.sh of the guest is missing: build it with "npm run build"`);
  return readFileSync(file, 'utf8');
}

/** What the guest has to know of one run. */
export interface GuestRun {
  readonly command: readonly string[];
  readonly settings: LabSettings;
  readonly kernel: LabKernel;
}

/** The settings of both scripts, as a script that defines variables and functions. */
export function guestSettings({ settings, kernel }: GuestRun): string {
  const mount = 'trans=virtio,version=9p2000.L,cache=mmap,msize=512000';
  // The tag of a share is `share` and its index.
  const shares = settings.shares.map(
    (path, index) =>
      `$b mkdir -p ${quote(path)} && $b mount -t 9p -o ${mount} share${index} ${quote(path)} || fail "cannot mount a share"`,
  );
  // A folder below the host's /tmp or /run is not there in the guest, which has its own.
  const folders = settings.collect.map((path) => `$b mkdir -p ${quote(dirname(path))}`);
  const files = settings.collect.map(
    (path, index) => `[ -f ${quote(path)} ] && $b cp ${quote(path)} $d/files/${index}`,
  );
  return [
    `guest=${GUEST_DIRECTORY}`,
    `complaint=${COMPLAINT}`,
    ...Object.entries(PORTS).map(([name, number]) => `port_${name}=${number}`),
    `scheduler=${quote(settings.scheduler ?? '')}`,
    `modules=${quote(kernel.modules ?? '')}`,
    `directory=${quote(settings.directory)}`,
    'mount_shares() {',
    ...shares,
    ':',
    '}',
    'make_folders() {',
    ...folders,
    ':',
    '}',
    'collect_files() {',
    ...(files.length === 0 ? [] : [`$b mkdir -p $d/files && $b mount -t 9p -o ${mount} files $d/files`, ...files]),
    ...settings.shares.map((path) => `$b umount ${quote(path)} 2> /dev/null || $b sync -f ${quote(path)}`),
    files.length === 0 ? ':' : '$b umount $d/files',
    '}',
    '',
  ].join('\n');
}

/**
 * The script that becomes COMMAND: its process id is known before it starts, and it leads a group for signals.
 * COMMAND is looked up in PATH here, because busybox would run its own `sh` or `ls` in place of the host's.
 */
export function commandScript({ command, settings, kernel }: GuestRun): string {
  const { directory } = settings;
  const environment: LabSettings['environment'] = { ...settings.environment, WHOCALLS_LAB: kernel.release ?? 'yes' };
  const variables = Object.entries(environment)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => quote(`${name}=${value}`));
  const [name = '', ...args] = command;
  const path = (environment.PATH ?? '/usr/bin:/bin').split(':').map((part) => quote(part || '.'));
  return [
    `echo $$ > ${GUEST_DIRECTORY}/pid`,
    ...(environment.TMPDIR ? [`[ -d ${quote(environment.TMPDIR)} ] || mkdir -p ${quote(environment.TMPDIR)}`] : []),
    `cd ${quote(directory)} || exit 127`,
    `name=${quote(name)}`,
    `program=${quote(name.includes('/') ? name : '')}`,
    `[ "$program" ] || for part in ${path.join(' ')}; do`,
    '  [ -f "$part/$name" ] && [ -x "$part/$name" ] && program=$part/$name && break',
    'done',
    '[ "$program" ] || { echo "whocalls: $name: command not found in the guest" >&2; exit 127; }',
    `exec ${GUEST_DIRECTORY}/busybox env -i ${variables.join(' ')} "$program" ${args.map(quote).join(' ')}`,
    '',
  ].join('\n');
}

/** A word for the shell that stands for exactly this text. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Directories where the guest has its own files instead of the host's. */
const GUESTS_OWN = ['/dev', '/proc', '/sys', '/tmp', '/run', '/data'];

/** Where the guest sees a file of the host: at the same path, unless the guest has its own files there. */
export function guestPath(path: string): string {
  const hidden = GUESTS_OWN.some((directory) => path.startsWith(`${directory}/`));
  return hidden ? `${GUEST_DIRECTORY}/host${path}` : path;
}
