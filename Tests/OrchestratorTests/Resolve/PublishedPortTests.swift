import Testing
@testable import Intent
@testable import Resolve
@testable import StackFiles
@testable import Vocabulary

/// The host's ports that lead to a service.
@Suite struct PublishedPortTests {
  private static func publishing(_ ports: String..., scale: Int = 1) -> String {
    let services = ports.enumerated().map { "  web\($0 + 1): {command: [x], scale: \(scale), ports: \($1)}\n" }
    return "services:\n" + services.joined()
  }

  private static let nginx = HostFacts.PortUser.process(name: "nginx", pid: 412)

  @Test func aFixedPortInUseIsRefusedByTheNameOfItsUser() {
    let text = Self.publishing("['8081:80']")
    let byProcess = obstacles(text, on: .using().with(port: 8081, of: Self.nginx))
    #expect(
      byProcess.map(\.description) == [
        """
        web/web1: cannot publish 0.0.0.0:8081/tcp: in use by nginx (pid 412)
          choose another host port in web.stack:2, or stop that process
        """
      ])
    let byStack = obstacles(text, on: .using().with(port: 8081, of: .stack("lab")))
    #expect(byStack.first?.message == "cannot publish 0.0.0.0:8081/tcp: in use by stack lab")
    #expect(byStack.first?.remedy?.hasSuffix("or take that stack down: stack down lab") == true)
    let unknown = obstacles(text, on: .using().with(port: 8081, of: .socket))
    #expect(unknown.first?.message.hasSuffix("in use by a process that cannot be seen from here") == true)
    #expect(obstacles(text, on: .using().with(port: 8081, .udp, of: Self.nginx)).isEmpty)
  }

  @Test func aWildcardIsInTheWayOfEachAddressAndEachAddressOfIt() {
    let everywhere = Self.publishing("['80:80']")
    let local = Self.publishing("['127.0.0.1:80:80']")
    #expect(obstacles(everywhere, on: .using().with(port: 80, at: "127.0.0.1", of: Self.nginx)).count == 1)
    #expect(obstacles(local, on: .using().with(port: 80, of: Self.nginx)).count == 1)
    #expect(obstacles(local, on: .using().with(port: 80, at: "127.0.0.1", of: Self.nginx)).count == 1)
    #expect(obstacles(local, on: .using().with(port: 80, at: "10.0.0.1", of: Self.nginx)).isEmpty)
  }

  @Test func allThatIsInTheWayIsReported() {
    let errors = obstacles(
      Self.publishing("['81:80', '82:80']", "['83:80']"),
      on: .using().with(port: 81, of: Self.nginx).with(port: 82, of: Self.nginx).with(port: 83, of: Self.nginx))
    #expect(errors.map(\.subject) == ["web/web1", "web/web1", "web/web2"])
  }

  @Test func replicasThatWantTheSamePortAreToldOfEachOther() throws {
    // The file's own check knows the file's numbers; the command line can ask for others.
    var file = try #require(load(Self.publishing("['8081:80']")).stack)
    file.services["web1"]?.scale.value = 2
    let services = Array(file.services)
    let failure = #expect(throws: StackErrors.self) {
      try Resolver.resolve(
        file, services: services, facts: .using(), previous: nil, folder: StateFolders().stack("web"))
    }
    #expect(failure?.errors.map(\.message) == ["cannot publish 0.0.0.0:8081/tcp: in use by service web1-1"])
  }

  @Test func aRangeGoesPortByPort() throws {
    let stack = try resolve(Self.publishing("['8000-8002:80-82']"))
    #expect(stack.services[0].ports.map(\.summary) == ["8000->80/tcp", "8001->81/tcp", "8002->82/tcp"])
    // A range says where a service may listen, not that it will.
    #expect(stack.services[0].readyPorts.isEmpty)
  }

  @Test func oneOfARangeIsTheFirstFree() throws {
    let facts = HostFacts.using().with(port: 8000, of: Self.nginx)
    let stack = try resolve(Self.publishing("['8000-8002:80']", scale: 2), on: facts)
    #expect(stack.services.flatMap(\.ports).map(\.hostPort) == [8001, 8002])
    #expect(
      obstacles(Self.publishing("['8000-8001:80']"), on: facts.with(port: 8001, of: Self.nginx)).map(\.message)
        == ["no port in 8000-8001 is free"])
  }

  @Test func aChosenPortLeavesTheFixedOnesAlone() throws {
    let stack = try resolve(Self.publishing("['80']", "['49152:80']"))
    #expect(stack.hostPorts(of: "web1") == [49153])
    #expect(stack.hostPorts(of: "web2") == [49152])
  }

  @Test func chosenPortsStayWhenOthersCome() throws {
    let before = try resolve(Self.publishing("['80']"))
    #expect(before.hostPorts(of: "web1") == [49152])
    let text =
      "services:\n  new: {command: [x], ports: ['80']}\n  web1: {command: [x], ports: ['81', '80', '80/udp']}\n"
    let after = try resolve(text, previous: before)
    #expect(after.hostPorts(of: "web1") == [49154, 49152, 49152])
    #expect(after.hostPorts(of: "new") == [49153])
    #expect(try resolve(text, previous: after) == after)
  }

  @Test func anotherTransportsPortIsNotTakenForOnesOwn() throws {
    let busy = HostFacts.using().with(port: 49152, .udp, of: Self.nginx)
    let text = Self.publishing("['53', '53/udp']")
    let before = try resolve(text, on: busy)
    #expect(before.hostPorts(of: "web1") == [49152, 49153])
    #expect(try resolve(text, previous: before) == before)
  }

  @Test func aKeptPortThatIsTakenByNowIsChosenAnew() throws {
    let before = try resolve(Self.publishing("['80']"))
    let after = try resolve(Self.publishing("['80']"), on: .using().with(port: 49152, of: Self.nginx), previous: before)
    #expect(after.hostPorts(of: "web1") == [49153])
  }

  @Test func aServiceIsReadyWhenItListensOnWhatItPublishesAndExposes() throws {
    let stack = try resolve(
      "services: {a: {command: [x], ports: ['8080:80', '8081:80', '53:53/udp'], expose: ['80', '90']}}")
    #expect(stack.services[0].readyPorts.map(\.description) == ["tcp 80", "udp 53", "tcp 90"])
  }
}
