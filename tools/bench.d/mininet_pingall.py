"""How long Mininet's pingall of N hosts on one Linux bridge takes, without making them. Prints pingall_ms=…"""

import sys
import time

from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo

setLogLevel("critical")
net = Mininet(topo=SingleSwitchTopo(int(sys.argv[1])), switch=LinuxBridge, controller=None)
net.start()
begin = time.monotonic()
lost = net.pingAll(timeout=1)
print(f"pingall_ms={(time.monotonic() - begin) * 1e3:.1f} lost={lost}")
net.stop()
