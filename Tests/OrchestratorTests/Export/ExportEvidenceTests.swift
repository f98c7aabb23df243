import Testing
@testable import Export
@testable import StackFiles

/// A key that is said to be kept is in the documents: each has an example whose value is found there.
@Suite struct ExportEvidenceTests {
  /// - Parameters:
  ///   - keys: as the table has them: `service: user`.
  ///   - file: the whole file; one that begins with a letter is a service's keys.
  ///   - kubernetes: words of its documents, with one blank for each gap; nil where they are not kept.
  struct Example: Sendable, CustomStringConvertible {
    var keys: [String]
    var file: String
    var kubernetes: String?
    var swarm: String?

    init(_ keys: String, _ file: String, _ kubernetes: String?, _ swarm: String?) {
      self.keys = keys.split(separator: ",").map { $0.trimmingPrefix { $0 == " " } }.map(String.init)
      self.file = file.hasPrefix("{") ? file : "{services: {web: {image: a, restart: always, \(file)}}}"
      (self.kubernetes, self.swarm) = (kubernetes, swarm)
    }

    var description: String { keys.joined(separator: ", ") }
  }

  static let examples: [Example] = [
    Example("stack: name", "{name: shop, services: {web: {image: a}}}", "namespace: shop", nil),
    Example("stack: services, service: image", "working_dir: /", "image: a:latest", "web: image: a:latest"),
    Example("service: restart", "", "kind: StatefulSet", "condition: any"),
    Example(
      "deploy: restart_policy, service: deploy", "deploy: {restart_policy: {condition: on-failure, max_attempts: 7}}",
      "backoffLimit: 7", "condition: on-failure max_attempts: 7"),
    Example("deploy: mode", "deploy: {mode: global}", "replicas: 1", "replicas: 1"),
    Example("deploy: replicas", "deploy: {replicas: 3}", "replicas: 3", "replicas: 3"),
    Example("service: scale", "scale: 4", "replicas: 4", "replicas: 4"),
    Example("service: command", "command: [x, y]", "args: - x - \"y\"", "command: - x - \"y\""),
    Example("service: entrypoint", "entrypoint: [e]", "command: - e", "entrypoint: - e"),
    Example("service: environment", "environment: {A: b}", "name: A value: b", "environment: A: b"),
    Example("service: working_dir", "working_dir: /srv", "workingDir: /srv", "working_dir: /srv"),
    Example("service: user", "user: '7:8'", "runAsUser: 7 runAsGroup: 8", "user: \"7:8\""),
    Example("service: hostname", "hostname: host", nil, "hostname: host"),
    Example("service: container_name", "container_name: box", "kind: Service metadata: name: box", nil),
    Example("service: init", "init: true", nil, "init: true"),
    Example("service: tty", "tty: true", "tty: true", "tty: true"),
    Example("service: stdin_open", "stdin_open: true", "stdin: true", "stdin_open: true"),
    Example("service: platform", "platform: linux/arm64", "kubernetes.io/arch: arm64", "node.platform.arch == aarch64"),
    Example("service: pull_policy", "pull_policy: never", "imagePullPolicy: Never", nil),
    Example("service: labels", "labels: {tier: edge}", "tier: edge", "labels: tier: edge"),
    Example("service: cap_add", "cap_add: [NET_ADMIN]", "add: - NET_ADMIN", "cap_add: - NET_ADMIN"),
    Example("service: cap_drop", "cap_drop: [CHOWN]", "- CHOWN", "- CHOWN"),
    Example("service: privileged", "privileged: true", "privileged: true", nil),
    Example("service: userns_mode", "userns_mode: private", "hostUsers: false", nil),
    Example(
      "service: security_opt", "security_opt: ['no-new-privileges:true', seccomp=unconfined]",
      "allowPrivilegeEscalation: false", nil),
    Example("service: read_only", "read_only: true", "readOnlyRootFilesystem: true", "read_only: true"),
    Example("service: mem_limit", "mem_limit: 64m", "limits: memory: \"67108864\"", "limits: memory: \"67108864\""),
    Example(
      "service: mem_reservation", "mem_reservation: 32m", "requests: memory: \"33554432\"",
      "reservations: memory: \"33554432\""),
    Example("service: cpus", "cpus: 0.5", "cpu: 500m", "cpus: \"0.50\""),
    Example(
      "service: cpu_quota, service: cpu_period", "cpu_quota: 25000, cpu_period: 100000", "cpu: 250m", "cpus: \"0.25\""),
    Example("service: pids_limit", "pids_limit: 9", nil, "pids: 9"),
    Example(
      "limit: cpus, limit: memory, limit: pids", "deploy: {resources: {limits: {cpus: '2', memory: 8m, pids: 8}}}",
      "cpu: 2000m memory: 8388608", "cpus: 2.00 memory: 8388608 pids: 8"),
    Example(
      "reservation: cpus, reservation: memory", "deploy: {resources: {reservations: {cpus: '0.5', memory: 1m}}}",
      "cpu: 500m memory: \"1048576\"", "cpus: \"0.50\" memory: \"1048576\""),
    Example(
      "service: ulimits, ulimit: soft, ulimit: hard", "ulimits: {nofile: {soft: 10, hard: 20}}", nil,
      "nofile: soft: 10 hard: 20"),
    Example("service: shm_size", "shm_size: 1m", "sizeLimit: \"1048576\"", nil),
    Example(
      "service: storage_opt, storage_opt: size", "storage_opt: {size: 1m}", "ephemeral-storage: \"1048576\"", nil),
    Example(
      "service: sysctls", "sysctls: {net.ipv4.tcp_syncookies: 1}", "name: net.ipv4.tcp_syncookies value: \"1\"",
      "net.ipv4.tcp_syncookies: \"1\""),
    Example("service: group_add", "group_add: ['44']", "supplementalGroups: - 44", nil),
    Example("service: ipc", "ipc: host", "hostIPC: true", nil),
    Example("service: pid", "pid: host", "hostPID: true", nil),
    Example("service: network_mode", "network_mode: host", "hostNetwork: true", nil),
    Example("service: extra_hosts", "extra_hosts: ['h=192.0.2.1']", "ip: 192.0.2.1 hostnames: - h", "- h:192.0.2.1"),
    Example("service: ports", "ports: ['81:80']", "port: 81", "target: 80 published: 81"),
    Example(
      "port: from", "ports: [{target: 80, published: '81', from: [192.0.2.0/24]}]",
      "loadBalancerSourceRanges: - 192.0.2.0/24", nil),
    Example("service: expose", "expose: ['90']", "containerPort: 90", "expose: - \"90\""),
    Example("service: dns", "dns: [192.0.2.53]", nil, "dns: - 192.0.2.53"),
    Example("service: dns_search", "dns_search: [a.example]", "searches: - a.example", "dns_search: - a.example"),
    Example("service: dns_opt", "dns_opt: ['ndots:2']", "name: ndots value: \"2\"", nil),
    Example(
      "service: depends_on", "{services: {web: {image: a, depends_on: [db]}, db: {image: a}}}", "name: wait-for-db", nil
    ),
    Example(
      "service: healthcheck, healthcheck: test, healthcheck: interval, healthcheck: timeout, healthcheck: retries, "
        + "healthcheck: start_period, healthcheck: start_interval",
      "healthcheck: {test: [CMD, t], interval: 5s, timeout: 2s, retries: 4, start_period: 6s, start_interval: 3s}",
      "startupProbe: exec: command: - t periodSeconds: 3 timeoutSeconds: 2 failureThreshold: 6 readinessProbe: exec: "
        + "command: - t periodSeconds: 5 timeoutSeconds: 2 failureThreshold: 4",
      "test: - CMD - t interval: \"5s\" timeout: \"2s\" retries: 4 start_period: \"6s\""),
    Example("healthcheck: disable", "healthcheck: {disable: true}", nil, "disable: true"),
    Example("service: stop_signal", "stop_signal: SIGINT", "stopSignal: SIGINT", "stop_signal: SIGINT"),
    Example(
      "service: stop_grace_period", "stop_grace_period: 9s", "terminationGracePeriodSeconds: 9",
      "stop_grace_period: \"9s\""),
    Example("service: post_start", "post_start: [{command: [p]}]", "postStart: exec: command: - p", nil),
    Example("service: pre_stop", "pre_stop: [{command: [q]}]", "preStop: exec: command: - q", nil),
    Example(
      "service: volumes, stack: volumes, volume: labels",
      "{services: {web: {image: a, volumes: ['d:/d']}}, volumes: {d: {labels: {k: v}}}}",
      "labels: k: v spec: accessModes:", "volumes: d: labels: k: v"),
    Example(
      "volume: name", "{services: {web: {image: a, volumes: ['d:/d']}}, volumes: {d: {name: e}}}", nil, "name: e"),
    Example(
      "volume: external", "{services: {web: {image: a, volumes: ['d:/d']}}, volumes: {d: {external: true, name: e}}}",
      "claimName: e", "d: external: true name: e"),
    Example(
      "volume: driver_opts, volume's driver_opts: type, volume's driver_opts: o, volume's driver_opts: device",
      "{services: {web: {image: a, volumes: ['d:/d']}}, "
        + "volumes: {d: {driver_opts: {type: nfs, o: 'addr=10.0.0.1', device: ':/x'}}}}",
      nil, "driver_opts: type: nfs device: \":/x\" o: \"addr=10.0.0.1\""),
    Example(
      "volume: nocopy",
      "{services: {web: {image: a, volumes: [{type: volume, source: d, target: /d, volume: {nocopy: true}}]}}, "
        + "volumes: {d: }}", "claimName: d", "nocopy: true"),
    Example(
      "volume: subpath",
      "{services: {web: {image: a, volumes: [{type: volume, source: d, target: /d, volume: {subpath: part}}]}}, "
        + "volumes: {d: }}", "subPath: part", nil),
    Example(
      "service: tmpfs, tmpfs: size", "tmpfs: ['/run:size=1m']", "medium: Memory sizeLimit: \"1048576\"",
      "target: /run tmpfs: size: 1048576"),
    Example(
      "service: volumes_from",
      "{services: {web: {image: a, volumes: ['d:/data']}, b: {image: a, volumes_from: [web]}}, volumes: {d: }}",
      "volumeMounts: - name: volume-d mountPath: /data", "source: d target: /data"),
    Example(
      "stack: secrets, service: secrets, use of a secret or config: mode, use of a secret or config: uid, "
        + "use of a secret or config: gid",
      "{services: {web: {image: a, secrets: [{source: s, target: /etc/s, mode: 0440, uid: '7', gid: '8'}]}}, "
        + "secrets: {s: {content: hi}}}",
      "mode: 288", "target: /etc/s uid: \"7\" gid: \"8\" mode: 288"),
    Example(
      "stack: configs, service: configs", "{services: {web: {image: a, configs: [c]}}, configs: {c: {content: hi}}}",
      "kind: ConfigMap", "source: web-"),
    Example(
      "stack: networks, service: networks, network attachment: aliases, network: internal, network: labels, "
        + "network: name, network: mtu, network: attachable",
      "{services: {web: {image: a, networks: {net: {aliases: [other]}}}, b: {image: a, networks: [net]}}, "
        + "networks: {net: {internal: true, labels: {k: v}, name: m, mtu: 1400, attachable: true}}}",
      "stack/net-net: true",
      "net: name: m driver: overlay attachable: true internal: true driver_opts: com.docker.network.driver.mtu: \"1400\" "
        + "labels: k: v"),
    Example(
      "network: driver_opts",
      "{services: {web: {image: a, networks: [net]}}, networks: {net: {driver_opts: {com.docker.network.driver.mtu: 1400}}}}",
      nil, "com.docker.network.driver.mtu: \"1400\""),
    Example(
      "network: external, external network: name",
      "{services: {web: {image: a, networks: [net]}}, networks: {net: {external: true, name: m}}}", nil,
      "net: external: true name: m"),
    Example(
      "stack: policies, stack: expect, network: default",
      "{services: {web: {image: a, restart: always}, db: {image: a, restart: always}}, networks: {default: "
        + "{default: deny}}, policies: [{allow: 'web -> db:5432'}], expect: [{allow: 'web -> db:5432'}]}",
      "port: 5432", nil),
  ]

