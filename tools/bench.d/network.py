"""The network as services see it: throughput, published ports, policies, names, and proving all of it."""

import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import time

from common import GAP, WORK, attempt, leave_out, medians, run, shown, table, timed, verdict
from engine import Engine

RULES = 1000
PORTS = 1000


def write(name, text):
    path = f"{WORK}/{name}.stack"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Stack:
    """A stack that is up while a block runs."""

    def __init__(self, name, text):
        self.name, self.path = name, write(name, text)

    def __enter__(self):
        run("stack", "up", self.path)
        return self

    def __exit__(self, *_):
        run("stack", "down", self.name)

    def exec(self, service, *command):
        return run("stack", "exec", "-s", self.name, service, *command)


class Started:
    """A program that runs while a block does."""

    def __init__(self, *command):
        self.command = command

    def __enter__(self):
        # pylint: disable=attribute-defined-outside-init
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


class Namespaces:
    """Two network namespaces on a bridge, made by hand: what the kernel gives without anybody's help."""

    def __enter__(self):
        run(
            "sh",
            "-ec",
            """
            ip link add hand0 type bridge && ip addr add 10.90.0.1/24 dev hand0 && ip link set hand0 up
            for k in 2 3; do
              ip netns add hand$k
              ip link add hv$k type veth peer name eth0 netns hand$k
              ip link set hv$k master hand0 up
              ip -n hand$k addr add 10.90.0.$k/24 dev eth0 && ip -n hand$k link set eth0 up && ip -n hand$k link set lo up
              ip -n hand$k route add default via 10.90.0.1
            done
            """,
        )
        return self

    def __exit__(self, *_):
        # The links first: with a namespace they go some time later.
        run("sh", "-c", "ip link del hv2; ip link del hv3; ip netns del hand2; ip netns del hand3; ip link del hand0")


# Throughput


def pair_of_services(name, rules):
    text = f"""name: {name}
services:
  server: {{command: [iperf3, -s], expose: ["5201"]}}
  client: {{command: [sleep, infinity]}}
"""
    if rules:
        text += "networks: {default: {default: deny}}\npolicies:\n"
        text += "".join(f"  - allow: client -> server:{10000 + k}/tcp\n" for k in range(rules - 1))
        text += "  - allow: client -> server:5201/tcp\n"
    return text


def gigabits(output):
    return json.loads(output)["end"]["sum_received"]["bits_per_second"] / 1e9


def throughput(runs):
    if not shutil.which("iperf3"):
        return leave_out("throughput", "iperf3 is not installed")
    client = ("iperf3", "-t", "2", "-J", "-c")
    with (
        Namespaces(),
        Started("ip", "netns", "exec", "hand3", "iperf3", "-s"),
        Stack("plain", pair_of_services("plain", 0)) as plain,
        Stack("ruled", pair_of_services("ruled", RULES)) as ruled,
    ):
        result = medians(
            runs,
            hand=lambda: gigabits(run("ip", "netns", "exec", "hand2", *client, "10.90.0.3")),
            plain=lambda: gigabits(plain.exec("client", *client, "server")),
            ruled=lambda: gigabits(ruled.exec("client", *client, "server")),
        )
    rows = [
        ["veth, bridge, veth by hand", shown(result["hand"], 2), ""],
        ["two services", shown(result["plain"], 2), at_least(result["plain"] / result["hand"], 0.97)],
        [f"two services, {RULES} rules", shown(result["ruled"], 2), at_least(result["ruled"] / result["hand"], 0.9)],
    ]
    table("Throughput between two services (iperf3, Gbit/s)", rows, ["path", "Gbit/s", "ratio"])
    return None


def at_least(ratio, target):
    if math.isnan(ratio):
        return "–"
    return f"{ratio:.2f} ({'≥' if ratio >= target else '**<**'} {target})"


# Published ports

NGINX = """worker_processes 1; pid /tmp/nginx.pid; error_log stderr;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000; client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c;
uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e; server { listen 80; location / { return 200 "hello\\n"; } } }
"""


def start_docker_nginx(conf):
    """nginx of the host's /usr in a container with a published port. Its URL for the machine outside; raises without an engine."""
    engine = Engine.shared
    if not shutil.which("dockerd"):
        raise RuntimeError("docker is not installed: tools/bench --peers")
    if problem := engine.start():
        raise RuntimeError(problem)
    root = f"{WORK}/nginx-root"
    run(
        "sh",
        "-ec",
        f"""
        mkdir -p {root}/usr {root}/tmp {root}/run {root}/etc {root}/var/log/nginx {root}/var/lib/nginx
        for name in bin sbin lib lib64; do ln -sfn usr/$name {root}/$name; done
        cp /etc/passwd /etc/group {root}/etc/
        tar -C {root} -c . | docker import - stack-bench-nginx
        """,
    )
    engine.run(
        "run", "-d", "--name", "bench-nginx", "-p", "9082:80", "-v", "/usr:/usr:ro", "-v", f"{conf}:/bench-nginx.conf:ro",
        "stack-bench-nginx", "/usr/sbin/nginx", "-e", "stderr", "-c", "/bench-nginx.conf", "-g", "daemon off;",
    )
    return f"http://{engine.connect()}:9082/"


