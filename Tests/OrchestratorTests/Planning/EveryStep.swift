@testable import Intent
@testable import Planning
@testable import Resolve

/// A stack in which every kind of step has something to do, and a step of each kind.
enum EveryStep {
  static let text = """
    name: all
    services:
      a:
        command: [sh, -c, "echo 'it''s'; touch /x"]
        networks:
          front: {rate: 10mbit, loss: 1%, addresses: [10.208.0.9, 10.209.0.1/24, 10.210.0.1/24 scope link, "fd00:9::1/64"]}
          lan: {}
        environment: {GREETING: "a b", LINES: "1\\n2"}
        working_dir: /srv/a b
        user: "www-data"
        group_add: [audio, "4321"]
        cap_add: [NET_ADMIN]
        cap_drop: [CHOWN]
        ulimits: {nofile: {soft: 1024, hard: 4096}, core: 0, stack: -1}
        mem_limit: 64m
        cpus: 1.5
        pids_limit: 20
        oom_score_adj: 500
        shm_size: 1m
        sysctls: {net.core.somaxconn: 1024}
        devices: ["/dev/net/tun"]
        hostname: alpha
        domainname: example.net
        volumes: ["data:/data", "/srv/pages:/pages:ro", "/scratch"]
        tmpfs: ["/cache:size=64m,mode=0700"]
        read_only: true
        ports: ["8080:80"]
        expose: ["53/udp"]
        stop_signal: SIGQUIT
        stop_grace_period: 1500ms
        time_offset: {monotonic: 1h, boottime: -5m}
        loopback: [10.255.0.1, "fd00:ff::1"]
        routes: ["10.9.0.0/16 via b", "blackhole 10.10.0.0/16", "10.11.0.0/16 nexthop via b nexthop via 10.0.12.2", "fd00:b::/64 via fe80::1 dev eth0"]
      b:
        command: [x]
        rootfs: /srv/root
        user: "33:34"
        working_dir: /var
        networks: [front]
        forward: true
        userns_mode: host
        depends_on: {d: {condition: service_completed_successfully}, g: {condition: service_healthy}}
      c:
        command: [x]
        rootfs: {path: "/srv/a,b", mode: direct}
        network_mode: service:b
        ipc: host
        uts: host
        security_opt: ["no-new-privileges:false", "seccomp:unconfined"]
        depends_on: {d: {condition: service_completed_successfully, required: false}}
      d:
        command: [x]
        rootfs: "/srv/a:b"
        network_mode: host
        privileged: true
        pid: host
        init: false
        volumes: ["/dev/shm"]
      sw: {switch: {stp: true}}
      e: {command: [x], networks: {cut: {vlan: 10}}, user: 1000, tty: true, stdin_open: true}
      f: {command: [x], networks: {cut: {vlan: {trunk: {10: 10.1.10.1, 20: null}}}}, pid: "service:e"}
      g: {command: [x], networks: {far: {delay: 5ms, jitter: 1ms}, alone: {}}, healthcheck: {test: [CMD, x]}}
    networks:
      front: {enable_ipv6: true, ipam: {config: [{subnet: 10.208.0.0/24}]}}
      lan: {driver: macvlan, parent: uplink, subnet: 198.51.100.0/24, gateway: 198.51.100.1}
      far: {driver: vxlan, id: 42, remote: 192.0.2.7, subnet: 10.60.0.0/24}
      alone: {host: false, subnet: 10.71.0.0/24, gateway: 10.71.0.1, enable_ipv6: true}
      cut: {internal: true, subnet: 10.1.0.0/24, vlans: {10: {subnet: 10.1.10.0/24, gateway: 10.1.10.1}, 20: 10.1.20.0/24}}
    links:
      - ends: {a: "10.0.12.1/30", b: "10.0.12.2/30"}
        rate: 1mbit
        mtu: 1400
      - ends: {e: "fd00:12::1/64", g: "fd00:12::2/64"}
      - ends: {e: 10.0.77.1/24, sw: null}
    volumes: {data: {}}
    """

  static func stack() throws -> DesiredStack {
    var facts = HostFacts.using()
    facts.parents = ["uplink": []]
    var stack = try resolve(text, on: facts)
    // No file has both rules and a network past them.
    stack.policy = try resolve(
      """
      services: {a: {command: [x], networks: [front]}, b: {command: [x], networks: [front]}}
      networks: {front: {}}
      policies: [{deny: b -> a:80}]
      """
    ).policy
    stack.segments = [
      DesiredSegment(network: "front", number: 1, bridge: "s1front-abc", nearEnd: "n1front-abc", farEnd: "f1front-abc")
    ]
    return stack
  }

  static func all(of stack: DesiredStack) throws -> [Step] {
    let services = stack.services
    guard let a = stack.service(named: "a"), let front = stack.network(named: "front"),
      let link = stack.links.first, let segment = stack.segments.first
    else { return [] }
    var cut = stack
    cut.partition = Partition(sides: [["a"], ["b"]], hasRest: false)
    var plain = a
    plain.routes = []
    return [
      .unsettle(stack: "all"), .acceptClaim(stack), .recordIntent(stack), .makeFolders(stack),
      .mountLayers(stack: "all"),
      .makeHostRoot(stack: "all"), .prepareHost(stack: "all", forwarding: [.ipv4, .ipv6], neighbours: 1_000_000),
      .prepareHost(stack: "all", forwarding: [], neighbours: 0),
    ] + stack.networks.map { .createBridge($0, stack) } + [
      .raiseBridge(front, stack), .createSegment(segment, stack), .writeFirewall(stack), .partition(cut),
      .partition(stack), .filterBridges([front], stack), .endFlows(stack),
    ] + services.filter { $0.namespace == .own }.map { .createNamespace($0, stack: "all") }
      + services.filter { $0.namespace == .own }.map { .attach($0, stack) } + [
        .shape(a, stack)
      ] + stack.links.map { .connect($0, stack) } + [
        .shapeLink(link, stack), .shapeLink(link, cut), .setRoutes(a, stack: "all"), .setRoutes(plain, stack: "all"),
        .readdress(a, stack), .addAddresses(a, stack), .removeAddresses(a.furtherAddresses, a, stack),
      ] + services.map { .start($0, stack: "all") } + services.map { .awaitReady($0, stack: "all") } + [
        .pause(a, stack: "all"), .unpause(a, stack: "all"), .stop(a, stack: "all"),
        .unpinNamespaces(["a", "b"], stack: "all"), .detach(a), .disconnect(link, stack: "all"),
        .removeLayer(service: "a", stack: "all"), .removeKeptVolumes(service: "a", stack: "all"),
        .removeLinks(group: stack.linkGroup, stack: "all"),
        // As a former version chose them.
        .removeLinks(group: 0xc000_0000, stack: "all"),
      ] + stack.networks.map { .removeBridge($0) } + [
        .removeSegment(segment), .removeFirewall(stack: "all"), .forgetConnections(stack),
        .removeControlGroups(stack: "all"), .restoreHost, .unmountLayers(stack: "all"), .removeVolumes(stack: "all"),
        .removeFolders(stack: "all"),
      ]
  }
}
