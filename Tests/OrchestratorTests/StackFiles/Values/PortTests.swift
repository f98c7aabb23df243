import Testing
@testable import StackFiles

@Suite struct PortTests {
  typealias Port = StackFile.PublishedPort

  private func ports(_ entry: String) -> [Port] {
    services("services: {web: {command: nginx, ports: [\(entry)]}}\nnetworks: {default: {enable_ipv6: true}}").flatMap(
      \.ports)
  }

  /// Address, host ports, container ports, transport, as one text.
  private func summary(_ port: Port) -> String {
    let address = port.address.map { "\($0)" } ?? "any"
    let host =
      switch port.host {
      case .free: "free"
      case .oneOf(let range): "one of \(range.lowerBound)-\(range.upperBound)"
      case .fixed(let range): "\(range.lowerBound)-\(range.upperBound)"
      }
    return "\(address) \(host) \(port.container.lowerBound)-\(port.container.upperBound) \(port.transport.rawValue)"
  }

  @Test(arguments: [
    ("\"8080:80\"", "any 8080-8080 80-80 tcp"),
    ("8080:80", "any 8080-8080 80-80 tcp"),
    ("80", "any free 80-80 tcp"),
    ("\"80\"", "any free 80-80 tcp"),
    ("\"80/udp\"", "any free 80-80 udp"),
    ("\"53:53/udp\"", "any 53-53 53-53 udp"),
    ("\"53:53/UDP\"", "any 53-53 53-53 udp"),
    ("\"0:80\"", "any free 80-80 tcp"),
    ("\"127.0.0.1:8080:80\"", "127.0.0.1 8080-8080 80-80 tcp"),
    ("\"127.0.0.1::80\"", "127.0.0.1 free 80-80 tcp"),
    ("\"0.0.0.0:8080:80\"", "0.0.0.0 8080-8080 80-80 tcp"),
    ("\"[::1]:8080:80\"", "::1 8080-8080 80-80 tcp"),
    ("\"::1:8080:80\"", "::1 8080-8080 80-80 tcp"),
    ("\"[::]:8080:80/udp\"", ":: 8080-8080 80-80 udp"),
    ("\"fd00::1:8080:80\"", "fd00::1 8080-8080 80-80 tcp"),
    ("\"8000-8002:80-82\"", "any 8000-8002 80-82 tcp"),
    ("\"8000-8002:80\"", "any one of 8000-8002 80-80 tcp"),
    ("\"127.0.0.1:8000-8002:80-82/udp\"", "127.0.0.1 8000-8002 80-82 udp"),
    ("\"3000-3005\"", "any free 3000-3005 tcp"),
    ("\"1-65535:1-65535\"", "any 1-65535 1-65535 tcp"),
    ("{target: 80}", "any free 80-80 tcp"),
    ("{target: 80, published: 8080}", "any 8080-8080 80-80 tcp"),
    ("{target: 80, published: \"8080\", mode: host, name: web, app_protocol: http}", "any 8080-8080 80-80 tcp"),
    ("{target: 80, published: \"8080-8085\"}", "any one of 8080-8085 80-80 tcp"),
    ("{target: 53, published: 53, protocol: udp, host_ip: 127.0.0.1}", "127.0.0.1 53-53 53-53 udp"),
  ])
  func areRead(_ entry: String, _ expected: String) {
    #expect(ports(entry).map(summary) == [expected])
  }

