import Testing
@testable import Addresses
@testable import StackFiles
@testable import Vocabulary

@Suite struct ServiceTests {
  private func web(_ keys: String) -> StackFile.Service? {
    let outcome = load("services: {web: {command: nginx, \(keys)}, db: {command: db, healthcheck: {test: ok}}}")
    #expect(DiagnosticRenderer().render(outcome.diagnostics) == "")
    return outcome.stack?.services["web"]
  }

  @Test func hasDefaults() throws {
    let service = try #require(web(""))
    #expect(service.rootfs.value == .host)
    #expect(service.hasInit)
    #expect(service.stopGracePeriod == .seconds(10))
    #expect(service.scale.value == 1)
    #expect(service.restart == .no)
    #expect(service.attachments.map(\.network.value) == ["default"])
    #expect(service.healthCheck == nil && service.user == nil && service.hostname == nil)
  }

  @Test func rootFolders() {
    #expect(web("rootfs: host")?.rootfs.value == .host)
    #expect(web("rootfs: ./alpine")?.rootfs.value == .folder(path: "/lab/alpine", mode: .overlay))
    #expect(
      web("rootfs: {path: ~/alpine, mode: direct}")?.rootfs.value == .folder(path: "/home/ada/alpine", mode: .direct))
    #expect(load("services: {web: {command: a, rootfs: /}}").diagnostics.map(\.code) == [.badPath])
    #expect(load("services: {web: {command: a, rootfs: {mode: direct}}}").diagnostics.map(\.code) == [.missingKey])
  }

  @Test func processKeys() throws {
    let service = try #require(
      web(
        "entrypoint: \"sh -c\", working_dir: /srv/../www/, user: \"1000:www-data\", hostname: web.lab, domainname: lab, "
          + "init: false, tty: true, stdin_open: true, read_only: true, stop_signal: SIGQUIT, stop_grace_period: 1m30s")
    )
    #expect(service.arguments == ["sh", "-c", "nginx"])
    #expect(service.workingDirectory?.value == "/www")
    #expect(service.user?.value == StackFile.User(user: "1000", group: "www-data"))
    #expect(service.hostname?.value == "web.lab")
    #expect(service.domainname?.value == "lab")
    #expect(!service.hasInit && service.hasTerminal && service.keepsStandardInputOpen && service.isReadOnly)
    #expect(service.stopSignal?.value.number == 3)
    #expect(service.stopGracePeriod == .seconds(90))
  }

  @Test func listsOfWordsAreTakenAsTheyAre() {
    let found = services("services: {web: {command: [sleep, 60, \"a b\", true, \"\", 1.10]}}")
    #expect(found.first?.arguments == ["sleep", "60", "a b", "true", "", "1.10"])
  }

  @Test(arguments: ["\"a:b:c\"", "\"a b\"", "../x", "4294967295", "99999999999"])
  func usersAreChecked(_ user: String) {
    let codes = load("services: {web: {command: nginx, user: \(user)}}").diagnostics.map(\.code)
    #expect(codes == [.badOption] || codes == [.emptyText])
  }

  @Test(arguments: [
    ("\"1000:\"", StackFile.User(user: "1000")), ("\":1000\"", StackFile.User(user: "0", group: "1000")), ("\"\"", nil),
    ("", nil),
  ])
  func halvesOfUsersMayBeLeftOut(_ text: String, _ user: StackFile.User?) {
    #expect(services("services: {web: {command: nginx, user: \(text)}}").first?.user?.value == user)
  }

  @Test func attachments() throws {
    let outcome = load(
      """
      services:
        web:
          command: nginx
          networks:
            front:
              ipv4_address: 10.1.0.10
              mac_address: 02:42:0a:01:00:0a
              aliases: [www, www.lab]
              gw_priority: 5
            back:
      networks:
        front:
          name: lab-front
          driver: bridge
          internal: true
          labels: [a=b]
          ipam:
            driver: default
            config:
              - {subnet: 10.1.0.0/24, gateway: 10.1.0.254, ip_range: 10.1.0.128/25}
        back: {subnet: 10.2.0.0/24}
      """)
    #expect(outcome.diagnostics.isEmpty)
    let stack = try #require(outcome.stack)
    let attachments = try #require(stack.services["web"]).attachments
    #expect(attachments.map(\.network.value) == ["front", "back"])
    #expect(attachments.first?.address?.value == IPv4Address("10.1.0.10"))
    #expect(attachments.first?.mac?.value == MACAddress("02:42:0a:01:00:0a"))
    #expect(attachments.first?.aliases.map(\.value) == ["www", "www.lab"])
    #expect(attachments.map(\.gatewayPriority) == [5, 0])
    let front = try #require(stack.networks["front"])
    #expect(front.givenName?.value == "lab-front")
    #expect(front.isInternal)
    #expect(front.gateway?.value == IPv4Address("10.1.0.254"))
    #expect(front.addressRange?.value == IPv4Prefix("10.1.0.128/25"))
    #expect(!front.isImplicit)
    #expect(stack.networks["default"] == nil)
  }

  @Test func aliasesMayBeShared() {
    let text = """
      services:
        a: {command: a, networks: {front: {aliases: [www]}}}
        b: {command: b, networks: {front: {aliases: [www]}}}
      networks: {front: }
      """
    #expect(load(text).diagnostics.isEmpty)
  }

  @Test func theDefaultNetworkIsThereWhenItIsUsed() {
    let stack = load("services: {a: {command: a, networks: [default]}}").stack
    #expect(stack?.networks["default"]?.isImplicit == true)
    let declared = load("services: {a: {command: a}}\nnetworks: {default: {internal: true}}").stack
    #expect(declared?.networks["default"]?.isImplicit == false)
    #expect(declared?.networks["default"]?.isInternal == true)
  }

  @Test func dependencies() {
    #expect(web("depends_on: [db, db]")?.dependencies.map(\.service.value) == ["db"])
    let dependency = web("depends_on: {db: {condition: service_healthy, required: false, restart: true}}")?
      .dependencies.first
    #expect(dependency?.condition == .healthy)
    #expect(dependency?.isRequired == false)
    #expect(dependency?.restartsWithIt == true)
    #expect(load("services: {a: {command: a, depends_on: {b: {required: false}}}}").diagnostics.isEmpty)
  }

  @Test(
    arguments: [
      ("no", .no), ("\"no\"", .no), ("false", .no), ("always", .always), ("unless-stopped", .unlessStopped),
      ("on-failure", .onFailure(maximumRetries: nil)), ("\"on-failure:3\"", .onFailure(maximumRetries: 3)),
      ("\"on-failure:0\"", .onFailure(maximumRetries: nil)),
    ] as [(String, StackFile.RestartPolicy)])
  func restartPolicies(_ text: String, _ policy: StackFile.RestartPolicy) {
    #expect(web("restart: \(text)")?.restart == policy)
  }

  @Test func healthChecks() throws {
    let check = try #require(
      web(
        "healthcheck: {test: [CMD, curl, localhost], interval: 5s, timeout: 1s, retries: 2, start_period: 1m, start_interval: 1s}"
      )?.healthCheck)
    #expect(check.test.value == .command(["curl", "localhost"]))
    #expect(check.interval == .seconds(5) && check.timeout == .seconds(1) && check.retries == 2)
    #expect(check.startPeriod == .seconds(60) && check.startInterval == .seconds(1))
    #expect(web("healthcheck: {test: curl localhost}")?.healthCheck?.test.value == .shell("curl localhost"))
    #expect(web("healthcheck: {test: [CMD-SHELL, \"a && b\"]}")?.healthCheck?.test.value == .shell("a && b"))
    #expect(web("healthcheck: {test: [NONE]}")?.healthCheck == nil)
    #expect(web("healthcheck: {disable: true}")?.healthCheck == nil)
    let defaults = try #require(web("healthcheck: {test: x}")?.healthCheck)
    #expect(defaults.interval == .seconds(30) && defaults.timeout == .seconds(30) && defaults.retries == 3)
    #expect(defaults.startPeriod == .zero && defaults.startInterval == .seconds(5))
  }

  @Test(arguments: [
    ("{test: []}", DiagnosticCode.emptyText), ("{test: [CMD]}", .emptyText), ("{test: [curl]}", .badChoice),
    ("{test: [CMD-SHELL, a, b]}", .wrongShape), ("{test: x, retries: -1}", .numberOutOfRange),
    ("{test: x, interval: 1us}", .badDuration), ("{test: {}}", .wrongShape), ("x", .wrongShape),
  ])
  func healthChecksAreChecked(_ text: String, _ code: DiagnosticCode) {
    #expect(load("services: {web: {command: nginx, healthcheck: \(text)}}").diagnostics.map(\.code) == [code])
  }

  @Test func scaleComesInTwoForms() {
    #expect(web("scale: 3")?.scale.value == 3)
    #expect(web("deploy: {mode: replicated, replicas: 4}")?.scale.value == 4)
    #expect(web("scale: 2, deploy: {replicas: 2}")?.scale.value == 2)
    #expect(web("scale: 0")?.scale.value == 0)
  }

  @Test func extrasMayStandUnderXStack() {
    let text = """
      x-stack: {networks: {front: {subnet: 10.1.0.0/24}}}
      services:
        web:
          x-stack: {rootfs: ./web, command: nginx}
          x-other: {anything: at all}
          networks: [front]
      x-anything: 1
      """
    let stack = load(text).stack
    #expect(stack?.services["web"]?.rootfs.value == .folder(path: "/lab/web", mode: .overlay))
    #expect(stack?.networks["front"]?.subnet?.value == IPv4Prefix("10.1.0.0/24"))
  }

  @Test func everyUnsupportedKeyHasARemedy() {
    for key in ServiceKeys.table.keys {
      guard case .notSupported(let remedy) = key.handling else { continue }
      let diagnostics = load("services: {web: {command: nginx, \(key.name): {}}}").diagnostics
      #expect(diagnostics.map(\.code) == [.notSupported])
      #expect(diagnostics.first?.help == [remedy])
    }
  }

  @Test func keysAreUnique() {
    let names = ServiceKeys.table.keys.map(\.name)
    #expect(Set(names).count == names.count)
  }

  @Test(arguments: [
    ("web.stack", "web"), ("lab/web.yaml", "lab"), ("lab/docker-compose-v7.yml", "lab"), ("lab/compose.yaml", "lab"),
    ("My_Lab/docker-compose.yml", "my_lab"),
    ("x/compose.override.yaml", "x"), ("Web 1.stack", "web1"), ("_-web.stack", "web"),
  ])
  func theNameComesFromThePath(_ path: String, _ name: String) {
    let files = FilesInMemory(["/\(path)": "services: {web: {command: nginx}}"])
    let loader = StackFileLoader(files: files, environment: [:], workingFolder: "/")
    #expect(loader.load([path]).stack?.name.value == name)
    #expect(loader.load([path], name: "given").stack?.name.value == "given")
    #expect(loader.load([path], name: "../x").diagnostics.map(\.code) == [.badName])
  }

  @Test func aPathMayGiveNoName() {
    let loader = StackFileLoader(
      files: FilesInMemory(["/网.stack": "services: {web: {command: nginx}}"]), environment: [:], workingFolder: "/")
    #expect(loader.load(["网.stack"]).diagnostics.map(\.code) == [.badName])
  }
}
