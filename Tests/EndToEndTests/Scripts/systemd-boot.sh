#!/bin/sh
# Boots systemd as process 1 of namespaces of its own, with none of this host's units: sh systemd-boot.sh UNITS COMMAND
# UNITS is the folder of the administrator's units. COMMAND runs once the machine is up. Then it is switched off.
set -eu
if [ "${3:-}" != inside ]; then
  mkdir -p "$1"
  unshare -p -m -C --fork --kill-child --propagation private sh "$0" "$1" "" inside >boot.log 2>&1 &
  shell=$!
  for _ in $(seq 100); do
    first=$(pgrep -P $shell | head -n 1) || true
    enter="nsenter -t $first -m -p -C env -C $PWD"
    if [ -n "$first" ] && $enter systemctl is-active multi-user.target >/dev/null 2>&1; then break; fi
    sleep 0.1
  done
  status=0
  $enter sh -c "$2" || status=$?
  # As poweroff(8) does it: units are stopped in their order.
  kill -s RTMIN+4 "$first"
  wait $shell || true
  exit $status
fi
mount -t proc proc /proc
for folder in /run/systemd /run/stack /run/netns; do
  mkdir -p $folder
  mount -t tmpfs -o mode=755 tmpfs $folder
done
mount --bind "$1" /etc/systemd/system
# What a distribution wants at each start would touch the machine.
mkdir -p /run/systemd/empty
for folder in /lib/systemd/system/*.wants; do mount --bind /run/systemd/empty "$folder"; done
exec env -i container=throwaway "PATH=$PATH" /lib/systemd/systemd --system --unit=multi-user.target \
  --log-target=console --show-status=no