def requests_per_second(url):
    outside = ("nsenter", "--net=/run/throwaway/outside")
    output = run(*outside, "wrk", "-t", "1", "-c", "16", "-d", "2", url)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))


def published(runs):
    if not (shutil.which("wrk") and shutil.which("nginx")):
        return leave_out("published ports", "wrk or nginx is not installed")
    conf = f"{WORK}/bench-nginx.conf"
    with open(conf, "w", encoding="utf-8") as file:
        file.write(NGINX)
    nginx = ("nginx", "-e", "stderr", "-c", conf, "-g", "daemon off;")
    rule = "table ip hand { chain pre { type nat hook prerouting priority -100; tcp dport 9080 dnat to 10.90.0.3:80; }; }"
    text = f"""name: pub
services:
  web:
    command: [nginx, -e, stderr, -c, /bench-nginx.conf, -g, "daemon off;"]
    volumes: ["{conf}:/bench-nginx.conf:ro"]
    ports: ["9081:80"]
"""
    with Namespaces(), Started("ip", "netns", "exec", "hand3", *nginx), Stack("pub", text):
        run("sh", "-c", f"echo '{rule}' | nft -f -")
        measures = {
            "hand": lambda: requests_per_second("http://198.51.100.2:9080/"),
            "stack": lambda: requests_per_second("http://198.51.100.2:9081/"),
        }
        docker = attempt("Docker's published port", start_docker_nginx, conf)
        if docker is not GAP:
            measures["docker"] = lambda: requests_per_second(docker)
        result = medians(runs, **measures)
        run("nft", "delete table ip hand")
    result.setdefault("docker", GAP)
    rows = [
        ["a published port", shown(result["stack"]), ""],
        ["a dnat rule by hand", shown(result["hand"]), at_least(result["stack"] / result["hand"], 0.9)],
    ]
    rows.append(["Docker's published port", shown(result["docker"]), at_least(result["stack"] / result["docker"], 1.0)])
    if docker is not GAP:
        attempt("removing Docker's nginx", Engine.shared.run, "rm", "-f", "bench-nginx")
    table("Requests a second through a published port (wrk)", rows, ["path", "requests/s", "stack's to it"])
    return None


# Many of them


def up_time(name, text):
    path = write(name, text)
    up = timed("stack", "up", path)
    run("stack", "down", name)
    return up


