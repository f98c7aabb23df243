import Testing
@testable import Addresses
@testable import DNS
@testable import Intent
@testable import Names

/// The names that each service can resolve by DNS.
@Suite struct NameZoneTests {
  private static func stack() throws -> DesiredStack {
    try resolve(
      """
      name: shop
      services:
        proxy: {command: [x], networks: {front: {aliases: [www, shop.example.com]}, back: {}}, hostname: edge}
        web: {command: [x], networks: [back], scale: 3}
        db: {command: [x], networks: [back], container_name: postgres, dns: 192.0.2.1}
        guest: {command: [x], networks: [front]}
      networks: {front: {}, back: {internal: true}}
      """)
  }

  /// The answer to a service's query: addresses, a name, or the response code.
  private static func ask(
    _ name: String, type: UInt16 = RecordType.a, from service: String, gone: Set<String> = [],
    address: String? = nil
  ) throws -> [String] {
    let stack = try stack()
    let zone = NameZone(stack)
    let attachment = try #require(stack.service(named: service)?.attachments.first)
    let network = try #require(stack.networks.firstIndex { $0.name == attachment.network })
    let source = try #require(address.map { IPAddress($0) } ?? attachment.addresses.first)
    guard let asker = zone.asker(at: source, on: network) else { return ["nobody"] }
    var found: [IPAddress] = []
    let wire = DNSMessages.wire(name)
    let answer = zone.look(up: wire.span, type: type, for: asker, into: &found) { number in
      gone.contains { zone.services[$0] == number }
    }
    switch answer {
    case .addresses: return found.map(\.description)
    case .pointer(let name): return ["\(name)"]
    case .unknown: return ["unknown"]
    case .elsewhere: return ["elsewhere"]
    }
  }

  @Test(arguments: ["proxy", "PROXY", "proxy-1", "edge", "www", "shop.example.com", "proxy.front.shop.stack"])
  func aServiceIsFoundByAllItsNames(name: String) throws {
    #expect(try Self.ask(name, from: "guest") == ["10.208.0.2"])
  }

  @Test func replicasAreFoundTogetherAndOneByOne() throws {
    #expect(try Self.ask("web", from: "db") == ["10.208.1.3", "10.208.1.4", "10.208.1.5"])
    #expect(try Self.ask("web-2", from: "db") == ["10.208.1.4"])
    #expect(try Self.ask("web.back.shop.stack", from: "db").count == 3)
    #expect(try Self.ask("postgres", from: "web-1") == ["10.208.1.6"])
  }

  @Test func whoIsOnTwoNetworksIsToldOfTheFirstThatHasTheName() throws {
    #expect(try Self.ask("guest", from: "proxy") == ["10.208.0.3"])
    #expect(try Self.ask("db", from: "proxy") == ["10.208.1.6"])
    #expect(try Self.ask("proxy", from: "proxy") == ["10.208.0.2"])
  }

  @Test func namesOfANetworkThatOneIsNotOnDoNotResolve() throws {
    for name in ["db", "web", "web-1", "postgres", "db.back.shop.stack", "www.back.shop.stack"] {
      #expect(try Self.ask(name, from: "guest") == ["unknown"], "\(name)")
    }
    // An alias counts only on its network.
    #expect(try Self.ask("www", from: "db") == ["unknown"])
  }

  @Test func aNameWithoutAnAddressOfTheFamilyIsThere() throws {
    for type in [RecordType.aaaa, 15, 65] { #expect(try Self.ask("proxy", type: type, from: "guest") == []) }
    for name in ["stack", "shop.stack", "front.shop.stack"] { #expect(try Self.ask(name, from: "guest") == []) }
    #expect(try Self.ask("proxy", type: RecordType.any, from: "guest") == ["10.208.0.2"])
  }

  @Test func whatHasEndedIsNotThere() throws {
    #expect(try Self.ask("web", from: "db", gone: ["web-1", "web-3"]) == ["10.208.1.4"])
    #expect(try Self.ask("web-1", from: "db", gone: ["web-1"]) == ["unknown"])
    #expect(try Self.ask("web", from: "db", gone: ["web-1", "web-2", "web-3"]) == ["unknown"])
    // Nor is it looked for elsewhere, where another might have the name.
    #expect(try Self.ask("shop.example.com", from: "guest", gone: ["proxy"]) == ["unknown"])
  }

  @Test func allElseIsLookedForElsewhere() throws {
    for name in ["example.com", "nothing", "stack.example", "xstack", "a.xstack", "localhost.example"] {
      #expect(try Self.ask(name, from: "guest") == ["elsewhere"], "\(name)")
      #expect(try Self.ask(name, from: "db") == ["unknown"], "\(name), from an internal network")
      #expect(try Self.ask(name, from: "proxy") == ["elsewhere"], "\(name), from two networks")
    }
    #expect(try Self.ask("nothing.shop.stack", from: "guest") == ["unknown"])
    #expect(try Self.ask("other.stack", from: "guest") == ["unknown"])
    // A label may hold what looks like the domain.
    let odd: [UInt8] = [7, 0x61] + DNSMessages.wire("stack")
    #expect(DNSName(labels: ["a\u{5}stack"])?.wire == odd)
  }

  @Test func localhostStaysHome() throws {
    #expect(try Self.ask("localhost", from: "guest") == ["127.0.0.1"])
    #expect(try Self.ask("x.LocalHost", type: RecordType.aaaa, from: "db") == ["::1"])
  }

  @Test func addressesHaveNames() throws {
    func name(_ address: String, from service: String, gone: Set<String> = []) throws -> [String] {
      let reversed = address.split(separator: ".").reversed().joined(separator: ".") + ".in-addr.arpa"
      return try Self.ask(reversed, type: RecordType.pointer, from: service, gone: gone)
    }
    #expect(try name("10.208.1.4", from: "db") == ["web-2.back.shop.stack."])
    #expect(try name("10.208.0.2", from: "guest") == ["proxy.front.shop.stack."])
    #expect(try name("10.208.0.2", from: "guest", gone: ["proxy"]) == ["unknown"])
    #expect(try name("10.208.1.4", from: "guest") == ["unknown"], "of a network that one is not on")
    #expect(try name("10.208.0.99", from: "guest") == ["unknown"])
    #expect(try name("192.0.2.1", from: "guest") == ["elsewhere"])
    #expect(try name("192.0.2.1", from: "db") == ["unknown"])
  }

  @Test func onlyAddressesOfTheNetworkAreAnswered() throws {
    #expect(try Self.ask("proxy", from: "guest", address: "203.0.113.7") == ["nobody"])
    #expect(try Self.ask("proxy", from: "guest", address: "10.208.1.3") == ["nobody"], "another network's")
    // Someone on the network that is no service sees that network.
    #expect(try Self.ask("proxy", from: "guest", address: "10.208.0.1") == ["10.208.0.2"])
    #expect(try Self.ask("db", from: "guest", address: "10.208.0.1") == ["unknown"])
  }

  @Test func manyNamesAreKeptApart() throws {
    var index = WireNameIndex()
    let names = try (0..<5000).map { try #require(DNSName("s\($0).front")) }
    for (number, name) in names.enumerated() { #expect(index.insert(name) == number) }
    for (number, name) in names.enumerated() { #expect(index.insert(name) == number) }
    #expect(index.count == 5000)
    func find(_ name: String) -> Int? { index.find(DNSMessages.wire(name).span) }
    #expect(find("S77.fRont") == 77)
    #expect(find("s5000.front") == nil)
  }
}
