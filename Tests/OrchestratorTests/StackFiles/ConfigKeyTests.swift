import Testing
@testable import StackFiles

/// The output of `stack config` is complete. For each key of each table, reading it again gives the same model, and the
/// key appears in it unless it has no effect.
@Suite struct ConfigKeyTests {
  /// A value of each key of a service; a second line stands beside the service's own keys.
  private static let service: [String: String] = [
    "rootfs": "/srv/web", "image": "nginx:1",
    "build":
      "{context: ./app, dockerfile: D, args: {A: \"1\"}, target: t, tags: [\"x:1\"], labels: {a: b}, network: none, no_cache: true, no_cache_filter: [t], pull: true, secrets: [{source: s, target: id}], extra_hosts: [\"files=10.0.0.5\"], shm_size: 8m, additional_contexts: {lib: ./lib, base: \"docker-image://debian:12\"}, ulimits: {nofile: 10}}",
    "platform": "linux/arm64\n    image: nginx",
    "pull_policy": "always\n    image: nginx", "entrypoint": "[a, b]",
    "command": "[nginx, \"$$x\"]", "environment": "{A: \"1\"}", "env_file": "web.env", "working_dir": "/srv",
    "user": "33:33", "hostname": "h", "domainname": "lab", "init": "false", "tty": "true", "stdin_open": "true",
    "cap_add": "[SYS_TIME, ALL]", "cap_drop": "[CAP_CHOWN]", "privileged": "true", "userns_mode": "host",
    "security_opt": "[\"no-new-privileges:false\", \"seccomp:profile.json\"]",
    "networks": "{back: {aliases: [w], addresses: [10.9.0.1/24, 10.9.1.1]}}",
    "dns": "10.0.0.1", "dns_search": "[a.example]", "dns_opt": "[\"ndots:2\"]", "ports": "[\"8080:80\"]",
    "loopback": "[10.255.0.1, \"fd00:ff::1/128\"]", "network_mode": "host",
    "routes": "[\"10.9.0.0/16 via 10.1.0.9\"]\n    networks: [front]", "forward": "true",
    "switch": "{stp: true, interface_name: sw0}\n    network_mode: none",
    "mac_address": "\"02:42:0a:01:00:0a\"", "extra_hosts": "[\"files=10.0.0.5\"]", "expose": "[80]",
    "volumes": "[\"data:/data\"]", "tmpfs": "[\"/run:size=1m\"]", "read_only": "true",
    "depends_on": "{db: {condition: service_started, required: false}}",
    "post_start": "[{command: \"true\", user: app, working_dir: /srv, environment: {A: \"1\"}, privileged: true}]",
    "pre_stop": "[{command: [sync, now]}]",
    "healthcheck": "{test: \"true\", interval: 3s}", "restart": "always", "stop_signal": "SIGINT",
    "stop_grace_period": "3s", "scale": "2", "deploy": "{replicas: 3, resources: {limits: {memory: 64m}}}",
    "profiles": "[dev]", "container_name": "c", "labels": "{a: b}", "mem_limit": "64m",
    "memswap_limit": "128m\n    mem_limit: 64m", "mem_reservation": "32m", "cpus": "1.5", "cpu_shares": "512",
    "cpuset": "0-1", "pids_limit": "10", "blkio_config": "{weight: 300}", "ulimits": "{nofile: 10}",
    "oom_score_adj": "-5", "shm_size": "8m", "storage_opt": "{size: 1g}", "sysctls": "{net.ipv4.ip_forward: 1}",
    "devices": "[/dev/fuse]",
    "device_cgroup_rules": "[\"c 10:* rwm\"]", "group_add": "[audio]", "ipc": "host", "pid": "host", "uts": "host",
    "time_offset": "{boottime: 1h}",
    "secrets": "[s, {source: s, target: other, uid: \"5\", mode: 0400}]",
    "configs": "[c, {source: c, target: etc/c}]", "volumes_from": "[\"db:ro\"]", "links": "[\"db:d\"]",
    "external_links": "[\"there-db-1:d\"]", "label_file": "web.env", "cpu_quota": "50000",
    "cpu_period": "50000\n    cpu_quota: 50000",
    "develop":
      "{watch: [{path: ./src, action: sync+exec, target: /app, ignore: [a], initial_sync: true, exec: {command: b}}]}",
  ]
  /// Keys of a service that are read, and say what is so in any case.
  private static let silent: Set<String> = ["cgroup", "runtime", "isolation", "extends"]

