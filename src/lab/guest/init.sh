#!/bin/busybox sh
# shellcheck shell=dash
# Process 1 of the initial file system: loads modules, mounts the host's files and hands over to the agent.
# It uses only what busybox has. /lab/settings (src/lab/guest.ts) says:
#   guest      where the lab keeps its things in the guest: /run/whocalls
#   complaint  how lines begin that say why the guest gives up

b=/bin/busybox
# shellcheck source=/dev/null
. /lab/settings
# shellcheck source=common.sh
. /lab/common
: "${guest:?}" "${complaint:?}"

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
$b mkdir -p "/root$guest/host"
$b mount --move /host "/root$guest/host"
$b cp /bin/busybox /lab/* "/root$guest/"
wait
exec $b switch_root /root "$guest/busybox" sh "$guest/agent" "$guest"
