import Addresses
import Vocabulary

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
    if let peer = PolicyPeer(text) { return Located(peer, span) }
    let shown = "\"\(Self.shortened(text))\""
    if text.isEmpty {
      report(
        .badPeer, "nobody is named \(side)", at: span.range.isEmpty ? node.span : span,
        help: ["name a service, or `any` for everybody"])
    } else if text.hasPrefix(PolicyPeer.networkPrefix) {
      let problem = NameRule.object.problem(with: String(text.dropFirst(PolicyPeer.networkPrefix.count)))
      report(
        .badPeer, "\(shown) names no network", "a network's name \(problem?.words ?? "")", at: span,
        help: ["write the name right after the colon: network:front"])
    } else if text.hasPrefix(PolicyPeer.labelPrefix) {
      report(.badPeer, "\(shown) names no label", at: span, help: ["write its value too: label:tier=front"])
    } else if PolicyPeer.looksLikeRange(text) {
      reportRange(text, at: span)
    } else {
      let problem = NameRule.object.problem(with: PolicyPeer.plainName(text))
      report(
        .badPeer, "\(shown) names nobody", "a service's name \(problem?.words ?? "")", at: span,
        help: [Self.peersHelp])
    }
    return nil
  }

  private static let peersHelp =
    "it can be a service, a pattern (web*), network:NAME, label:KEY=VALUE, a range (10.0.0.0/8), host, internet or any"

  private func reportRange(_ text: String, at span: Span) {
    let parts = PolicyPeer.withoutBrackets(text).split(separator: "/", omittingEmptySubsequences: false)
    let meant = IPAddress(String(parts[0])).flatMap { address in
      parts.count == 2 ? Int(parts[1]).flatMap { IPPrefix(containing: address, length: $0) } : nil
    }
    report(
      .badPeer, "\"\(Self.shortened(text))\" is not a range of addresses",
      meant.map { "did you mean \"\($0)\"?" } ?? "", at: span,
      help: meant == nil ? ["write the first address and the length: 10.1.0.0/24; for ports write `-> db:5432`"] : [])
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
    if let selector = PortSelector(part.text) { return Located(selector, span) }
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
    guard PortSelector.Transport(rawValue: name) != nil else {
      report(
        .badRulePort, "\"\(Self.shortened(name))\" is not a protocol that rules know",
        Suggestion.question(about: name, among: transports), at: span, help: help)
      return nil
    }
    report(.badRulePort, "ICMP has no ports", at: span, help: ["write `icmp` alone"])
    return nil
  }
}
