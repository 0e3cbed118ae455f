import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import { PORTS } from './guest.ts';
import { hostTscKhz } from './host-tsc.ts';
import type { LabSettings } from './options.ts';

/** What QEMU is started with. Paths are the host's. */
export interface MachineOptions {
  readonly qemu: string;
  readonly accelerator: 'kvm' | 'tcg';
  readonly image: string;
  readonly initramfs: string;
  readonly settings: LabSettings;
  /** The file of the data disk. */
  readonly disk: string;
  /** Directories by 9p mount tag. */
  readonly shares: readonly { readonly tag: string; readonly path: string; readonly writable: boolean }[];
  /** Removed when the machine has ended, however it ends. */
  readonly scratch: string;
}

/** A running machine. It ends with {@link Machine.kill} or with this process, even if that is killed. */
export interface Machine {
  readonly console: Readable;
  /** What QEMU itself has to say. */
  readonly complaints: Readable;
  readonly stdout: Duplex;
  readonly stderr: Duplex;
  readonly stdin: Duplex;
  readonly control: Duplex;
  /** Resolves when the process is gone and its scratch directory is removed. */
  readonly ended: Promise<void>;
  kill(): void;
}

/**
 * Starts QEMU and waits for it or for the end of file descriptor 3, which is held by the caller alone:
 * that comes when the caller ends in whatever way. Everything is done by process id.
 * Descriptors 4 to 7 are the ports; the supervisor gives its copies away, so that their end is seen.
 */
const SUPERVISOR = `
scratch=$1
shift
"$@" 3<&- &
qemu=$!
exec 4<&- 5<&- 6<&- 7<&- 2> /dev/null
{ read -r _ <&3; kill -9 $qemu; } &
lifeline=$!
exec 3<&-
wait $qemu
kill $lifeline
rm -rf "$scratch"
`;

const FIRST_PORT_DESCRIPTOR = 4;

/** A firmware that does nothing but start the kernel; it comes with QEMU. */
const QUICK_FIRMWARE = '/usr/share/qemu/qboot.rom';

const KERNEL_PARAMETERS = [
  'console=ttyS0',
  'quiet',
  // A panic ends the machine at once: QEMU does not reboot.
  'panic=-1',
  // A kernel with a fault of its own goes on after killing whoever was running, and counts what then happens.
  'oops=panic',
  'random.trust_cpu=on',
  // The self-tests of the cryptography take half a second under emulation.
  'cryptomgr.notests',
];

/**
 * QEMU's time stamp counters agree with each other and are the host's. Left to doubt that, the kernel reads the time
 * from an emulated device, which makes every clock_gettime(2) slow. Believing it without knowing the frequency would
 * be worse.
 */
function emulationParameters(): string[] {
  const khz = hostTscKhz();
  return khz === undefined ? [] : ['no_timer_check', 'tsc=reliable', `tsc_early_khz=${khz}`];
}

export function startMachine(options: MachineOptions): Machine {
  const child = spawn(
    '/bin/sh',
    ['-c', SUPERVISOR, 'whocalls-lab', options.scratch, options.qemu, ...qemuArguments(options)],
    // Its own process group: a Ctrl-C of the terminal is for COMMAND, not for QEMU.
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'], detached: true, cwd: '/' },
  );
  const lifeline = streamOf(child, 3);
  const port = (number: number): Duplex => streamOf(child, FIRST_PORT_DESCRIPTOR + number - 1);
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  return {
    console: streamOf(child, 1),
    complaints: streamOf(child, 2),
    stdout: port(PORTS.stdout),
    stderr: port(PORTS.stderr),
    stdin: port(PORTS.stdin),
    control: port(PORTS.control),
    ended,
    kill: () => {
      lifeline.destroy();
    },
  };
}

function streamOf(child: ChildProcess, descriptor: number): Duplex {
  const stream = child.stdio[descriptor] as Duplex | null | undefined;
  if (!stream) throw new Error(`descriptor ${descriptor} of the supervisor is no pipe`);
  stream.on('error', () => {}); // QEMU is gone: told by `ended`
  return stream;
}

function qemuArguments(options: MachineOptions): string[] {
  const args = ['-nodefaults', '-no-user-config', '-display', 'none', '-vga', 'none', '-no-reboot'];
  args.push('-machine', 'q35');
  args.push('-accel', options.accelerator === 'tcg' ? 'tcg,thread=multi' : 'kvm');
  args.push('-cpu', options.accelerator === 'tcg' ? 'max' : 'host');
  args.push('-smp', String(options.settings.cpus), '-m', `${options.settings.memory}M`);
  args.push('-kernel', options.image, '-initrd', options.initramfs);
  if (existsSync(QUICK_FIRMWARE)) args.push('-bios', QUICK_FIRMWARE);
  const emulation = options.accelerator === 'tcg' ? emulationParameters() : [];
  args.push('-append', [...KERNEL_PARAMETERS, ...emulation, options.settings.append].join(' ').trim());
  args.push('-serial', 'stdio', '-rtc', 'base=utc');
  args.push('-device', 'virtio-serial-pci,max_ports=8');
  for (const [name, number] of Object.entries(PORTS)) {
    args.push('-chardev', `socket,id=${name},fd=${FIRST_PORT_DESCRIPTOR + number - 1}`);
    args.push('-device', `virtserialport,chardev=${name},nr=${number},name=whocalls.${name}`);
  }
  for (const { tag, path, writable } of options.shares) {
    const access = writable ? 'multidevs=remap' : 'readonly=on,multidevs=remap';
    args.push('-fsdev', `local,id=${tag},path=${comma(path)},security_model=none,${access}`);
    args.push('-device', `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`);
  }
  // A full host disk is an I/O error for the guest, not a machine that stands still.
  const errors = 'werror=report,rerror=report';
  args.push('-drive', `file=${comma(options.disk)},if=none,id=data,format=raw,cache=unsafe,${errors}`);
  args.push('-device', 'virtio-blk-pci,drive=data');
  return args;
}

/** A comma separates QEMU's options; doubled it is part of a value. */
function comma(value: string): string {
  return value.replaceAll(',', ',,');
}
