import Foundation
import TestSupport
import Testing
@testable import Export
@testable import Kernel
@testable import StackFiles

/// Documents for Kubernetes, held to the schema of a current release and to kubectl, and looked at one by one.
@Suite struct KubernetesManifestTests {
  private static let tools = sourceFolder(#filePath, up: 4) + "/.build/python/bin"

  /// A file with as many keys as can be carried.
  static let rich = """
    name: shop
    services:
      web:
        image: nginx:1.27
        restart: always
        entrypoint: [/entry]
        command: [serve, "$$(HOME)", "yes"]
        environment: {LEVEL: "$$(X) on", EMPTY: ""}
        working_dir: /srv
        user: "33:33"
        scale: 2
        cap_add: [NET_ADMIN]
        cap_drop: [CHOWN]
        read_only: true
        security_opt: ["no-new-privileges:true"]
        mem_limit: 64m
        mem_reservation: 32m
        cpus: 0.5
        cpu_shares: 256
        shm_size: 8m
        storage_opt: {size: 1g}
        sysctls: {net.ipv4.tcp_syncookies: "1"}
        group_add: ["44"]
        volumes: ["data:/data", "/etc/shop:/etc/shop:ro", "/var/shop:/var/shop", "/scratch"]
        tmpfs: ["/run:size=16m"]
        networks: {front: {aliases: [store]}, back: {}}
        extra_hosts: ["files=192.0.2.9"]
        dns_search: [lab.example]
        dns_opt: ["ndots:2"]
        ports: ["80"]
        expose: ["9000"]
        depends_on: {db: {condition: service_healthy}, once: {condition: service_started}}
        healthcheck: {test: [CMD, check], interval: 5s, timeout: 2s, retries: 4, start_period: 10s, start_interval: 2s}
        stop_signal: SIGQUIT
        stop_grace_period: 30s
        post_start: [{command: [touch, /run/a]}]
        pre_stop: [{command: [sync]}, {command: [sleep, "1"], working_dir: /srv, environment: {A: "1"}}]
        labels: {team: core, note: "any text, with spaces"}
        platform: linux/arm64
        pull_policy: always
        hostname: front
        tty: true
      side:
        image: busybox:1
        command: [sleep, infinity]
        network_mode: "service:db"
        pid: "service:db"
        restart: always
      db:
        image: postgres:16
        restart: unless-stopped
        networks: [back]
        healthcheck: {test: pg_isready}
        volumes: ["data:/var/lib/data"]
        ports: ["5432:5432", {target: 443, published: "8443", from: [192.0.2.0/24]}]
        expose: ["5432"]
      once:
        image: busybox:1
        command: ["true"]
        networks: [back]
        scale: 2
      again:
        image: busybox:1
        command: ["true"]
        restart: on-failure:3
        networks: [back]
      agent:
        image: busybox:1
        command: [agent]
        network_mode: host
        pid: host
        privileged: true
        restart: always
    networks: {front: {}, back: {internal: true, default: deny}}
    volumes: {data: {labels: {kind: shared}}}
    policies:
      - allow: web* -> db:5432
      - deny: any -> internet:25
      - allow: web-1 -> db:9000-9010,53/udp
    """

  private static let contents = [
    "/etc/shop": BoundContent(
      isFolder: true,
      files: [
        .init(path: "shop.conf", source: "/etc/shop/shop.conf", bytes: Array("yes: no\n".utf8), isExecutable: false),
        .init(path: "bin/run me", source: "/etc/shop/bin/run me", bytes: [0xFF, 0, 1], isExecutable: true),
      ])
  ]

  static func richExport() throws -> KubernetesExport {
    try ExportSource(rich, contents: contents).kubernetes(verifying: true)
  }

  /// Writes a kustomize base, and asks kubectl and the validator about it.
  private static func expectValid(_ export: KubernetesExport, _ name: String) throws {
    let folder = try TemporaryFolder()
    for file in export.files { try folder.write(file.name, file.text) }
    let built = shell("\(tools)/kubectl kustomize \(folder.path) > \(folder.path)/all.yml")
    #expect(built.status == 0, "\(name): \(built.output)")
    try folder.write("stream.yml", export.manifests.stream)
    let checked = shell("cd \(folder.path) && \(tools)/kubernetes-validate -k 1.37 --strict all.yml stream.yml")
    #expect(checked.status == 0, "\(name): \(checked.output)")
    let count = checked.output.split(separator: "\n").count { $0.contains(" passed for resource ") }
    #expect(count == 2 * export.manifests.count, "\(name): \(checked.output)")
  }

  @Test func aRichFileIsValid() throws { try Self.expectValid(try Self.richExport(), "rich") }

  @Test(arguments: ExportSource.exampleFiles) func anExampleIsValid(file: String) throws {
    let export = try ExportSource(example: file).kubernetes(verifying: true)
    if !export.report.isRefused { try Self.expectValid(export, file) }
  }

  @Test func theDocumentsOfARichFile() throws {
    let export = try Self.richExport()
    #expect(!export.report.isRefused, "\(export.report.text())")
    try Golden.expect(export.manifests.stream, "export/rich.yaml")
    try Golden.expect(export.report.text(), "export/rich.report")
  }

  @Test func theSameFileGivesTheSameText() throws {
    #expect(try Self.richExport().manifests.stream == (try Self.richExport().manifests.stream))
  }

  // MARK: - Refusals

  @Test(arguments: [
    ("name: a_b\nservices: {web: {image: a}}", "name"),
    ("services: {Web: {image: a}}", "services.Web"),
    ("services: {web_1: {image: a}}", "services.web_1"),
    ("services: {1web: {image: a}}", "services.1web"),
    ("services: {web: {image: a, networks: {n: {aliases: [db]}}}, db: {image: b}}\nnetworks: {n: {}}", "names.db"),
    ("services: {a: {image: a}, b: {image: b}}\nlinks: [{ends: {a: {}, b: {}}}]", "links"),
  ])
  func isRefused(text: String, key: String) throws {
    let export = try ExportSource(text).kubernetes()
    #expect(export.manifests.isEmpty)
    #expect(export.report.rows.contains { $0.key == key && $0.outcome == .refused }, "\(export.report.text())")
  }

  // MARK: - Single values

  private static func lost(_ service: String, _ key: String, _ words: String) throws {
    let export = try ExportSource("services:\n  web:\n    image: a\n    \(service)\n").kubernetes()
    let row = try #require(export.report.rows.first { $0.key == "services.web.\(key)" })
    #expect(row.outcome == .lost && row.text.contains(words) && row.remedy != nil, "\(row)")
  }

  @Test func aUserOfAnImageThatIsHereHasNumbers() throws {
    let export = try ExportSource(
      "services:\n  web:\n    image: a\n    user: www-data\n",
      users: ["web": NumberedUser(user: 33, group: 34)]
    ).kubernetes()
    let row = try #require(export.report.rows.first { $0.key == "services.web.user" })
    #expect(row.outcome == .kept && row.text.contains("33:34"), "\(row)")
    let lines = export.manifests.stream.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(lines.contains("runAsUser: 33") && lines.contains("runAsGroup: 34"))
  }

  @Test func valuesThatCannotBeSaid() throws {
    try Self.lost("user: www-data", "user", "`www-data`")
    try Self.lost("group_add: [audio]", "group_add", "`audio`")
    try Self.lost("extra_hosts: [\"a=host-gateway\"]", "extra_hosts", "no name for its node")
    try Self.lost("ports: [\"127.0.0.1:8080:80\"]", "ports", "for the host alone")
    try Self.lost("ports: [\"192.0.2.1:8080:80\"]", "ports", "192.0.2.1")
    try Self.lost("ipc: \"service:db\"\n  db:\n    image: b", "ipc", "one pod")
    let awaited = "depends_on: {db: {condition: service_completed_successfully}}"
    let shared = "db:\n    image: b\n    network_mode: \"service:c\"\n  c:\n    image: c"
    try Self.lost("\(awaited)\n  \(shared)", "depends_on", "shares a pod")
    try Self.lost("entrypoint: []", "entrypoint", "own command")
    try Self.lost("tmpfs: [\"/a:nr_inodes=9\"]", "tmpfs", "nr_inodes=9")
    try Self.lost("secrets: [{source: s, uid: \"7\", mode: 0400}]\nsecrets: {s: {content: x}}", "secrets", "7:0's")
  }

  // MARK: - Ends that others wait for

  @Test func theEndOfAJobIsANameThatOthersWaitFor() throws {
    let export = try ExportSource(
      """
      services:
        web: {image: a, restart: always, depends_on: {job: {condition: service_completed_successfully}}}
        job: {image: b, command: [migrate], scale: 2, healthcheck: {test: t}}
      """
    ).kubernetes()
    let job = try #require(export.manifests.first { $0.kind == "Job" && $0.name == "job-2" }).yaml
    let parts = job.components(separatedBy: "      containers:")
    #expect(parts.count == 2 && parts[0].contains("initContainers:") && parts[0].contains("- migrate"), "\(job)")
    #expect(parts[1].contains("name: done") && !parts[1].contains("migrate") && !job.contains("Probe"), "\(job)")
    #expect(job.contains("DisruptionTarget") && job.contains("kubectl.kubernetes.io/default-container: job"), "\(job)")
    for number in 1...2 {
      let name = try #require(export.manifests.first { $0.kind == "Service" && $0.name == "job-\(number)-done" }).yaml
      #expect(name.contains("pod-name: job-\(number)") && !name.contains("publishNotReadyAddresses"), "\(name)")
    }
    let web = try #require(export.manifests.first { $0.kind == "StatefulSet" }).yaml
    #expect(web.contains("nslookup job-1-done") && web.contains("nslookup job-2-done"), "\(web)")
    let rows = export.report.rows
    #expect(rows.contains { $0.key == "services.web.depends_on" && $0.outcome == .kept })
    #expect(rows.contains { $0.key == "services.job" && $0.outcome == .changed && $0.place == "web.stack:3" })
    #expect(rows.contains { $0.key == "services.job.healthcheck" && $0.outcome == .lost })
    try Self.expectValid(export, "job")
  }

  // MARK: - Other shapes

  @Test(arguments: ExportSource.shapes) func aShapeIsValid(file: String) throws {
    let export = try ExportSource(shape: file).kubernetes(verifying: true)
    #expect(
      export.report.rows.allSatisfy { !$0.place.isEmpty || $0.key.hasPrefix("names.") }, "\(export.report.text())")
    if !export.report.isRefused { try Self.expectValid(export, file) }
  }

