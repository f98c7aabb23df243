#!/usr/bin/env python3
"""random-topology.py SEED [--ospf | --without-denials]: prints a stack file of that number, in JSON, which is YAML too.

Every address is in the file, so that topology-oracle.py can read from it what the network must do.
--ospf makes routers find their routes by FRR. --without-denials leaves rules that deny out: a file with one is refused where
packets that it is about may take a cable."""

import heapq
import json
import random
import sys
from ipaddress import ip_interface

SEED = int(sys.argv[1])
OSPF = "--ospf" in sys.argv
DENIES = "--without-denials" not in sys.argv
chance = random.Random(SEED * 7919 + OSPF)


def happens(percent):
    return chance.randrange(100) < percent


class Topology:
    def __init__(self):
        self.networks = {}
        self.services = {}
        self.links = []
        self.rules = []
        # Interfaces of each service: segment -> addresses with their length.
        self.interfaces = {}
        # Next to each other: segment -> services.
        self.segments = {}

    def network(self, number):
        name = f"net{number}"
        subnets = [f"10.77.{number}.0/24"] + ([f"fd00:77:{number}::/64"] if happens(40) else [])
        keys = {"ipam": {"config": [{"subnet": subnet} for subnet in subnets]}}
        if len(subnets) == 2:
            keys["enable_ipv6"] = True
        if OSPF or happens(30):
            keys["internal"] = True
        if not OSPF and happens(25):
            keys["default"] = "deny"
        self.networks[name] = keys
        self.segments[name] = []
        return name

    def service(self, name, networks, **keys):
        number = 10 + len(self.services)
        joined = {}
        own = self.interfaces.setdefault(name, {})
        for network in networks:
            index = int(network[3:])
            joined[network] = {"ipv4_address": f"10.77.{index}.{number}"}
            own[network] = [f"10.77.{index}.{number}/24"]
            if "enable_ipv6" in self.networks[network]:
                joined[network]["ipv6_address"] = f"fd00:77:{index}::{number:x}"
                own[network].append(f"fd00:77:{index}::{number:x}/64")
            self.segments[network].append(name)
        shape = {"networks": joined} if networks else {"network_mode": "none"}
        self.services[name] = {"command": ["sleep", "infinity"], **shape, **keys}

    def cable(self, one, other):
        number = len(self.links)
        segment = f"cable{number}"
        is_dual = happens(50)
        ends = {}
        for place, name in enumerate((one, other), 1):
            ends[name] = [f"10.76.{number}.{place}/30"] + ([f"fd00:76:{number}::{place}/64"] if is_dual else [])
            self.interfaces[name][segment] = ends[name]
        self.links.append({"ends": ends})
        self.segments[segment] = [one, other]

    # Routes

    def ways(self, start):
        """The router next to a service on the shortest way to each segment, and how far away that is."""
        found, queue, seen = {}, [(0, 0, start, None)], set()
        while queue:
            distance, _, node, first = heapq.heappop(queue)
            if node in seen:
                continue
            seen.add(node)
            for segment in self.interfaces[node]:
                if distance > 0 and segment not in self.interfaces[start] and segment not in found:
                    found[segment] = first
                for other in self.segments[segment]:
                    if other not in seen and self.services[other].get("forward"):
                        heapq.heappush(queue, (distance + 1, chance.randrange(1000), other, first or (segment, other)))
        return found

    def prefixes(self, segment):
        name = self.segments[segment][0]
        return [ip_interface(address).network for address in self.interfaces[name][segment]]

    def route(self, name):
        """Routes by the shortest ways, of which some are missing, some lead nowhere, and some are left to a default."""
        routes = []
        ways = self.ways(name)
        router = next(iter(ways.values()), None)
        if router and happens(25):
            addresses = [ip_interface(address).ip for address in self.interfaces[router[1]][router[0]]]
            return [f"{'0.0.0.0/0' if address.version == 4 else '::/0'} via {address}" for address in addresses]
        for segment, (near, router) in sorted(ways.items()):
            for prefix in self.prefixes(segment):
                gateways = [ip_interface(address).ip for address in self.interfaces[router][near]]
                gateway = next((address for address in gateways if address.version == prefix.version), None)
                if gateway is None or happens(8):
                    continue
                routes.append(f"blackhole {prefix}" if happens(3) else f"{prefix} via {gateway}")
        return routes

    # Rules

    def add_rules(self, names):
        peers = names + ["web*", "db*", "any", "host", "internet", "label:tier=one", "label:tier=two"]
        peers += [f"network:{name}" for name in self.networks]
        for name, keys in self.networks.items():
            peers.append(f"10.77.{name[3:]}.{chance.choice(['8/29', '16/28', '0/24', '12'])}")
            if "enable_ipv6" in keys:
                peers.append(f"fd00:77:{name[3:]}::{chance.choice(['/64', '10/124'])}")
        ports = ["", "", ":80", ":80,443", ":53/udp", ":80-82", ":icmp", ":udp"]

        def side():
            return ",".join(chance.choice(peers) for _ in range(2 if happens(25) else 1))

        for _ in range(chance.randrange(7)):
            action = "deny" if DENIES and happens(50) else "allow"
            target = side()
            # A port after an IPv6 address would need brackets.
            port = "" if target.rpartition(",")[2].startswith("fd00") else chance.choice(ports)
            self.rules.append({action: f"{side()} -> {target}{port}"})

    def text(self):
        file = {"name": "g", "services": self.services, "networks": self.networks}
        if self.links:
            file["links"] = self.links
        if self.rules:
            file["policies"] = self.rules
        if OSPF:
            file["verify"] = {"live": True}
        return json.dumps(file, indent=1)


