import Netlink

extension Field {
  /// `policies:` or `expect:`: a list of `allow: peers -> peers[:ports]` and `deny:` likewise.
  func rules() -> [StackFile.Rule] {
    items()?.compactMap { $0.rule() } ?? []
  }

  private func rule() -> StackFile.Rule? {
    let help = ["write `- allow: web -> db:5432` or `- deny: any -> db`"]
    guard let entries = node.entries, let entry = entries.first else {
      report(.badRule, "a rule is `allow:` or `deny:` with what it is about", "this is \(node.kind)", help: help)
      return nil
    }
    if let second = entries.dropFirst().first {
      report(
        .badRule, "a rule says one thing", "\"\(second.key.value)\" is a second", at: second.key.span,
        help: ["begin each rule with a `-` of its own"])
      return nil
    }
    guard let action = PolicyRule.Action(rawValue: entry.key.value) else {
      let actions = PolicyRule.Action.allCases.map(\.rawValue)
      report(
        .badRule, "a rule cannot be \"\(Self.shortened(entry.key.value))\"",
        Suggestion.question(about: entry.key.value, among: actions), at: entry.key.span, help: help)
      return nil
    }
    return self.entry(entry).rule(action)
  }

  private func rule(_ action: PolicyRule.Action) -> StackFile.Rule? {
    guard let text = nonEmptyText() else { return nil }
    guard let parts = RuleText(text.value) else {
      report(
        .badRule, "\"\(Self.shortened(text.value))\" does not say who to whom",
        help: ["write one arrow between the two: `web -> db:5432`"])
      return nil
    }
    let sources = parts.sources.map { peer($0, "before the arrow") }
    let destinations = parts.destinations.map { peer($0, "after the arrow") }
    let ports = (parts.ports ?? []).map(portSelector)
    guard !sources.contains(nil), !destinations.contains(nil), !ports.contains(nil) else { return nil }
    return StackFile.Rule(
      action: action, sources: sources.compactMap { $0 }, destinations: destinations.compactMap { $0 },
      ports: ports.compactMap { $0 }, text: text)
  }

  // MARK: - Peers

  private func peer(_ part: RuleText.Part, _ side: String) -> Located<PolicyPeer>? {
    let span = node.span(of: part.range)
    let text = part.text
    func located(_ peer: PolicyPeer) -> Located<PolicyPeer> { Located(peer, span) }
    switch text {
    case "":
      report(
        .badPeer, "nobody is named \(side)", at: span.range.isEmpty ? node.span : span,
        help: ["name a service, or `any` for everybody"])
      return nil
    case "any": return located(.any)
    case "host": return located(.host)
    case "internet": return located(.internet)
    case "*": return located(.pattern("*"))
    default: break
    }
    if text.hasPrefix("network:") { return namedPeer(text, after: "network:", at: span).map { located(.network($0)) } }
    if text.hasPrefix("label:") { return label(text, at: span).map(located) }
    if let range = range(text, at: span) { return range.map { located(.range($0)) } }
    let isPattern = NamePattern.isPattern(text)
    let plain = isPattern ? String(text.filter { $0 != "*" && $0 != "?" }) : text
    if let problem = NameRule.object.problem(with: isPattern ? "x" + plain : plain) {
      report(
        .badPeer, "\"\(Self.shortened(text))\" names nobody", "a service's name \(problem.words)", at: span,
        help: [Self.peersHelp])
      return nil
    }
    return located(isPattern ? .pattern(text) : .service(text))
  }

  private static let peersHelp =
    "it can be a service, a pattern (web*), network:NAME, label:KEY=VALUE, a range (10.0.0.0/8), host, internet or any"

  private func namedPeer(_ text: String, after prefix: String, at span: Span) -> String? {
    let name = String(text.dropFirst(prefix.count))
    guard let problem = NameRule.object.problem(with: name) else { return name }
    report(
      .badPeer, "\"\(Self.shortened(text))\" names no network", "a network's name \(problem.words)", at: span,
      help: ["write the name right after the colon: network:front"])
    return nil
  }

  private func label(_ text: String, at span: Span) -> PolicyPeer? {
    let rest = text.dropFirst("label:".count)
    let parts = rest.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else {
      report(
        .badPeer, "\"\(Self.shortened(text))\" names no label", at: span,
        help: ["write its value too: label:tier=front"])
      return nil
    }
    return .label(key: String(parts[0]), value: String(parts[1]))
  }

  /// An address or a range of them. Nil when it is none, a nil within when it is one that is wrong.
  private func range(_ text: String, at span: Span) -> IPPrefix?? {
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
    let bare = isBracketed ? String(text.dropFirst().dropLast()) : text
    if let prefix = IPPrefix(bare) { return prefix }
    if let address = IPAddress(bare) { return IPPrefix(containing: address, length: address.octets.count * 8) }
    guard text.utf8.contains(UInt8(ascii: "/")) || text.utf8.contains(UInt8(ascii: ":")) || isBracketed else {
      return nil
    }
    let parts = bare.split(separator: "/", omittingEmptySubsequences: false)
    let meant = IPAddress(String(parts[0])).flatMap { address in
      parts.count == 2 ? Int(parts[1]).flatMap { IPPrefix(containing: address, length: $0) } : nil
    }
    report(
      .badPeer, "\"\(Self.shortened(text))\" is not a range of addresses",
      meant.map { "did you mean \"\($0)\"?" } ?? "", at: span,
      help: meant == nil ? ["write the first address and the length: 10.1.0.0/24; for ports write `-> db:5432`"] : [])
    return .some(nil)
  }

  // MARK: - Ports

  /// A port or a range of them is TCP's unless it says otherwise, as in `ports:`.
  private func portSelector(_ part: RuleText.Part) -> Located<PortSelector>? {
    let span = node.span(of: part.range)
    let help = ["write 80, 8000-8010, 53/udp, tcp, udp or icmp, with commas between several"]
    let transports = PortSelector.Transport.allCases.map(\.rawValue)
    guard !part.text.isEmpty else {
      report(.badRulePort, "no port is named after the colon", at: span.range.isEmpty ? node.span : span, help: help)
      return nil
    }
    if let transport = PortSelector.Transport(rawValue: part.text) { return Located(PortSelector(transport), span) }
    let pieces = part.text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let numbers = pieces[0].split(separator: "-", omittingEmptySubsequences: false)
    let isNumeric = numbers.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    guard pieces.count <= 2, (1...2).contains(numbers.count), isNumeric else {
      report(
        .badRulePort, "\"\(Self.shortened(part.text))\" is not a port",
        Suggestion.question(about: part.text, among: transports), at: span, help: help)
      return nil
    }
    guard let first = UInt16(numbers[0]), let last = UInt16(numbers[numbers.count - 1]), first > 0, last > 0 else {
      report(.badRulePort, "\"\(Self.shortened(part.text))\": ports are 1 to 65535", at: span)
      return nil
    }
    guard first <= last else {
      report(
        .badRulePort, "the range \(pieces[0]) ends before it begins", "did you mean \"\(last)-\(first)\"?", at: span)
      return nil
    }
    let name = pieces.count == 2 ? pieces[1] : "tcp"
    guard let transport = PortSelector.Transport(rawValue: name) else {
      report(
        .badRulePort, "\"\(Self.shortened(name))\" is not a protocol that rules know",
        Suggestion.question(about: name, among: transports), at: span, help: help)
      return nil
    }
    guard transport != .icmp else {
      report(.badRulePort, "ICMP has no ports", at: span, help: ["write `icmp` alone"])
      return nil
    }
    return Located(PortSelector(first...last, transport), span)
  }
}
