import Testing
@testable import Intent
@testable import Names

/// The names in each service's /etc/hosts.
@Suite struct NameViewsTests {
  private static func stack() throws -> DesiredStack {
    try resolve(
      """
      services:
        proxy: {command: [x], networks: {front: {aliases: [www, proxy]}, back: {}}, hostname: edge}
        web: {command: [x], networks: [back], scale: 2}
        db: {command: [x], networks: [back], container_name: postgres}
        guest: {command: [x], networks: [front]}
      networks: {front: {}, back: {}}
      """)
  }

  private static func lines(_ service: String) throws -> [String] {
    let stack = try stack()
    let desired = try #require(stack.service(named: service))
    return NameViews(stack).hostsFile(for: desired).text.split(separator: "\n").map(String.init)
  }

  @Test func aServiceSeesThoseOnItsNetworksByAllTheirNames() throws {
    #expect(
      try Self.lines("guest") == [
        "127.0.0.1\tlocalhost", "# localhost is not ::1: no IPv6 in here.",
        "10.208.0.2\tproxy edge www", "10.208.0.3\tguest",
      ])
  }

  /// Programs listen on all addresses of localhost, and fail where one of them is nobody's.
  @Test func localhostIsWhatTheLoopbackHas() throws {
    let stack = try resolve(
      """
      services:
        old: {command: [x], networks: [four]}
        new: {command: [x], networks: [six]}
        helper: {command: [x], network_mode: "service:new"}
        beside: {command: [x], network_mode: host}
      networks: {four: {}, six: {enable_ipv6: true}}
      """)
    var lines: [String: String] = [:]
    for service in stack.services {
      let text = NameViews(stack).hostsFile(for: service).text
      lines[service.name] = text.split(separator: "\n").dropFirst().first.map(String.init)
    }
    let (with, without) = ("::1\tlocalhost ip6-localhost ip6-loopback", "# localhost is not ::1: no IPv6 in here.")
    #expect(lines == ["old": without, "new": with, "helper": with, "beside": with])
    // A supervisor of this version marks lines in files of the former one.
    #expect(with.utf8.count == without.utf8.count)
  }

  @Test func replicasShareTheNameOfTheirService() throws {
    #expect(
      try Self.lines("db").dropFirst(2) == [
        "10.208.1.2\tproxy edge", "10.208.1.3\tweb-1 web", "10.208.1.4\tweb-2 web", "10.208.1.5\tdb postgres",
      ])
  }

  @Test func whoIsOnTwoNetworksSeesBoth() throws {
    let lines = try Self.lines("proxy")
    #expect(lines.contains("10.208.0.3\tguest") && lines.contains("10.208.1.5\tdb postgres"))
    // Each network with the address there, and its aliases only there.
    #expect(lines.contains("10.208.0.2\tproxy edge www") && lines.contains("10.208.1.2\tproxy edge"))
  }

  @Test func servicesOnTheSameNetworksShareAFile() throws {
    let stack = try Self.stack()
    let files = NameViews(stack).hostsFiles(for: stack)
    #expect(files.count == 3)
    #expect(Set(files.map(\.name)).count == 3)
    #expect(stack.service(named: "web-1")?.hostsFile == stack.service(named: "db")?.hostsFile)
    for service in stack.services {
      #expect(files.contains(NameViews(stack).hostsFile(for: service)))
    }
  }

  @Test func theOrderOfNetworksMakesNoOtherFile() throws {
    let stack = try resolve(
      """
      services: {a: {command: [x], networks: [one, two]}, b: {command: [x], networks: [two, one]}}
      networks: {one: {}, two: {}}
      """)
    #expect(NameViews(stack).hostsFiles(for: stack).count == 1)
  }
}