  /// Read before there is anything to export, or about what is left out.
  private static let withoutValue: Set<String> = ["stack: name", "service: env_file", "service: profiles"]

  @Test(arguments: examples) func isThere(example: Example) throws {
    let source = try ExportSource(example.file)
    func words(_ text: String) -> String {
      text.split { "\n \"".contains($0) }.joined(separator: " ")
    }
    if let needle = example.kubernetes {
      let text = words(source.kubernetes().manifests.stream)
      #expect(text.contains(words(needle)), "\(text)")
    }
    if let needle = example.swarm {
      let text = words(SwarmExport(source.input).text)
      #expect(text.contains(words(needle)), "\(text)")
    }
  }

  @Test func eachKeyThatIsKeptHasAnExample() {
    let general = [ExportKeys.withParent, ExportKeys.noEffect, ExportKeys.readHere]
    for entry in ExportKeys.table {
      for key in entry.names.map({ "\(entry.subject): \($0)" }) where !Self.withoutValue.contains(key) {
        let own = Self.examples.filter { $0.keys.contains(key) }
        for (treatment, words) in [(entry.kubernetes, own.map(\.kubernetes)), (entry.swarm, own.map(\.swarm))] {
          let isGeneral = general.contains(treatment) || treatment.text.hasPrefix("the networks alone")
          guard treatment.outcome == .kept, !isGeneral else { continue }
          #expect(words.contains { $0 != nil }, "\(key): \(treatment.text)")
        }
      }
    }
  }
}
