#!/usr/bin/env python3
"""topology-oracle.py STACK-FILE VERIFICATION: what a topology of random-topology.py must do, beside what `stack verify` said.

It walks packets through the file as docs/stack-file.md describes it, and shares no code with `stack`. Prints each cell that
differs and, at the end, how many were compared. The exit code is 1 if any differs."""

import fnmatch
import json
import re
import sys
from ipaddress import ip_address, ip_interface, ip_network

HOST = "host"
OUTSIDE = "outside"
MOST_HOPS = 64
PORT = r"(?:\d+(?:-\d+)?(?:/(?:tcp|udp))?|tcp|udp|icmp)"


def port_numbers(text):
    """`80`, `80-90`, `53/udp`, `udp`, `icmp` as (transport, first, last)."""
    if text == "icmp":
        return ("icmp", 0, 0)
    if text in ("tcp", "udp"):
        return (text, 0, 65535)
    number, _, transport = text.partition("/")
    first, _, last = number.partition("-")
    return (transport or "tcp", int(first), int(last or first))


class Rule:
    def __init__(self, entry):
        [(action, text)] = entry.items()
        self.allows = action == "allow"
        source, target = text.split(" -> ")
        found = re.fullmatch(f"(.+):({PORT}(?:,{PORT})*)", target)
        self.ports = [port_numbers(part) for part in found[2].split(",")] if found else []
        self.sources = source.split(",")
        self.targets = (found[1] if found else target).split(",")

    def covers(self, transport, port):
        return not self.ports or any(t == transport and (t == "icmp" or first <= port <= last) for t, first, last in self.ports)