  @Test func aServiceWithoutReplicasKeepsItsRights() throws {
    let source = try ExportSource("services: {web: {image: a, restart: always, scale: 0, cap_add: [NET_ADMIN]}}")
    let set = try #require(source.kubernetes().manifests.first { $0.kind == "StatefulSet" })
    #expect(set.yaml.contains("NET_ADMIN") && set.yaml.contains("allowPrivilegeEscalation: true"), "\(set.yaml)")
    let swarm = SwarmExport(source.input)
    #expect(swarm.text.contains("NET_ADMIN") && swarm.report.isWhole, "\(swarm.report.text())")
  }

  @Test func secretsStandInAFileThatOthersDoNotRead() throws {
    let source = try ExportSource(
      "{services: {web: {image: a, secrets: [{source: s, target: /etc/s}]}}, secrets: {s: {content: hush}}}")
    let files = source.kubernetes().files
    let coded = Base64.text(Array("hush".utf8))
    #expect(files.filter { $0.text.contains(coded) }.map(\.name) == ["secrets.yaml"])
    #expect(files.filter(\.isSecret).map(\.name) == ["secrets.yaml"])
    let swarm = SwarmExport(source.input)
    #expect(swarm.files.map(\.text) == ["hush"] && swarm.files[0].isSecret)
    #expect(swarm.text.contains("file: \"./\(swarm.files[0].name)\""), "\(swarm.text)")
    var options = ExportOptions()
    options.hasFolder = false
    #expect(!SwarmExport(source.input, options).report.isWhole)
  }