  private static let network: [String: String] = [
    "subnet": "10.5.0.0/24", "gateway": "10.5.0.9\n    subnet: 10.5.0.0/24",
    "ip_range": "10.5.0.128/25\n    subnet: 10.5.0.0/24", "name": "n",
    "driver": "macvlan\n    parent: eth9\n    subnet: 10.5.0.0/24",
    "vlans": "{10: {subnet: 10.6.0.0/24}}", "parent": "eth9\n    driver: macvlan\n    subnet: 10.5.0.0/24",
    "id": "7\n    driver: vxlan\n    remote: 192.0.2.9\n    subnet: 10.5.0.0/24",
    "remote": "192.0.2.8\n    driver: vxlan\n    id: 7\n    subnet: 10.5.0.0/24",
    "local": "192.0.2.7\n    driver: vxlan\n    id: 7\n    remote: 192.0.2.8\n    subnet: 10.5.0.0/24",
    "port": "4800\n    driver: vxlan\n    id: 7\n    remote: 192.0.2.8\n    subnet: 10.5.0.0/24", "internal": "true",
    "host": "false",
    "default": "deny",
    "ipam": "{config: [{subnet: 10.5.0.0/24}, {subnet: \"fd00:5::/64\"}]}\n    enable_ipv6: true", "labels": "{a: b}",
    "enable_ipv6": "true", "external": "true", "mtu": "1400",
    "driver_opts": "{parent: eth9}\n    driver: macvlan\n    subnet: 10.5.0.0/24",
  ]
  private static let silentOfNetworks: Set<String> = ["enable_ipv4"]
  private static let volume = [
    "name": "n", "labels": "{a: b}", "external": "true", "driver_opts": "{type: none, device: /srv, o: bind}",
  ]
  private static let silentOfVolumes: Set<String> = ["driver"]
  private static let stack = [
    "policies": "[{allow: web -> db}]", "expect": "[{allow: web -> db}]", "links": "[{ends: {web: {}, db: {}}}]",
    "verify": "{live: true, settle: 1m}", "names": "stack", "include": "[other.yaml]",
    "secrets": "{t: {file: ./t}, u: {content: $$x}}", "configs": "{t: {environment: HOME}}",
  ]

  private static func file(service: String = "", network: String = "", volume: String = "", stack: String = "")
    -> String
  {
    let command = service.hasPrefix("command:") ? "" : "\n    command: [x]"
    return """
      services:
        web:\(command)
          \(service)
        db: {command: [y]}
      networks:
        front: {subnet: 10.1.0.0/24}
        back: {}
        other:
          \(network)
      volumes:
        data:
          \(volume)
      \(stack.hasPrefix("secrets") ? "" : "secrets: {s: {file: ./s}}")
      \(stack.hasPrefix("configs") ? "" : "configs: {c: {content: c}}")
      \(stack)

      """
  }

  private static let others = [
    "/lab/web.env": "B=2\n", "/lab/other.yaml": "services: {further: {command: x}}",
    "/lab/profile.json": "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": []}",
  ]

  private static func read(_ text: String) throws -> StackFile {
    let outcome = load(text, others: others)
    return try #require(outcome.stack, "\(DiagnosticRenderer().render(outcome.diagnostics))\n\(text)")
  }

  private static func expectRoundTrip(_ key: String, _ text: String, isSilent: Bool) throws {
    let stack = try read(text)
    var again = try read(stack.output.yaml)
    for network in stack.networks where network.isImplicit { again.networks[network.name.value] = network }
    // The models of these two hold a place in the text, which is another one.
    if !["external", "links"].contains(key) { #expect(again == stack, "\(key) is not the same once printed and read") }
    #expect(again.output == stack.output, "\(key)")
    let plain = try read(file()).output
    #expect((stack.output == plain) == isSilent, "\(key) leaves \(isSilent ? "a mark" : "no mark") in what is printed")
  }

  private static func readKeys<Target>(_ table: KeyTable<Target>) -> [String] {
    table.keys.compactMap { if case .read = $0.handling { $0.name } else { nil } }
  }

  @Test func everyKeyHasASample() {
    #expect(Set(Self.readKeys(ServiceKeys.table)).subtracting(Self.silent).subtracting(Self.service.keys) == [])
    #expect(
      Set(Self.readKeys(NetworkKeys.table)).subtracting(Self.silentOfNetworks).subtracting(Self.network.keys) == [])
    #expect(Set(Self.readKeys(VolumeKeys.table)).subtracting(Self.silentOfVolumes).subtracting(Self.volume.keys) == [])
    let fixed: Set = ["name", "services", "networks", "volumes"]
    #expect(Set(Self.readKeys(StackKeys.table)).subtracting(fixed).subtracting(Self.stack.keys) == [])
  }

  @Test(arguments: service.keys.sorted()) func ofAService(_ key: String) throws {
    let text = Self.file(service: "\(key): \(Self.service[key] ?? "")")
    try Self.expectRoundTrip(key, text, isSilent: Self.silent.contains(key))
  }

  @Test(arguments: network.keys.sorted()) func ofANetwork(_ key: String) throws {
    try Self.expectRoundTrip(key, Self.file(network: "\(key): \(Self.network[key] ?? "")"), isSilent: false)
  }

  @Test(arguments: volume.keys.sorted()) func ofAVolume(_ key: String) throws {
    try Self.expectRoundTrip(key, Self.file(volume: "\(key): \(Self.volume[key] ?? "")"), isSilent: false)
  }

  @Test(arguments: stack.keys.sorted()) func ofTheStack(_ key: String) throws {
    try Self.expectRoundTrip(key, Self.file(stack: "\(key): \(Self.stack[key] ?? "")"), isSilent: false)
  }
}
