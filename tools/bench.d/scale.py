"""Large stacks: how long it takes to read, check, compare and prove hundreds of routers and a thousand services."""

import collections
import statistics

from common import shown, table, timed, verdict
from network import Stack, write


class Routers:
    """Routers on cables, each with a route by a shortest way to every cable that it is not on."""

    def __init__(self, count, cables):
        self.count, self.cables = count, cables
        self.near = collections.defaultdict(list)
        for number, (one, other) in enumerate(cables):
            self.near[one].append((other, number))
            self.near[other].append((one, number))

    @classmethod
    def ring(cls, count):
        return cls(count, [(k, (k + 1) % count) for k in range(count)])

    @classmethod
    def grid(cls, width):
        across = [(y * width + x, y * width + x + 1) for y in range(width) for x in range(width - 1)]
        down = [(y * width + x, (y + 1) * width + x) for y in range(width - 1) for x in range(width)]
        return cls(width * width, across + down)

    @staticmethod
    def subnet(cable):
        return f"10.{100 + (cable >> 14)}.{cable >> 6 & 255}.", cable * 4 & 255

    def address(self, cable, router):
        head, tail = self.subnet(cable)
        return f"{head}{tail + 1 + self.cables[cable].index(router)}"

    def routes(self, start):
        distance, first, queue = {start: 0}, {}, collections.deque([start])
        while queue:
            router = queue.popleft()
            for other, cable in self.near[router]:
                if other not in distance:
                    distance[other] = distance[router] + 1
                    first[other] = self.address(cable, other) if router == start else first[router]
                    queue.append(other)
        for cable, ends in enumerate(self.cables):
            if start not in ends:
                head, tail = self.subnet(cable)
                yield f"{head}{tail}/30 via {first[min(ends, key=distance.get)]}"

    def text(self, name):
        lines = [f"name: {name}", "services:"]
        for router in range(self.count):
            routes = ", ".join(f'"{route}"' for route in self.routes(router))
            lines.append(f"  r{router}: {{command: [sleep, infinity], network_mode: none, forward: true, routes: [{routes}]}}")
        lines.append("links:")
        for cable, ends in enumerate(self.cables):
            lines.append("  - ends: {" + ", ".join(f"r{router}: {self.address(cable, router)}/30" for router in ends) + "}")
        return "\n".join(lines) + "\n"


def services(name, count):
    return f"name: {name}\nservices:\n" + "".join(f"  s{k}: {{command: [sleep, infinity]}}\n" for k in range(count))


def ruled(name, count, rules):
    """Services in groups, with rules between pairs of them and between groups."""
    kinds = ["web", "api", "db", "job"]
    names = [f"{kinds[k % 4]}{k // 4 + 1}" for k in range(count)]
    lines = [f"  {n}: {{image: a, labels: {{tier: t{k % 5}}}, networks: [n{k % 3}]}}\n" for k, n in enumerate(names)]

    def rule(k):
        one, other = names[k * 7 % count], names[(k * 13 + 3) % count]
        return [
            f"deny: web* -> {one}:22", f"allow: label:tier=t{k % 5} -> {other}:5432",
            f"deny: {one} -> internet:25", f"allow: {one} -> {other}:{8000 + k}",
        ][min(k % 5, 3)]

    return (f"name: {name}\nservices:\n" + "".join(lines) + "networks: {n0: {}, n1: {default: deny}, n2: {}}\n"
            + "policies:\n" + "".join(f"  - {rule(k)}\n" for k in range(rules)))


def median(runs, *command):
    return statistics.median(timed(*command) for _ in range(runs))


def measure(runs):
    rows = []

    def row(what, milliseconds, most):
        rows.append([what, shown(milliseconds), verdict(milliseconds / 1000, most)])

    with Stack("ring", Routers.ring(200).text("ring")):
        row("`verify` of a ring of 200 routers", median(runs, "stack", "verify", "ring"), 4)
    with Stack("flat", services("flat", 281)):
        row("`verify` of 281 services, 79,000 cells", median(runs, "stack", "verify", "flat"), 3)
    with Stack("grid", Routers.grid(14).text("grid")) as grid:
        row("`config` of 71,000 routes over 364 links", median(runs, "stack", "config", "-q", grid.path), 2)
        row("an unchanged `up` of those", median(runs, "stack", "up", grid.path), 2)
    path = write("ruled", ruled("ruled", 200, 50))
    exported = median(runs, "stack", "export", "kubernetes", path, "-o", f"{path}.d")
    row("`export` of 200 services and 50 rules", exported, 0.1)
    with Stack("thousand", services("thousand", 1000)):
        many = median(runs, "stack", "verify", "thousand", "--only", "s1,s2")
    with Stack("two", services("two", 2)):
        two = median(runs, "stack", "verify", "two", "--only", "s0,s1")
    row("`verify --only s1,s2` of 1,000 services", many, 1)
    rows.append(["the same of 2 services", shown(two), f"{many / two:.1f} times"])
    table("Large stacks", rows, ["command", "ms", "s"])
