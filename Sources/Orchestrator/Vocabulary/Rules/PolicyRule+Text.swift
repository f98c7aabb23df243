import Addresses

// Rules are recorded as the file says them: a thousand are read back in a fraction of the time that a thousand trees of keys
// take, and by people too.

extension PolicyRule {
  /// - Parameter line: as ``line``.
  /// - Returns: nil for what is no rule.
  init?(_ line: String, declaredAt: SourceLine? = nil) {
    guard let colon = line.firstIndex(of: ":"), let action = Action(rawValue: String(line[..<colon])),
      line[colon...].hasPrefix(": ")
    else { return nil }
    let text = String(line[colon...].dropFirst(2))
    guard let rule = RuleText(text) else { return nil }
    let sources = rule.sources.compactMap { PolicyPeer($0.text) }
    let destinations = rule.destinations.compactMap { PolicyPeer($0.text) }
    let ports = (rule.ports ?? []).compactMap { PortSelector($0.text) }
    guard sources.count == rule.sources.count, destinations.count == rule.destinations.count,
      ports.count == rule.ports?.count ?? 0
    else { return nil }
    self.init(action, from: sources, to: destinations, ports: ports, text: text, declaredAt: declaredAt)
  }
}

/// Its line, and its place in the file.
extension PolicyRule: Codable {
  package init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    let line = try container.decode(String.self)
    let place = container.isAtEnd ? nil : SourceLine(try container.decode(String.self))
    guard let rule = PolicyRule(line, declaredAt: place) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(line)\" is no rule")
    }
    self = rule
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(line)
    if let declaredAt { try container.encode(declaredAt.description) }
  }
}

extension PolicyPeer: LosslessStringConvertible {
  package static let networkPrefix = "network:"
  package static let labelPrefix = "label:"

  /// - Returns: nil for what names nobody.
  package init?(_ text: String) {
    switch text {
    case "any": self = .any
    case "host": self = .host
    case "internet": self = .internet
    case _ where text.hasPrefix(Self.networkPrefix):
      let name = String(text.dropFirst(Self.networkPrefix.count))
      guard NameRule.object.problem(with: name) == nil else { return nil }
      self = .network(name)
    case _ where text.hasPrefix(Self.labelPrefix):
      let parts = text.dropFirst(Self.labelPrefix.count).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else { return nil }
      self = .label(key: String(parts[0]), value: String(parts[1]))
    default:
      if Self.mayBeRange(text), let range = Self.range(text) {
        self = .range(range)
      } else if !Self.looksLikeRange(text), NameRule.object.problem(with: Self.plainName(text)) == nil {
        self = NamePattern.isPattern(text) ? .pattern(text) : .service(text)
      } else {
        return nil
      }
    }
  }

  package var description: String {
    switch self {
    case .service(let name), .pattern(let name): name
    case .network(let name): Self.networkPrefix + name
    case .label(let key, let value): "\(Self.labelPrefix)\(key)=\(value)"
    case .range(.v6(let prefix)): "[\(prefix)]"
    case .range(let prefix): prefix.description
    case .host: "host"
    case .internet: "internet"
    case .any: "any"
    }
  }

  /// An address, or a range of them.
  private static func range(_ text: String) -> IPPrefix? {
    let bare = withoutBrackets(text)
    if let prefix = IPPrefix(bare) { return prefix }
    return IPAddress(bare).flatMap { IPPrefix(containing: $0, length: $0.octets.count * 8) }
  }

  /// An address of version 4 begins with a digit, and what else is a range looks like one.
  private static func mayBeRange(_ text: String) -> Bool {
    text.utf8.first.map { (0x30...0x39).contains($0) } ?? false || looksLikeRange(text)
  }

  /// True if a text can be nothing but a range, right or wrong.
  package static func looksLikeRange(_ text: String) -> Bool {
    isBracketed(text) || text.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
  }

  package static func withoutBrackets(_ text: String) -> String {
    isBracketed(text) ? String(text.dropFirst().dropLast()) : text
  }

  private static func isBracketed(_ text: String) -> Bool { text.hasPrefix("[") && text.hasSuffix("]") }

  /// A service's name; of a pattern, one that is like it.
  package static func plainName(_ text: String) -> String {
    NamePattern.isPattern(text) ? "x" + text.filter { $0 != "*" && $0 != "?" } : text
  }
}

extension PortSelector: LosslessStringConvertible {
  /// - Returns: nil for what is no port, no range of them and no transport.
  package init?(_ text: String) {
    if let transport = Transport(rawValue: text) {
      self.init(transport)
      return
    }
    let pieces = text.split(separator: "/", omittingEmptySubsequences: false)
    let numbers = pieces[0].split(separator: "-", omittingEmptySubsequences: false)
    guard pieces.count <= 2, (1...2).contains(numbers.count),
      let transport = pieces.count == 2 ? Transport(rawValue: String(pieces[1])) : .tcp, transport != .icmp,
      let first = Self.number(numbers[0]), let last = Self.number(numbers[numbers.count - 1]), first <= last
    else { return nil }
    self.init(first...last, transport)
  }

  package var description: String {
    if first == 0, last == .max { return transport.rawValue }
    return (first == last ? "\(first)" : "\(first)-\(last)") + "/\(transport.rawValue)"
  }

  private static func number(_ text: Substring) -> UInt16? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(text), number > 0 else {
      return nil
    }
    return number
  }
}