class Drawing:
    """Who has which address on which wire, and whom each machine hands packets to."""

    def __init__(self, file):
        self.networks = file["networks"]
        self.services = file["services"]
        self.rules = [Rule(entry) for entry in file.get("policies", [])]
        self.has_daemons = "verify" in file
        # machine -> [(wire, interface address with its length)]
        self.ports = {name: [] for name in self.services}
        self.ports[HOST] = []
        self.subnets = {}
        for name, keys in self.networks.items():
            self.subnets[name] = [ip_network(entry["subnet"]) for entry in keys["ipam"]["config"]]
            for subnet in self.subnets[name]:
                self.ports[HOST].append((name, ip_interface(f"{subnet[1]}/{subnet.prefixlen}")))
        for name, keys in self.services.items():
            for network, own in (keys.get("networks") or {}).items():
                for subnet in self.subnets[network]:
                    address = own.get("ipv4_address" if subnet.version == 4 else "ipv6_address")
                    if address:
                        self.ports[name].append((network, ip_interface(f"{address}/{subnet.prefixlen}")))
        self.cables = []
        for number, link in enumerate(file.get("links", [])):
            self.cables.append(link["ends"])
            for name, addresses in link["ends"].items():
                self.ports[name] += [(f"cable{number}", ip_interface(address)) for address in addresses]
        self.owners = {(wire, port.ip): name for name, ports in self.ports.items() for wire, port in ports}
        self.holders = {port.ip: name for name, ports in self.ports.items() for _, port in ports}

    def is_internal(self, network):
        return self.networks[network].get("internal", False)

    def forwards(self, machine):
        return machine == HOST or self.services[machine].get("forward", False)

    # Routes

    def routes(self, machine, version):
        """(prefix, gateway or None, is blackhole), besides what is connected."""
        if machine == HOST:
            return
        has_default = False
        for text in self.services[machine].get("routes", []):
            words = text.split()
            prefix = ip_network(words[1] if words[0] == "blackhole" else words[0])
            if prefix.version != version:
                continue
            has_default = has_default or prefix.prefixlen == 0
            yield (prefix, None, True) if words[0] == "blackhole" else (prefix, ip_address(words[2]), False)
        if self.has_daemons and version == 4 and self.forwards(machine):
            yield from self.learned(machine)
        if has_default:
            return
        for network in self.services[machine].get("networks") or {}:
            subnet = next((s for s in self.subnets[network] if s.version == version), None)
            if subnet is not None and not self.is_internal(network):
                yield (ip_network("0.0.0.0/0" if version == 4 else "::/0"), subnet[1], False)
                return

    def learned(self, router):
        """What OSPF finds: some way to all that the routers around are on. Which one does not matter here."""
        seen, queue = {router}, [(router, None)]
        while queue:
            name, first = queue.pop(0)
            for wire, port in self.ports[name]:
                if port.version != 4:
                    continue
                if first is not None:
                    yield (port.network, first, False)
                for (other_wire, address), other in self.owners.items():
                    if other_wire == wire and address.version == 4 and other not in seen and other != HOST and self.forwards(other):
                        seen.add(other)
                        queue.append((other, first or address))

    def step(self, machine, target):
        """(wire, next address), or None where no route leads on."""
        best = None
        for wire, port in self.ports[machine]:
            if target in port.network and (best is None or port.network.prefixlen > best[0]):
                best = (port.network.prefixlen, wire, target)
        for prefix, gateway, is_blackhole in self.routes(machine, target.version):
            if target not in prefix or (best is not None and prefix.prefixlen <= best[0]):
                continue
            if is_blackhole:
                best = (prefix.prefixlen, None, None)
                continue
            wire = next((wire for wire, port in self.ports[machine] if gateway in port.network), None)
            best = (prefix.prefixlen, wire, gateway)
        return None if best is None or best[1] is None else best[1:]

    def walk(self, machine, target):
        """The wires that packets pass, in order, the machines between them, and where they end."""
        wires, machines = [], []
        while True:
            if any(port.ip == target for _, port in self.ports[machine]):
                return wires, machines, machine
            if machines and not self.forwards(machine) or len(machines) > MOST_HOPS:
                return wires, machines, None
            step = self.step(machine, target)
            machines.append(machine)
            if step is None:
                is_out = machine == HOST and target not in self.holders and not any(target in s for n in self.subnets.values() for s in n)
                return wires, machines, OUTSIDE if is_out else None
            wire, address = step
            wires.append(wire)
            machine = self.owners.get((wire, address))
            if machine is None:
                return wires, machines, None

    def sender(self, machine, target):
        """The address that a machine sends from."""
        step = self.step(machine, target)
        if step is None:
            return None
        wire, address = step
        return next(port.ip for w, port in self.ports[machine] if w == wire and address in port.network)

    # Rules

    def is_meant(self, peer, machine, address):
        if peer == "any":
            return True
        if peer in ("host", "internet"):
            return machine == (HOST if peer == "host" else OUTSIDE)
        kind, _, value = peer.partition(":")
        if kind == "network":
            return machine not in (HOST, OUTSIDE) and any(wire == value and port.ip == address for wire, port in self.ports[machine])
        if kind == "label":
            key, _, wanted = value.partition("=")
            return machine in self.services and self.services[machine].get("labels", {}).get(key) == wanted
        if peer[0].isdigit() or peer.startswith("fd00"):
            return address in ip_network(peer, strict=False)
        return machine in self.services and fnmatch.fnmatchcase(machine, peer)

    def verdict(self, source, target, transport, port):
        """Whether the first rule that is about a packet allows it; None where none is. Ends are (machine, address)."""
        for rule in self.rules:
            if (
                rule.covers(transport, port)
                and any(self.is_meant(peer, *source) for peer in rule.sources)
                and any(self.is_meant(peer, *target) for peer in rule.targets)
            ):
                return rule.allows
        return None

    def is_open(self, network):
        return self.networks[network].get("default") != "deny"

    # Answers

    def reaches(self, source, target, transport, port):
        """True, False, or None where the file does not say it."""
        address = ip_address(target)
        if self.has_daemons and self.forwards(source) and source != HOST and not any(address in p.network for _, p in self.ports[source]):
            # Which way OSPF chose decides from which address a router asks.
            return None
        wires, machines, end = self.walk(source, address)
        if end is None:
            return False
        sender = self.sender(source, address)
        routers = [name for name in machines[1:] if name != HOST]
        is_by_host = HOST in machines[1:]
        if (end in (HOST, OUTSIDE) or is_by_host) and routers:
            return None
        networks = [wire for wire in wires if wire in self.networks]
        if self.is_kept_off(wires, machines, sender):
            return self.unless_learned()
        if not self.passes((source, sender), (end, address), transport, port, networks, is_by_host):
            return False
        if end in (HOST, OUTSIDE):
            return True
        # The answer. Where services of an internal network are asked from another one, the host asks in the sender's place.
        if is_by_host and self.is_internal(networks[-1]):
            return True
        back, between, last = self.walk(end, sender)
        if last != source:
            return False
        if self.is_kept_off(back, between, address):
            return self.unless_learned()
        if HOST in between[1:] and not is_by_host:
            # The host passes an answer on if it has seen the question, on a bridge whose frames the firewall sees.
            return None if networks else False
        # A firewall that has not seen the question, or does not see the answers of a handshake, knows no connection.
        returns = [wire for wire in back if wire in self.networks]
        unseen = set(returns) - set(networks) or transport == "tcp" and set(networks) - set(returns)
        return None if unseen and source != HOST and not (is_by_host and HOST in between) else True

    def unless_learned(self):
        """False, or None where a daemon may have chosen another of several ways."""
        return None if self.has_daemons else False

    def is_kept_off(self, wires, machines, sender):
        """True if a router sends packets into a network which takes them from others alone."""
        return any(
            name != HOST and wire in self.networks and not self.may_bring(name, wire, sender) for name, wire in zip(machines[1:], wires[1:])
        )

    def may_bring(self, router, network, sender):
        """Whether a sender is behind a router, seen from a network, or is the router."""
        if any(port.ip == sender for _, port in self.ports[router]):
            return True
        if any(sender in subnet for subnet in self.subnets[network]):
            return False
        behind, ranges, queue = {network}, [], [router]
        while queue:
            for wire in {wire for wire, _ in self.ports[queue.pop()]} - behind:
                behind.add(wire)
                here = [(name, port) for name, ports in self.ports.items() for place, port in ports if place == wire and name != HOST]
                ranges += self.subnets.get(wire, [port.network for _, port in here])
                queue += [name for name, _ in here if self.forwards(name)]
        own = {port.ip for wire, port in self.ports[router] if wire == network}
        for name in self.services:
            ranges += [prefix for v in (4, 6) for prefix, gateway, _ in self.routes(name, v) if gateway in own and prefix.prefixlen]
        if any(sender in subnet for subnet in ranges):
            return True
        # With another way out, it brings whatever is of no network.
        outs = [gateway for v in (4, 6) for prefix, gateway, _ in self.routes(router, v) if gateway and not prefix.prefixlen]
        near = self.subnets[network]
        leads_out = any(not any(gateway in subnet for subnet in near) for gateway in outs)
        return leads_out and not any(sender in subnet for subnets in self.subnets.values() for subnet in subnets)

    def passes(self, source, target, transport, port, networks, is_by_host):
        if target[0] == OUTSIDE and self.is_internal(networks[0]):
            return False
        if target[0] == HOST:
            # Only the host's address in the network that the packet comes from.
            if not any(wire == networks[-1] and own.ip == target[1] for wire, own in self.ports[HOST]):
                return False
            if transport in ("tcp", "udp") and port == 53:
                return True
        allowed = self.verdict(source, target, transport, port)
        if allowed is not None:
            # On cables, nothing decides.
            return allowed or not networks
        if target[0] == HOST:
            return not self.is_internal(networks[0]) and self.is_open(networks[0])
        if target[0] == OUTSIDE:
            return self.is_open(networks[0])
        if is_by_host:
            return False
        return all(map(self.is_open, networks))


