import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { pause } from '../../pause.ts';
import { Refused } from '../refusals/refused.ts';
import { RunNames } from './leftover-names.ts';

const NAMES = new RunNames('-');
const KILL_WAIT_MILLISECONDS = 20;

/** A cgroup (version 2) of its own for COMMAND, so that its descendants are known wherever they go. */
export class CommandCgroup {
  /** Descriptor of the cgroup's directory, as BPF maps of cgroups want it. */
  readonly descriptor: number;
  readonly #directory: string;
  /** A mount made for this run, null where cgroup2 was mounted already. */
  readonly #mount: string | null;

  /** @throws {Refused} where the machine has no cgroups of version 2 or none can be made */
  constructor() {
    const mounted = cgroupMount();
    this.#mount = mounted === null ? mountPrivately() : null;
    const root = mounted ?? this.#mount ?? '';
    sweep(root);
    this.#directory = join(root, NAMES.own);
    try {
      mkdirSync(this.#directory);
      this.descriptor = openSync(this.#directory, 'r');
    } catch (error) {
      this.#unmount();
      throw new Refused({ code: 'own-cgroup', step: 'make', why: messageOf(error) }, { cause: error });
    }
  }

  /**
   * Moves a process, with all it will start, into the cgroup.
   * @throws {Refused} where the kernel refuses
   */
  add(pid: number): void {
    try {
      writeFileSync(join(this.#directory, 'cgroup.procs'), String(pid));
    } catch (error) {
      throw new Refused({ code: 'own-cgroup', step: 'join', why: messageOf(error) }, { cause: error });
    }
  }

  /** Removes the cgroup; processes that COMMAND left behind go back to the root. */
  close(): void {
    closeSync(this.descriptor);
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        rmdirSync(this.#directory);
        break;
      } catch {
        // a process that ended a moment ago, or one that was left behind
        moveAll(this.#directory, join(this.#directory, '..'));
        pause(KILL_WAIT_MILLISECONDS);
      }
    }
    this.#unmount();
  }

  #unmount(): void {
    if (this.#mount === null) return;
    spawnSync('umount', ['-l', this.#mount]);
    try {
      rmdirSync(this.#mount);
    } catch {
      // still mounted: nothing more can be done about it
    }
  }
}

/** Where cgroup2 is mounted, null where it is not. */
function cgroupMount(): string | null {
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, directory, type] = line.split(' ');
    if (type === 'cgroup2' && directory) return directory;
  }
  return null;
}

function mountPrivately(): string {
  const directory = mkdtempSync(join(tmpdir(), NAMES.prefix));
  const { status, stderr } = spawnSync('mount', ['-t', 'cgroup2', 'none', directory], { encoding: 'utf8' });
  if (status === 0) return directory;
  rmdirSync(directory);
  throw new Refused({ code: 'own-cgroup', step: 'mount', why: (stderr ?? '').trim() });
}

/** Removes cgroups of runs that were killed. */
function sweep(root: string): void {
  for (const name of NAMES.ofTheDead(readdirSync(root))) {
    moveAll(join(root, name), root);
    try {
      rmdirSync(join(root, name));
    } catch {
      // somebody else's, or removed meanwhile
    }
  }
}

function moveAll(from: string, to: string): void {
  try {
    for (const pid of readFileSync(join(from, 'cgroup.procs'), 'utf8').split('\n')) {
      if (pid === '') continue;
      writeFileSync(join(to, 'cgroup.procs'), pid);
    }
  } catch {
    // gone meanwhile
  }
}
