# shellcheck shell=dash
# What init and agent share. Before they read this they have set b (busybox) and read their settings.
: "${b:?}" "${complaint:?}"

# Switches the machine off.
off() {
  echo 1 > /proc/sys/kernel/sysrq
  echo o > /proc/sysrq-trigger
  "$b" sleep 60
}

# Says on the console why the guest gives up, and switches the machine off.
fail() {
  echo "$complaint $*" > /dev/console
  off
}
