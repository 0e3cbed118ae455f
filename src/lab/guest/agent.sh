# shellcheck shell=dash
# Process 1 once the host's files are there: runs COMMAND and relays its streams over virtio-serial ports.
# It uses only what busybox has, because nothing can be assumed about the host's programs. Its only argument is where the
# lab keeps its things; the settings there (src/lab/guest.ts) say:
#   complaint                        how lines begin that say why the guest gives up
#   port_stdout, _stderr, _stdin, _control   numbers of the ports
#   scheduler                        I/O scheduler of the data disk
#   modules                          the kernel's modules, as a path of the host
#   directory                        where COMMAND starts
#   mount_shares, make_folders, collect_files      functions for what is shared and what is copied back

d=$1
b=$d/busybox
# shellcheck source=/dev/null
. "$d/settings"
# shellcheck source=common.sh
. "$d/common"
: "${complaint:?}" "${port_stdout:?}" "${port_stderr:?}" "${port_stdin:?}" "${port_control:?}" "${directory:?}"
: "${scheduler?}" "${modules?}"

"$b" mkdir -p /dev/pts /dev/shm
"$b" mount -t devpts devpts /dev/pts
"$b" mount -t tmpfs -o mode=1777 shm /dev/shm
[ -e /dev/fd ] || "$b" ln -s /proc/self/fd /dev/fd
[ -e /dev/stdin ] || { "$b" ln -s fd/0 /dev/stdin; "$b" ln -s fd/1 /dev/stdout; "$b" ln -s fd/2 /dev/stderr; }
{
  "$b" mount -t tracefs tracefs /sys/kernel/tracing
  "$b" mount -t debugfs debugfs /sys/kernel/debug
  "$b" mount -t cgroup2 cgroup2 /sys/fs/cgroup
  "$b" mount -t bpf bpf /sys/fs/bpf
  "$b" ip link set lo up
  "$b" hostname lab
} &
mounting=$!

# Devices whose module the kernel loads when they are opened, one a line: `loop loop-control c10:237`.
make_devices() {
  [ -r "$1" ] || return
  while read -r module node numbers; do
    [ "$module" = "#" ] || [ -e "/dev/$node" ] && continue
    case $node in */*) "$b" mkdir -p "/dev/${node%/*}" ;; esac
    type=${numbers%"${numbers#?}"}
    numbers=${numbers#?}
    "$b" mknod -m 600 "/dev/$node" "$type" "${numbers%:*}" "${numbers#*:}"
  done < "$1"
}

if [ "$scheduler" ]; then
  echo "$scheduler" > /sys/block/vda/queue/scheduler || fail "the kernel has no I/O scheduler $scheduler"
fi
"$b" mount -t ext4 /dev/vda /data || fail "cannot mount the data disk"

if [ "$modules" ]; then
  tree=/lib/modules/$("$b" uname -r)
  "$b" mkdir -p "$tree"
  "$b" mount --bind "$d/host$modules" "$tree"
  # The kernel calls it as well, when a file system or a device is asked for whose module is not loaded.
  [ -x /sbin/modprobe ] || "$b" ln -s "$b" /sbin/modprobe
  make_devices "$tree/modules.devname" &
  making=$!
fi

mount_shares
# The current directory may lie where the guest has its own files, in /tmp for example.
if ! [ -d "$directory" ] && "$b" mkdir -p "$directory" "$d/lower" "$d/upper" "$d/work"; then
  "$b" mount --bind "$d/host$directory" "$d/lower" &&
    "$b" mount -t overlay -o "lowerdir=$d/lower,upperdir=$d/upper,workdir=$d/work" lab "$directory"
fi
# After that: one of them may be the current directory, which would seem to be there.
make_folders

wait $mounting ${making:+$making}
# Ports appear a moment after their driver.
tries=0
until set -- /dev/vport*p"$port_control" && [ -e "$1" ]; do
  tries=$((tries + 1))
  [ $tries -gt 1000 ] && fail "no virtio-serial ports: the kernel needs CONFIG_VIRTIO_CONSOLE"
  "$b" usleep 5000
done
port=${1%p*}p
exec 3<> "$port$port_control" 4< "$port$port_stdin"
# A port reads as ended until the host's side of it is known to be open, hence one line to wait for.
until read -r _ <&3; do "$b" usleep 2000; done
until read -r _ <&4; do "$b" usleep 2000; done

while read -r verb argument; do
  case $verb in
    signal) [ -s "$d/pid" ] && read -r pid < "$d/pid" && kill -"$argument" -"$pid" ;;
    *) off ;;
  esac
done <&3 &
control=$!
# The heartbeat, every second whatever COMMAND does: it has the highest priority, and starts no process to sleep.
"$b" mkfifo "$d/nothing"
while :; do
  echo alive
  # shellcheck disable=SC3045 # busybox has read -t
  read -r -t 1 _
done >&3 <> "$d/nothing" 3>&- 4<&- &
heartbeat=$!
"$b" renice -n -20 -p $heartbeat > /dev/null
echo -1000 > /proc/$heartbeat/oom_score_adj
keep="1 $control $heartbeat"

# A pipe's end opened on its own would wait for the other end, and be interrupted; so both are opened at once.
"$b" mkfifo "$d/stdin" "$d/stdout" "$d/stderr"
# shellcheck disable=SC2094 # both ends of one pipe
exec 5<> "$d/stdout" 6< "$d/stdout" 7> "$d/stdout" 5>&-
"$b" cat - "$d/token" <&6 > "$port$port_stdout" 3>&- 4<&- 6<&- 7>&- &
stdout=$!
# shellcheck disable=SC2094 # both ends of one pipe
exec 6<&- 5<> "$d/stderr" 6< "$d/stderr" 8> "$d/stderr" 5>&-
"$b" cat - "$d/token" <&6 > "$port$port_stderr" 3>&- 4<&- 6<&- 7>&- 8>&- &
stderr=$!
keep="$keep $stdout $stderr"
# shellcheck disable=SC2094 # both ends of one pipe
exec 6<&- 5<> "$d/stdin" 6< "$d/stdin" 9> "$d/stdin" 5>&-
"$b" cat <&4 >&9 3>&- 4<&- 6<&- 7>&- 8>&- 9>&- 2> /dev/null &
exec 4<&- 9>&-

echo ready >&3
"$b" setsid "$b" sh "$d/command" <&6 >&7 2>&8 3>&- 6<&- 7>&- 8>&-
status=$?
exec 6<&- 7>&- 8>&-

# What COMMAND left running goes with it; kernel threads have no command line.
cd /proc || fail "no /proc"
for process in [0-9]*; do
  line=
  case " $keep " in
    *" $process "*) ;;
    *) read -r line < "$process/cmdline"
       [ "$line" ] && kill -9 "$process" ;;
  esac
done 2> /dev/null
wait $stdout $stderr
collect_files
echo "exit $status" >&3
while :; do "$b" sleep 1000; done