def destination(drawing, check, version):
    name, place = check["destination"], check.get("network")
    if name == "internet":
        return next((p["address"] for p in check["probes"] if ip_address(p["address"]).version == version), None)
    wire = place
    if place.startswith("link to "):
        other = place.removeprefix("link to ")
        wire = f"cable{next(n for n, ends in enumerate(drawing.cables) if name in ends and other in ends)}"
    return next((str(port.ip) for w, port in drawing.ports[name] if w == wire and port.version == version), None)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        drawing = Drawing(json.load(file))
    with open(sys.argv[2], encoding="utf-8") as file:
        report = json.load(file)
    compared = untold = yes = differing = 0
    for check in report["checks"]:
        for verdict in check["verdicts"]:
            target = destination(drawing, check, 4 if verdict["family"] == "ipv4" else 6)
            expected = drawing.reaches(check["source"], target, check["transport"], check.get("port", 0))
            predicted = verdict.get("predicted", verdict["observed"])
            if expected is None:
                untold += 1
                expected = predicted
            else:
                compared += 1
                yes += expected
            if expected == predicted == verdict["observed"]:
                continue
            differing += 1
            where = f"{check['source']} -> {check['destination']} ({target}) {check['transport']} {check.get('port', '')}"
            print(f"{where}: should be {expected}, predicted {predicted}, observed {verdict['observed']}: {check['because']}")
    print(f"{compared} compared, {yes} of them yes, {untold} untold")
    return 1 if differing or not compared else 0


sys.exit(main())