ROUTER = """install -d -o frr -g frr /etc/frr /run/frr
echo ospfd=yes >/etc/frr/daemons
echo service integrated-vtysh-config >/etc/frr/vtysh.conf
cat >/etc/frr/frr.conf <<END
INTERFACES
router ospf
 timers throttle spf 10 50 500
 network 10.76.0.0/16 area 0
 network 10.77.0.0/16 area 0
END
chown frr:frr /etc/frr/*
. /usr/lib/frr/frrcommon.sh
exec /usr/lib/frr/watchfrr $$(daemon_list)
"""


def daemon(topology, name):
    """FRR, with one interface for each network and cable."""
    lines = []
    for number, segment in enumerate(topology.interfaces[name]):
        lines.append(f"interface eth{number}")
        if segment.startswith("cable"):
            lines += [" ip ospf network point-to-point", f" ip ospf cost {chance.randrange(1, 40)}"]
        lines += [" ip ospf hello-interval 1", " ip ospf dead-interval 4"]
    keys = topology.services[name]
    keys["command"] = ["bash", "-c", ROUTER.replace("INTERFACES", "\n".join(lines))]
    keys["cap_add"] = ["NET_ADMIN", "SYS_ADMIN"]


def main():
    topology = Topology()
    networks = [topology.network(number) for number in range(1, chance.randrange(2, 5))]
    names = []
    for number in range(1, chance.randrange(3, 7)):
        name = f"{'web' if happens(50) else 'db'}{number}"
        keys = {}
        if happens(40):
            keys["labels"] = {"tier": "one" if happens(50) else "two"}
        if happens(40):
            keys["expose"] = ["80-81"]
        topology.service(name, chance.sample(networks, min(len(networks), 2 if happens(30) else 1)), **keys)
        names.append(name)
    routers = [f"r{number}" for number in range(1, chance.randrange(3, 6) if OSPF else chance.randrange(0, 5))]
    for name in routers:
        topology.service(name, chance.sample(networks, min(len(networks), chance.choice([0, 1, 1, 2]))), forward=True)
    for one, other in zip(routers, routers[1:] + (routers[:1] if len(routers) > 2 and happens(60) else [])):
        topology.cable(one, other)
    if routers and happens(50):
        topology.service("leaf", [])
        topology.cable(chance.choice(routers), "leaf")
    for name in topology.services:
        if OSPF and name in routers:
            daemon(topology, name)
        elif routes := topology.route(name):
            topology.services[name]["routes"] = routes
    # Which of several ways OSPF takes would decide what rules see.
    if not OSPF:
        topology.add_rules(names + routers)
    print(topology.text())


main()
