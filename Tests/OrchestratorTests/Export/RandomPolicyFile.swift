import Fuzzing

/// A random stack file with networks, replicas, published ports and rules: the same for the same seed.
struct RandomPolicyFile {
  private var numbers: SeededGenerator
  private var services: [String] = []
  private var networks: [String] = []
  private(set) var text = ""

  init(seed: UInt64) {
    numbers = SeededGenerator(seed: seed)
    text = make()
  }

  private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &numbers) }
  private mutating func isLucky(_ percent: Int) -> Bool { number(1...100) <= percent }
  private mutating func one(_ choices: [String]) -> String { choices[number(0...choices.count - 1)] }

  private mutating func make() -> String {
    let kinds = ["web", "api", "db", "cache"]
    services = (0..<number(2...7)).map { "\(kinds[$0 % 4])\($0 / 4 + 1)" }
    networks = (0..<number(1...3)).map { ["front", "back", "side"][$0] }
    var lines = ["name: random", "services:"]
    for service in services { lines += keys(of: service) }
    lines.append("networks:")
    for (place, network) in networks.enumerated() {
      var keys: [String] = []
      if isLucky(25) { keys.append("internal: true") }
      if isLucky(40) { keys.append("default: deny") }
      if isLucky(30) { keys.append("enable_ipv6: true") }
      if isLucky(50) { keys.append("subnet: 10.7.\(place).0/24") }
      lines.append("  \(network): {\(keys.joined(separator: ", "))}")
    }
    let rules = (0..<number(0...9)).map { _ in "  - \(isLucky(55) ? "allow" : "deny"): \(rule())" }
    if !rules.isEmpty { lines += ["policies:"] + rules }
    return lines.joined(separator: "\n") + "\n"
  }

  private mutating func keys(of name: String) -> [String] {
    var lines = ["  \(name):", "    command: [sleep, infinity]", "    restart: always"]
    var joined = networks.filter { _ in isLucky(55) }
    if joined.isEmpty { joined = [one(networks)] }
    if isLucky(5) {
      lines.append("    network_mode: none")
      return lines
    }
    lines.append("    networks: [\(joined.joined(separator: ", "))]")
    if isLucky(30) { lines.append("    scale: \(number(2...3))") }
    if isLucky(50) { lines.append("    labels: {tier: \(one(["data", "edge"]))}") }
    if isLucky(40), !lines.contains(where: { $0.contains("scale") }) {
      let from = isLucky(40) ? ", from: [\(one(["203.0.113.0/24", "198.51.100.0/24", "203.0.113.0/25"]))]" : ""
      let port = one(["80", "443", "5432"])
      let host = 20000 + number(0...9999)
      lines.append("    ports: [{target: \(port), published: \"\(host)\"\(from)}]")
    }
    return lines
  }

  private mutating func rule() -> String {
    let sources = (0..<number(1...2)).map { _ in peer(isSource: true) }.joined(separator: ",")
    let destinations = (0..<number(1...2)).map { _ in peer(isSource: false) }.joined(separator: ",")
    let ports = one([
      "", "", ":80", ":5432", ":80-90", ":53/udp", ":80,443,53/udp", ":tcp", ":udp", ":icmp", ":1-65535",
    ])
    // An address in a rule swallows what stands after its colon.
    return "\(sources) -> \(destinations)\(ports)"
  }

  private mutating func peer(isSource: Bool) -> String {
    let ranges = ["203.0.113.0/24", "203.0.113.128/25", "198.51.100.0/24", "192.0.2.0/24"]
    switch number(1...20) {
    case 1...6: return one(services)
    case 7: return one(services) + "-1"
    case 8...9: return one(["web*", "api*", "*1", "db?"])
    case 10...12: return "label:tier=" + one(["data", "edge"])
    case 13...14: return "network:" + one(networks)
    case 15: return one(ranges)
    case 16...17: return "internet"
    case 18: return isSource ? "any" : one(services)
    default: return "any"
    }
  }
}
