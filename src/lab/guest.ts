/**
 * The guest's side: two shell scripts, run by a static busybox.
 * `init` is process 1 in the initial file system: it loads modules, mounts the host and hands over.
 * `agent` is process 1 from then on: it runs COMMAND and relays its streams over virtio-serial ports.
 * Both use only what busybox has, because nothing can be assumed about the host's programs.
 */
import { dirname } from 'node:path';

/** Where the lab keeps its things in the guest; `/run` is the guest's own. */
export const GUEST_DIRECTORY = '/run/whocalls';

/** Modules the guest cannot start without. One that is built in need not be listed in a tree. */
export const NEEDED_MODULES = ['virtio_pci', '9p', '9pnet_virtio', 'overlay'] as const;

/** Modules loaded while the host's files are being mounted. ext4 asks for crc32c by algorithm: no dependency names it. */
export const LATER_MODULES = ['virtio_console', 'virtio_blk', 'crc32c_generic', 'ext4'] as const;

/** Lines on the console with this start are the guest saying why it gives up. */
export const COMPLAINT = 'whocalls-lab:';

/** Numbers of the virtio-serial ports. */
export const PORTS = { stdout: 1, stderr: 2, stdin: 3, control: 4 } as const;

const SHARED = `
b=/bin/busybox
off() {
  echo 1 > /proc/sys/kernel/sysrq
  echo o > /proc/sysrq-trigger
  $b sleep 60
}
fail() {
  echo "${COMPLAINT} $*" > /dev/console
  off
}
`;

/** Process 1 of the initial file system. */
export const INIT_SCRIPT = `#!/bin/busybox sh
${SHARED}
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
load() {
  while read -r module; do
    $b insmod "/lib/$module.ko" || fail "cannot load the kernel module $module"
  done < "$1"
}
load /lib/order
load /lib/order-later &

$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 host /host ||
  fail "cannot mount the host's files: the kernel needs CONFIG_NET_9P_VIRTIO and CONFIG_9P_FS"
# One tmpfs holds everything written outside /data and the shares: half of the memory, then "no space left".
$b mount -t tmpfs -o mode=755 lab /scratch
$b mkdir /scratch/upper /scratch/work /scratch/tmp /scratch/run
$b chmod 1777 /scratch/tmp
$b mount -t overlay -o lowerdir=/host,upperdir=/scratch/upper,workdir=/scratch/work lab /root ||
  fail "cannot mount an overlay: the kernel needs CONFIG_OVERLAY_FS"
for directory in dev proc sys tmp run data; do
  [ -d /root/$directory ] || $b mkdir -p /root/$directory
done
$b mount --bind /scratch/tmp /root/tmp
$b mount --bind /scratch/run /root/run
for directory in dev proc sys; do $b mount --move /$directory /root/$directory; done
$b mkdir -p /root${GUEST_DIRECTORY}/host
$b mount --move /host /root${GUEST_DIRECTORY}/host
$b cp /bin/busybox /lab/* /root${GUEST_DIRECTORY}/
wait
exec $b switch_root /root ${GUEST_DIRECTORY}/busybox sh ${GUEST_DIRECTORY}/agent
`;