def many(runs):
    services = 10

    def stack(name, ports=0, rules=0):
        text = f"name: {name}\nservices:\n"
        for k in range(services):
            text += f'  s{k}:\n    command: [busybox, httpd, -f, -p, "80", -h, /srv]\n    expose: ["80"]\n'
            if ports:
                # All lead to the one port that is listened on: `up` waits for that.
                first = 20000 + k * (ports // services)
                text += "    ports: [" + ", ".join(f'"{port}:80"' for port in range(first, first + ports // services)) + "]\n"
        if rules:
            text += "policies:\n" + "".join(
                f"  - {'deny' if k % 2 else 'allow'}: s{k % services} -> s{(k + 1) % services}:{1000 + k}/tcp\n" for k in range(rules)
            )
        return text

    result = medians(
        runs,
        plain=lambda: up_time("none", stack("none")),
        ported=lambda: up_time("ported", stack("ported", ports=PORTS)),
        ruled=lambda: up_time("ruled", stack("ruled", rules=RULES)),
    )
    rows = [
        [f"{services} services", shown(result["plain"]), ""],
        [f"and {PORTS} published ports", shown(result["ported"]), verdict(result["ported"] / result["plain"], 1.3)],
        [f"and {RULES} policy rules", shown(result["ruled"]), verdict(result["ruled"] / result["plain"], 1.3)],
    ]
    table("Up with many ports or rules", rows, ["stack", "up (ms)", "ratio"])


def proof(runs):
    n = 20
    text = "name: all\nservices:\n" + "".join(
        f'  s{k}:\n    command: [sh, -c, "busybox httpd -p 80 -h /srv; exec busybox httpd -f -p 81 -h /srv"]\n    expose: ["80", "81"]\n'
        for k in range(n)
    )
    with Stack("all", text):
        ours = statistics.median(timed("stack", "verify", "all") for _ in range(runs))
    theirs = GAP
    if shutil.which("mn"):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mininet_pingall.py")

        def pingall():
            return float(re.search(r"pingall_ms=([\d.]+)", run("/usr/bin/python3", script, str(n))).group(1))

        theirs = medians(runs, **{"Mininet's pingall": pingall})["Mininet's pingall"]
    else:
        leave_out("Mininet's pingall", "not installed: tools/bench --peers")
    rows = [
        [f"`stack verify`: {n} services × {n} × 2 ports", shown(ours), verdict(ours / theirs, 0.3)],
        [f"Mininet's pingall of {n} hosts", shown(theirs), ""],
    ]
    table("Proving what reaches what", rows, ["command", "ms", "ratio"])


def policy_change(runs):
    def text(port):
        services = "".join(f"  s{k}: {{command: [sleep, infinity]}}\n" for k in range(20))
        return f"name: change\nservices:\n{services}policies:\n  - allow: s0 -> s1:{port}/tcp\n  - deny: s0 -> s1\n"

    up, change = [], []
    for _ in range(runs):
        path = write("change", text(80))
        up.append(timed("stack", "up", path))
        write("change", text(81))
        change.append(timed("stack", "up", path))
        run("stack", "down", "change")
    whole, changed = statistics.median(up), statistics.median(change)
    rows = [
        ["up of 20 services", f"{whole:.0f}", ""],
        ["up again with a changed policy", f"{changed:.0f}", verdict(changed / whole, 0.2)],
    ]
    table("A policy change on a running stack", rows, ["command", "ms", "ratio"])


def names(runs):
    if not (shutil.which("dnsperf") and shutil.which("dnsmasq")):
        return leave_out("names", "dnsperf or dnsmasq is not installed")
    with open(f"{WORK}/queries", "w", encoding="utf-8") as file:
        file.write("web1 A\nweb2 A\nweb3 A\n")
    text = f"""name: dns
services:
  client: {{command: [sleep, infinity], volumes: ["{WORK}/queries:/queries:ro"]}}
  web1: {{command: [sleep, infinity]}}
  web2: {{command: [sleep, infinity]}}
  web3: {{command: [sleep, infinity]}}
"""
    hosts = f"{WORK}/dnsmasq.hosts"
    with open(hosts, "w", encoding="utf-8") as file:
        file.write("10.90.0.11 web1\n10.90.0.12 web2\n10.90.0.13 web3\n")

    def measured(output):
        rate = float(re.search(r"Queries per second:\s+([\d.]+)", output).group(1))
        latency = float(re.search(r"Average Latency \(s\):\s+([\d.]+)", output).group(1)) * 1e3
        return rate, latency

    def load(server):
        return ("dnsperf", "-s", server, "-l", "2", "-c", "4", "-q", "64", "-d")

    dnsmasq = ("dnsmasq", "-k", "-C", "/dev/null", "-R", "-h", "-H", hosts, "-i", "hand0", "-z", "-u", "root")
    with Namespaces(), Started(*dnsmasq), Stack("dns", text) as stack:
        gateway = stack.exec("client", "sh", "-c", "ip route show default | cut -d' ' -f3").split()[0]
        ours, theirs = [], []
        for _ in range(runs):
            queries = ("ip", "netns", "exec", "hand2", *load("10.90.0.1"), f"{WORK}/queries")
            if GAP not in theirs:
                theirs.append(attempt("dnsmasq", lambda: measured(run(*queries))))
            ours.append(measured(stack.exec("client", *load(gateway), "/queries")))
    (rate, latency), (other_rate, other_latency) = (
        (GAP, GAP) if GAP in answers else [statistics.median(column) for column in zip(*answers)] for answers in (ours, theirs)
    )
    rows = [
        ["dnsmasq", shown(other_rate), shown(other_latency, 2), ""],
        ["stack", shown(rate), shown(latency, 2), at_least(rate / other_rate, 1.0)],
    ]
    table("Names (dnsperf, 64 queries in flight)", rows, ["server", "answers/s", "latency (ms)", "ratio"])
    return None


def protection(runs, rootfs_stack):
    """What everything that is on by default costs `up`, against the same with all of it off."""
    off = "userns_mode: host, security_opt: [seccomp:unconfined, no-new-privileges:false], pids_limit: -1"
    result = medians(
        runs,
        on=lambda: up_time("guarded", rootfs_stack("guarded", 50, "")),
        off=lambda: up_time("bare", rootfs_stack("bare", 50, off)),
    )
    rows = [
        ["user namespaces, seccomp, limits: all off", shown(result["off"]), ""],
        ["all on, as by default", shown(result["on"]), verdict(result["on"] / result["off"], 1.25)],
    ]
    table("What isolation costs: up of 50 services", rows, ["", "up (ms)", "ratio"])
