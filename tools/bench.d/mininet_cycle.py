"""One up and down of N web servers in Mininet, for tools/bench: prints up_ms and down_ms. Needs Mininet's own Python."""

import os
import sys
import time
import urllib.request

from mininet.net import Mininet
from mininet.nodelib import LinuxBridge

COUNT = int(sys.argv[1])
ROOTFS = os.environ.get("ROOTFS", "/run/throwaway/work/rootfs")

begin = time.monotonic()
network = Mininet(switch=LinuxBridge, controller=None, ipBase="10.82.0.0/16")
switch = network.addSwitch("s1")
hosts = [network.addHost(f"h{k}", ip=f"10.82.{(k + 2) >> 8}.{(k + 2) & 255}/16") for k in range(COUNT)]
for host in hosts:
    network.addLink(host, switch)
network.start()
for host in hosts:
    host.cmd(f"busybox httpd -f -p 80 -h {ROOTFS}/www &")
# The root namespace is on the switch too, as Mininet's NAT examples do it.
os.system("ip address add 10.82.0.1/16 dev s1")
for host in hosts:
    while True:
        try:
            with urllib.request.urlopen(f"http://{host.IP()}/", timeout=1):
                break
        except OSError:
            time.sleep(0.0005)
up = time.monotonic()
network.stop()
down = time.monotonic()
print(f"up_ms={(up - begin) * 1e3:.1f} down_ms={(down - up) * 1e3:.1f}")
