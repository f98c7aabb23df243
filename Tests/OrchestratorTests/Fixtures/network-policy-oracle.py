#!/usr/bin/env python3
"""An oracle for NetworkPolicy v1: decides from the documents alone who may send what to whom.

    network-policy-oracle.py FILE            compare each case with its expectations
    network-policy-oracle.py FILE --mutate N drop one rule at a time, N times: each must be noticed

FILE has one case a line, as JSON:
    {"name": …, "namespace": …, "policies": [documents], "pods": [{"name", "namespace", "labels", "addresses"}],
     "expected": [[source, destination, protocol, port, allowed], …]}
Sources and destinations are names of pods, or addresses outside. Protocols are TCP, UDP, SCTP and ICMP (port 0).

The rules are those of the documentation of Kubernetes ("Network Policies") and of its API reference:
a pod without a policy of a direction is open in it; else any rule of any policy may let a packet pass; both ends
must let it pass; a pod always reaches itself.
"""
import ipaddress
import json
import random
import sys


def selects(selector, labels):
    """A label selector: all requirements hold. An empty one selects everything, none at all selects nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for requirement in selector.get("matchExpressions", []):
        key, operator, values = requirement["key"], requirement["operator"], requirement.get("values", [])
        holds = {
            "In": key in labels and labels[key] in values,
            "NotIn": key not in labels or labels[key] not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[operator]
        if not holds:
            return False
    return True


class Case:
    def __init__(self, record):
        self.name = record["name"]
        self.policies = record["policies"]
        self.pods = {pod["name"]: pod for pod in record["pods"]}
        self.expected = record["expected"]

    def end(self, name):
        """A pod, or an address outside of all."""
        return self.pods.get(name) or {"name": name, "namespace": None, "labels": {}, "addresses": [name]}

    def is_peer(self, peer, policy, other):
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            return any(is_in_block(address, block) for address in other["addresses"])
        if other["namespace"] is None:
            return False
        if "namespaceSelector" in peer:
            namespace = {"kubernetes.io/metadata.name": other["namespace"]}
            if not selects(peer["namespaceSelector"], namespace):
                return False
        elif other["namespace"] != policy["metadata"]["namespace"]:
            return False
        return "podSelector" not in peer or selects(peer["podSelector"], other["labels"])

    def passes(self, direction, pod, other, protocol, port):
        if pod["namespace"] is None:
            return True
        isolated = False
        for policy in self.policies:
            spec = policy["spec"]
            if policy["metadata"]["namespace"] != pod["namespace"] or direction not in types(spec):
                continue
            if not selects(spec["podSelector"], pod["labels"]):
                continue
            isolated = True
            for rule in spec.get(direction.lower()) or []:
                peers = rule.get("from" if direction == "Ingress" else "to") or []
                is_meant = not peers or any(self.is_peer(peer, policy, other) for peer in peers)
                if is_meant and is_port(rule.get("ports") or [], protocol, port):
                    return True
        return not isolated

    def allows(self, source, destination, protocol, port):
        sender, receiver = self.end(source), self.end(destination)
        if sender is receiver:
            return True
        return self.passes("Egress", sender, receiver, protocol, port) and self.passes(
            "Ingress", receiver, sender, protocol, port)

    def differences(self):
        for source, destination, protocol, port, expected in self.expected:
            if self.allows(source, destination, protocol, port) != expected:
                yield f"{self.name}: {source} -> {destination}:{port}/{protocol} should be {expected}"


def types(spec):
    """Left out, a policy is about ingress, and about egress if it has rules of it."""
    return spec.get("policyTypes") or ["Ingress"] + (["Egress"] if "egress" in spec else [])


def is_in_block(address, block):
    address = ipaddress.ip_address(address)
    ranges = [ipaddress.ip_network(block["cidr"])] + [ipaddress.ip_network(r) for r in block.get("except", [])]
    inside = [address.version == range_.version and address in range_ for range_ in ranges]
    return inside[0] and not any(inside[1:])


def is_port(ports, protocol, port):
    if not ports:
        return True
    for entry in ports:
        if entry.get("protocol", "TCP") != protocol:
            continue
        first = entry.get("port")
        if first is None or first <= port <= entry.get("endPort", first):
            return True
    return False


def read(path):
    with open(path) as lines:
        return [Case(json.loads(line)) for line in lines if line.strip()]


def mutate(cases, tries):
    """Drops one rule of one policy at a time. Returns what went unnoticed."""
    numbers = random.Random(17)
    unnoticed = []
    places = [
        (case, policy, direction, index)
        for case in cases for policy in case.policies for direction in ("ingress", "egress")
        for index in range(len(policy["spec"].get(direction) or []))
    ]
    for case, policy, direction, index in numbers.sample(places, min(tries, len(places))):
        rules = policy["spec"][direction]
        policy["spec"][direction] = rules[:index] + rules[index + 1:]
        if not any(True for _ in case.differences()):
            unnoticed.append(f"{case.name}: {policy['metadata']['name']} without {json.dumps(rules[index])}")
        policy["spec"][direction] = rules
    print(f"{min(tries, len(places))} rules dropped, {len(unnoticed)} unnoticed")
    return unnoticed


def main():
    cases = read(sys.argv[1])
    if sys.argv[2:3] == ["--mutate"]:
        wrong = mutate(cases, int(sys.argv[3]))
    else:
        wrong = [difference for case in cases for difference in case.differences()]
        questions = sum(len(case.expected) for case in cases)
        print(f"{len(cases)} cases, {questions} questions, {len(wrong)} differences")
    for line in wrong[:40]:
        print(line)
    sys.exit(1 if wrong else 0)


main()
