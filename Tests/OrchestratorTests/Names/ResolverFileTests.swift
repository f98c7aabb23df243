import TestSupport
import Testing
@testable import Addresses
@testable import Intent
@testable import Names

@Suite struct ResolverFileTests {
  private static func files(_ text: String, host: String = "") throws -> [String: String] {
    let stack = try resolve(text)
    let files = ResolverFiles(stack, host: host).files
    #expect(Set(files.map(\.name)).count == files.count)
    return Dictionary(
      uniqueKeysWithValues: stack.services.map { service in
        (service.name, files.first { $0.name == service.resolverFile }?.text ?? "")
      })
  }

  private static let stack = """
    services:
      a: {command: [x], networks: [back, front]}
      b: {command: [x], networks: [back]}
      c: {command: [x], networks: [back], dns: 192.0.2.1, dns_search: [lab.test, test], dns_opt: ["ndots:2", edns0]}
      d: {command: [x], networks: [front], dns_search: .}
    networks: {front: {}, back: {internal: true}}
    """

  @Test func everyoneAsksTheGatewayOfTheWayOut() throws {
    let files = try Self.files(Self.stack)
    #expect(files["a"] == "nameserver 10.208.0.1\noptions ndots:0\n")
    #expect(files["b"] == "nameserver 10.208.1.1\noptions ndots:0\n")
  }

  @Test func theHostsDomainsAndOptionsAreTakenOver() throws {
    let host = """
      # made by hand
      ; and so
      nameserver 127.0.0.53
      domain first.example
      search\texample.com  lab.example\r
      options edns0 trust-ad
      options timeout:3
      """
    let files = try Self.files(Self.stack, host: host)
    #expect(
      files["a"] == "nameserver 10.208.0.1\nsearch example.com lab.example\noptions edns0 trust-ad timeout:3 ndots:0\n")
    #expect(files["c"] == "nameserver 10.208.1.1\nsearch lab.test test\noptions ndots:2 edns0\n")
    #expect(files["d"] == "nameserver 10.208.0.1\noptions edns0 trust-ad timeout:3 ndots:0\n")
  }

  @Test func whoWouldHaveTheSameSharesAFile() throws {
    let stack = try resolve(
      """
      services:
        a: {command: [x]}
        b: {command: [x], dns: 192.0.2.1}
        c: {command: [x], dns_search: lab}
      """)
    let names = stack.services.map(\.resolverFile)
    // Whom to ask is the server's business, not the file's.
    #expect(names[0] == names[1])
    #expect(names[0] != names[2])
    #expect(ResolverFiles(stack, host: "").files.count == 2)
  }

  @Test func theHostsServersAreReadAndReadAgain() throws {
    #expect(
      HostResolvers.servers("nameserver 127.0.0.53\r\n nameserver\t::1\n#nameserver 1.1.1.1\nnameserver x\nsearch y\n")
        .map(\.description) == ["127.0.0.53", "::1"])
    #expect(HostResolvers.servers("").map(\.description) == ["127.0.0.1"])
    #expect(HostResolvers.servers((1...9).map { "nameserver 192.0.2.\($0)\n" }.joined()).count == 3)
    let folder = try TemporaryFolder()
    var resolvers = HostResolvers(path: "\(folder.path)/resolv.conf")
    #expect(resolvers.current().map(\.description) == ["127.0.0.1"])
    try folder.write("resolv.conf", "nameserver 192.0.2.7\n")
    #expect(resolvers.current().map(\.description) == ["192.0.2.7"])
    try folder.write("resolv.conf", "nameserver 192.0.2.77\n")
    #expect(resolvers.current().map(\.description) == ["192.0.2.77"])
  }
}
