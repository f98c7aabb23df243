#!/bin/sh
# two-docker-nodes.sh FOLDER: two Docker daemons, each in a network namespace of its own, joined to one swarm.
#
# Their sockets are FOLDER/1.sock and FOLDER/2.sock. The images that $IMAGES names hold busybox on both. The file
# FOLDER/ready says that the swarm stands. The daemons end with the throwaway host.
set -eu
folder=$1
mkdir -p "$folder"
for node in 1 2; do ip netns add "node$node"; done
ip link add node-a netns node1 type veth peer name node-b netns node2
for pair in 1:a 2:b; do
  node=${pair%:*}
  ip -n "node$node" address add "10.99.0.$node/24" dev "node-${pair#*:}"
  ip -n "node$node" link set "node-${pair#*:}" up
  ip -n "node$node" link set lo up
  # A daemon wants a default route to name its own address by.
  ip -n "node$node" route add default dev "node-${pair#*:}"
done
for node in 1 2; do
  ip netns exec "node$node" unshare -m --propagation private sh -c "
    mount -t cgroup2 none /sys/fs/cgroup
    exec dockerd --data-root $folder/$node.data --exec-root $folder/$node.exec --pidfile $folder/$node.pid \
      -H unix://$folder/$node.sock --storage-driver vfs" >"$folder/$node.log" 2>&1 &
done
on() { node=$1; shift; docker -H "unix://$folder/$node.sock" "$@"; }
for node in 1 2; do
  tries=0
  until on $node info >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || { tail -20 "$folder/$node.log" >&2; exit 1; }
    sleep 0.2
  done
done
mkdir -p "$folder/image/bin" "$folder/image/www" "$folder/image/tmp"
cp "$(command -v busybox)" "$folder/image/bin/busybox"
for name in sh sleep wget nslookup nc; do ln -sf busybox "$folder/image/bin/$name"; done
for node in 1 2; do
  for image in $IMAGES; do
    tar -C "$folder/image" -c . | on $node import -c 'ENV PATH=/bin' - "$image" >/dev/null
  done
done
on 1 swarm init --advertise-addr 10.99.0.1 >/dev/null
on 2 swarm join --advertise-addr 10.99.0.2 --token "$(on 1 swarm join-token -q worker)" 10.99.0.1:2377 >/dev/null
touch "$folder/ready"
wait
