import Testing
@testable import Addresses
@testable import Intent
@testable import Verify

/// The cells of the matrix, and their predictions from the file alone.
@Suite struct ReachMatrixTests {
  private func forecasts(_ text: String) throws -> [String: Bool] {
    let checks = ReachMatrix(try resolve(text), nextHop: hop).checks()
    return Dictionary(checks.map { ($0.name, $0.isPredicted) }) { first, _ in first }
  }

  @Test func columnsAreDeclaredPortsAndThoseThatRulesName() throws {
    let labels = ReachMatrix(try resolve(shop), nextHop: hop).columns.map(\.label)
    #expect(
      labels == [
        "web:80", "api@front:81", "api@front:53/udp", "api@front:22", "api@back:81", "api@back:53/udp", "api@back:22",
        "db:5432", "idle icmp", "host:8080", "host@front icmp", "host@back icmp", "internet icmp", "internet:443",
      ])
  }

  @Test func withoutAWayOutThereIsNoColumnForTheInternet() throws {
    let matrix = ReachMatrix(try resolve(shop), nextHop: nil)
    #expect(!matrix.columns.contains { $0.target == .internet })
  }

  @Test func nobodyIsAskedAboutItself() throws {
    for check in ReachMatrix(try resolve(shop), nextHop: hop).checks() {
      if case .service(let name, _, _) = check.column.target { #expect(check.source != .service(name)) }
      if case .host = check.column.target { #expect(check.source != .host) }
    }
  }

  @Test func networksPoliciesAndDefaultsDecide() throws {
    let forecasts = try forecasts(shop)
    let expected = [
      "web -> api@front:81": true, "idle -> api@front:81": false, "idle -> api@front:53/udp": true,
      // Another network, and no rule that leads there.
      "web -> api@back:81": false, "web -> db:5432": false, "db -> web:80": false,
      "api -> db:5432": true, "db -> api@back:81": false, "host -> db:5432": false, "host -> web:80": true,
      "web -> host@front icmp": true, "web -> host@back icmp": false, "db -> host@back icmp": false,
      "web -> internet icmp": true, "api -> internet icmp": true, "db -> internet icmp": false,
      "host -> host:8080": true, "web -> host:8080": true, "api -> host:8080": true,
    ]
    for (name, isAllowed) in expected { #expect(forecasts[name] == isAllowed, "\(name)") }
  }

  @Test func publishedPortsAreAskedWhereTheyLead() throws {
    let stack = try resolve(shop)
    let web = try #require(stack.service(named: "web")?.attachments.first)
    let front = try #require(stack.network(named: "front"))
    let checks = ReachMatrix(stack, nextHop: hop).checks().filter { $0.column.label == "host:8080" }
    let arrival = ReachQuestion.Arrival(place: "web", address: .v4(web.address), port: 80)
    let byHost = try #require(checks.first { $0.source == .host })
    #expect(
      byHost.probes.map(\.question) == [
        ReachQuestion(source: "the host", destination: .v4(.loopback), traffic: .tcp(8080), arrival: arrival)
      ])
    let byIdle = try #require(checks.first { $0.source == .service("idle") })
    #expect(
      byIdle.probes.map(\.question) == [
        ReachQuestion(source: "idle", destination: .v4(front.gateway), traffic: .tcp(8080), arrival: arrival)
      ])
  }

  @Test func publishedPortsAreAskedByBothFamilies() throws {
    let stack = try resolve(
      """
      services: {a: {command: [x], ports: ["8080:80"]}, b: {command: [x]}}
      networks: {default: {enable_ipv6: true}}
      """)
    let (a, network) = (try #require(stack.services.first?.attachments.first), stack.networks[0])
    let checks = ReachMatrix(stack, nextHop: nil).checks().filter { $0.column.label == "host:8080" }
    func questions(of source: ReachPeer) -> [ReachQuestion] {
      checks.first { $0.source == source }?.probes.map(\.question) ?? []
    }
    #expect(questions(of: .host).map(\.destination) == [.v4(.loopback), .v6(.loopback)])
    #expect(questions(of: .service("b")).map(\.destination) == network.hostAddresses)
    #expect(network.hostAddresses.count == 2)
    for source in [ReachPeer.host, .service("b")] {
      #expect(questions(of: source).compactMap(\.arrival?.address) == a.addresses)
    }
  }

  @Test func aPortOnTheLoopbackAddressIsTheHostsAlone() throws {
    let stack = try resolve("services: {a: {command: [x], ports: ['127.0.0.1:8080:80']}, b: {command: [x]}}")
    let checks = ReachMatrix(stack, nextHop: nil).checks().filter { $0.column.label == "host:127.0.0.1:8080" }
    #expect(checks.map(\.source) == [.host])
  }

  @Test func aPortIsForThoseOnItsList() throws {
    let stack = try resolve(
      """
      services:
        a:
          command: [x]
          networks: [n]
          ports: [{target: 80, published: "8080", from: [10.1.0.8/30, 10.1.0.20]}]
        near: {command: [x], networks: {n: {ipv4_address: 10.1.0.9}}}
        named: {command: [x], networks: {n: {ipv4_address: 10.1.0.20}}}
        other: {command: [x], networks: {n: {ipv4_address: 10.1.0.21}}}
      networks: {n: {subnet: 10.1.0.0/24}}
      """)
    let checks = ReachMatrix(stack, nextHop: nil).checks().filter { $0.column.label == "host:8080" }
    let forecasts = Dictionary(
      checks.map { ("\($0.source)", $0.probes.map(\.forecast)) }, uniquingKeysWith: { first, _ in first })
    #expect(forecasts["near"]?.map(\.isAllowed) == [true])
    #expect(forecasts["named"]?.map(\.isAllowed) == [true])
    #expect(forecasts["other"]?.map(\.isAllowed) == [false])
    #expect(forecasts["other"]?.map(\.because) == ["denied since the port is not for 10.1.0.21 (web.stack:5)"])
    #expect(forecasts["host"]?.map(\.isAllowed) == [false], "it asks by its loopback address")
  }

  @Test func reasonsNameTheLine() throws {
    let checks = ReachMatrix(try resolve(shop), nextHop: hop).checks()
    func because(_ name: String) -> String { checks.first { $0.name == name }?.probes.first?.forecast.because ?? "" }
    #expect(because("idle -> api@front:81") == "denied by web.stack:12, deny: idle -> api:81")
    #expect(because("db -> api@back:81") == "denied by default in network back (web.stack:9)")
    #expect(because("web -> db:5432") == "denied since no rule leads from one to the other")
  }

  @Test func ofARangeThatIsExposedTheEndsAreAsked() throws {
    let text = "services: {a: {command: [x]}, b: {command: [x], expose: ['80', '9000-9010', '9000-9001/udp']}}"
    let stack = try resolve(text)
    let labels = ReachMatrix(stack, nextHop: nil).columns.map(\.label).filter { $0.hasPrefix("b") }
    #expect(labels == ["b:80", "b:9000", "b:9010", "b:9000/udp", "b:9001/udp"])
    #expect(stack.service(named: "b")?.readyPorts.map(\.port) == [80], "nothing of a range is waited for")
  }

  @Test func aHundredServicesAreNoTrouble() throws {
    let text = "services: {web: {command: [x], scale: 100, expose: ['80', '81']}}"
    #expect(ReachMatrix(try resolve(text), nextHop: nil).checks().count == 100 * 99 * 2 + 100 * 2 + 100)
  }
}