  @Test func stateOfTheHostIsNotCopied() throws {
    let file = "services: {web: {image: a, volumes: ['/proc:/p:ro,rslave', '/etc/hosts:/h:ro']}}"
    var asked: [String] = []
    let source = try ExportSource(file) { path in
      asked.append(path)
      return nil
    }
    #expect(asked == ["/etc/hosts"])
    let text = source.kubernetes().manifests.stream
    #expect(text.contains("path: /proc") && text.contains("mountPropagation: HostToContainer"), "\(text)")
    #expect(SwarmExport(source.input).text.contains("propagation: rslave"))
  }

  /// A pod is asked by the name of its first service, whichever of those in it is waited for.
  @Test(arguments: [("host", ["host-ready"]), ("guest", ["host-ready"]), ("other", ["other-ready"])])
  func whoIsWaitedForHasANameOnceItIsReady(_ awaited: String, _ names: [String]) throws {
    let check = "healthcheck: {test: [CMD, x]}"
    let export = try ExportSource(
      """
      services:
        host: {image: a, \(check)}
        guest: {image: b, network_mode: "service:host", \(check)}
        other: {image: c, \(check)}
        web: {image: d, depends_on: {\(awaited): {condition: service_healthy}}}
      """
    ).kubernetes()
    #expect(export.manifests.map(\.name).filter { $0.hasSuffix("-ready") } == names, "\(export.report.text())")
    #expect(export.manifests.stream.contains("wait-for-"))
  }

  @Test func whatAServiceMayOnlyReadIsReadOnly() throws {
    let export = try ExportSource(
      """
      services:
        a: {image: a, volumes: ["data:/one:ro", "data:/two", "/srv/b:/three:ro", "/srv/c:/four"]}
      volumes: {data: {}}
      """
    ).kubernetes()
    let lines = export.manifests.stream.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    func isReadOnly(_ path: String) throws -> Bool {
      lines[try #require(lines.firstIndex(of: "mountPath: \(path)")) + 1] == "readOnly: true"
    }
    #expect(try ["/one", "/two", "/three", "/four"].map(isReadOnly) == [true, false, true, false])
    // Only what the service may write takes over what the image has in its place.
    #expect(lines.filter { $0 == "mountPath: /stack-volume" }.count == 1)
    #expect(export.manifests.stream.contains("cp -a /two/. /stack-volume/"))
  }

  @Test func aLocalPortIsPublishedToNobody() throws {
    let export = try ExportSource("services: {web: {image: a, ports: [\"127.0.0.1:8080:80\"]}}").kubernetes()
    #expect(!export.manifests.contains { $0.name.hasSuffix("-published") })
    let ingress = try #require(export.manifests.first { $0.name == "ingress-web" })
    #expect(!ingress.yaml.contains("ipBlock"))
  }

  @Test func base64IsThatOfRFC4648() {
    let pairs = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "foobar": "Zm9vYmFy"]
    for (text, encoded) in pairs { #expect(Base64.text(Array(text.utf8)) == encoded) }
  }
}