/** Process 1 once the host's files are there. The variables of `settings` come from {@link agentSettings}. */
export const AGENT_SCRIPT = `
${SHARED}
d=${GUEST_DIRECTORY}
b=$d/busybox
. $d/settings

$b mkdir -p /dev/pts /dev/shm
$b mount -t devpts devpts /dev/pts
$b mount -t tmpfs -o mode=1777 shm /dev/shm
[ -e /dev/fd ] || $b ln -s /proc/self/fd /dev/fd
[ -e /dev/stdin ] || { $b ln -s fd/0 /dev/stdin; $b ln -s fd/1 /dev/stdout; $b ln -s fd/2 /dev/stderr; }
{
  $b mount -t tracefs tracefs /sys/kernel/tracing
  $b mount -t debugfs debugfs /sys/kernel/debug
  $b mount -t cgroup2 cgroup2 /sys/fs/cgroup
  $b mount -t bpf bpf /sys/fs/bpf
  $b ip link set lo up
  $b hostname lab
} &
mounting=$!

if [ "$disk" ]; then
  if [ "$scheduler" ]; then
    echo "$scheduler" > /sys/block/vda/queue/scheduler || fail "the kernel has no I/O scheduler $scheduler"
  fi
  $b mount -t ext4 /dev/vda /data || fail "cannot mount the data disk"
fi
if [ "$modules" ]; then
  release=$($b uname -r)
  $b mkdir -p "/lib/modules/$release"
  $b mount --bind "$d/host$modules" "/lib/modules/$release"
fi
mount_shares
# The current directory may lie where the guest has its own files, in /tmp for example.
if ! [ -d "$directory" ] && $b mkdir -p "$directory" $d/lower $d/upper $d/work; then
  $b mount --bind "$d/host$directory" $d/lower &&
    $b mount -t overlay -o lowerdir=$d/lower,upperdir=$d/upper,workdir=$d/work lab "$directory"
fi

wait $mounting
# Ports appear a moment after their driver.
tries=0
until set -- /dev/vport*p${PORTS.control} && [ -e "$1" ]; do
  tries=$((tries + 1))
  [ $tries -gt 1000 ] && fail "no virtio-serial ports: the kernel needs CONFIG_VIRTIO_CONSOLE"
  $b usleep 5000
done
port=${'$'}{1%p*}p
exec 3<> "$port"${PORTS.control} 4< "$port"${PORTS.stdin}
# A port reads as ended until the host's side of it is known to be open, hence one line to wait for.
until read -r hello <&3; do $b usleep 2000; done
until read -r hello <&4; do $b usleep 2000; done

while read -r verb argument; do
  case $verb in
    signal) [ -s $d/pid ] && read -r pid < $d/pid && kill -"$argument" -"$pid" ;;
    *) off ;;
  esac
done <&3 &
control=$!
# A sign of life every second, whatever COMMAND does: it goes before other processes, and starts none for its sleep.
$b mkfifo $d/nothing
while :; do
  echo alive
  read -r -t 1 nothing
done >&3 <> $d/nothing 3>&- 4<&- &
heartbeat=$!
$b renice -n -20 -p $heartbeat > /dev/null
echo -1000 > /proc/$heartbeat/oom_score_adj
keep="1 $control $heartbeat"

# A pipe's end opened on its own would wait for the other end, and be interrupted; so both are opened at once.
$b mkfifo $d/stdin $d/stdout $d/stderr
exec 5<> $d/stdout 6< $d/stdout 7> $d/stdout 5>&-
$b cat - $d/token <&6 > "$port"${PORTS.stdout} 3>&- 4<&- 6<&- 7>&- &
stdout=$!
exec 6<&- 5<> $d/stderr 6< $d/stderr 8> $d/stderr 5>&-
$b cat - $d/token <&6 > "$port"${PORTS.stderr} 3>&- 4<&- 6<&- 7>&- 8>&- &
stderr=$!
keep="$keep $stdout $stderr"
exec 6<&- 5<> $d/stdin 6< $d/stdin 9> $d/stdin 5>&-
$b cat <&4 >&9 3>&- 4<&- 6<&- 7>&- 8>&- 9>&- 2> /dev/null &
exec 4<&- 9>&-

echo ready >&3
$b setsid $b sh $d/command <&6 >&7 2>&8 3>&- 6<&- 7>&- 8>&-
status=$?
exec 6<&- 7>&- 8>&-

# What COMMAND left running goes with it; kernel threads have no command line.
cd /proc
for process in [0-9]*; do
  line=
  case " $keep " in
    *" $process "*) ;;
    *) read -r line < $process/cmdline
       [ "$line" ] && kill -9 $process ;;
  esac
done 2> /dev/null
wait $stdout $stderr
collect_files
echo "exit $status" >&3
while :; do $b sleep 1000; done
`;

/** What {@link guestSettings} needs to know of one run. */
export interface GuestSettings {
  readonly command: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Directories mounted read-write at the same path; the tag of each is `share` and its index. */
  readonly shares: readonly string[];
  /** Files copied out after COMMAND, into the share tagged `files` under their index. */
  readonly collect: readonly string[];
  readonly disk: boolean;
  readonly scheduler: string | undefined;
  /** The kernel's modules, as a path of the host. */
  readonly modules: string | undefined;
}

/** The agent's settings as a script that defines variables and functions. */
export function guestSettings(settings: GuestSettings): string {
  const mount = 'trans=virtio,version=9p2000.L,cache=mmap,msize=512000';
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
    `disk=${settings.disk ? 'yes' : ''}`,
    `scheduler=${quote(settings.scheduler ?? '')}`,
    `modules=${quote(settings.modules ?? '')}`,
    `directory=${quote(settings.directory)}`,
    'mount_shares() {',
    ...shares,
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
export function commandScript({ command, directory, environment }: GuestSettings): string {
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