  @Test(arguments: [
    ("\"\"", DiagnosticCode.emptyText), ("\":\"", .badPort), ("\":80:\"", .badPort), ("\"a:80\"", .badPort),
    ("\"8080:80:\"", .badPort), ("\"80/icmp\"", .badChoice), ("\"80/\"", .badChoice), ("0", .portOutOfRange),
    ("\"65536:80\"", .portOutOfRange), ("\"99999999999999999999:80\"", .portOutOfRange),
    ("\"80-\"", .badPort), ("\"-80\"", .badPort), ("-80", .badPort), ("\"1-2-3\"", .badPort),
    ("\"82-80\"", .backwardsRange), ("\"8000-8001:80-82\"", .rangeLengths), ("\"8000:80-82\"", .rangeLengths),
    ("\"999.0.0.1:80:80\"", .badAddress), ("\"[::1:80:80\"", .badAddress), ("\"eth0:80:80\"", .badAddress),
    ("\" 8080:80\"", .badPort), ("\"+8080:80\"", .badPort), ("80.5", .badPort), ("true", .badPort),
    ("[80]", .wrongShape), ("null", .wrongShape),
    ("{target: 80, published: x}", .badPort), ("{target: 80, mode: bridge}", .badChoice),
    ("{target: 80, host_ip: x}", .badAddress), ("{target: 80, protocol: x}", .badChoice),
    ("{target: 80, port: 80}", .unknownKey), ("{published: 80}", .missingKey),
  ])
  func areRefused(_ entry: String, _ code: DiagnosticCode) {
    let outcome = load("services: {web: {command: nginx, ports: [\(entry)]}}")
    #expect(outcome.diagnostics.map(\.code) == [code])
    #expect(outcome.stack == nil)
  }

  @Test func pairHostAndContainerPorts() {
    let fixed = ports("\"8000-8002:80-82\"").flatMap(\.pairs)
    #expect(fixed.map(\.host) == [8000, 8001, 8002])
    #expect(fixed.map(\.container) == [80, 81, 82])
    #expect(ports("\"8000-8002:80\"").flatMap(\.pairs).map(\.host) == [nil])
    #expect(ports("\"65535:65535\"").flatMap(\.pairs).map(\.host) == [65535])
  }

  @Test func exposedPortsStayInside() {
    let exposed = services("services: {web: {command: nginx, expose: [80, \"53/udp\", \"8000-8002\"]}}").flatMap(
      \.exposed)
    #expect(exposed.map(\.ports) == [80...80, 53...53, 8000...8002])
    #expect(exposed.map(\.transport) == [.tcp, .udp, .tcp])
    #expect(load("services: {web: {command: nginx, expose: [\"80:80\"]}}").diagnostics.map(\.code) == [.badPort])
  }

  /// Two entries of the host's ports in services a and b, and whether they conflict.
  @Test(arguments: [
    ("8080:80", "8080:81", true), ("8080:80", "8081:80", false), ("8080:80", "8080:80/udp", false),
    ("8080:80", "127.0.0.1:8080:80", true), ("0.0.0.0:8080:80", "127.0.0.1:8080:80", true),
    ("127.0.0.1:8080:80", "127.0.0.2:8080:80", false), ("127.0.0.1:8080:80", "127.0.0.1:8080:81", true),
    ("0.0.0.0:8080:80", "[::]:8080:80", false), ("8080:80", "[::1]:8080:80", true),
    ("[::]:8080:80", "[::1]:8080:80", true), ("8000-8010:80-90", "8005:80", true),
    ("8000-8010:80-90", "8011:80", false), ("80", "80", false), ("8000-8010:80", "8005:80", false),
  ])
  func conflict(_ first: String, _ second: String, _ isConflict: Bool) {
    let text = """
      services:
        a: {command: a, ports: ["\(first)"]}
        b: {command: b, ports: ["\(second)"]}
      networks: {default: {enable_ipv6: true}}
      """
    #expect(load(text).diagnostics.map(\.code) == (isConflict ? [.hostPortConflict] : []))
  }

  @Test func servicesOfDisjointProfilesMayShareAPort() {
    let text = """
      services:
        a: {command: a, ports: ["8080:80"], profiles: [dev]}
        b: {command: b, ports: ["8080:80"], profiles: [prod]}
      """
    #expect(load(text).diagnostics.isEmpty)
  }
}
