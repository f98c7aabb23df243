import Intent
import Netfilter
import Netlink

/// The port that services ask for names at (RFC 1035).
private let namePort: UInt16 = 53

extension ClosedChain {
  /// True if a rule of the chain's table lets pass all that comes by a link.
  package func lets(_ link: String) -> Bool {
    exceptions.contains { $0.matches(input: link) && $0.ports.isEmpty }
  }

  /// True if a rule lets in the questions for names that come by a link.
  package func letsNames(from link: String) -> Bool {
    exceptions.contains { $0.matches(input: link) && ($0.ports.isEmpty || $0.ports.contains(namePort)) }
  }

  /// One line for a shell that lets in questions for names which come by some links.
  ///
  /// It speaks the language of whoever keeps the table: a rule that ufw does not know is lost when it reloads, and one with a set
  /// keeps iptables from reading its own table.
  package func commandForNames(from links: [String]) -> String {
    if isFirewalld { return "stack doctor --fix" }
    if isUFWs {
      return links.map { "ufw allow in on \(Self.iptables($0)) to any port \(namePort)" }.joined(separator: " && ")
    }
    if isIPTables {
      let rules = links.map { "iptables -I \(chain) -i \(Self.iptables($0)) -p $p --dport \(namePort) -j ACCEPT" }
      return "for p in udp tcp; do \(rules.joined(separator: "; ")); done"
    }
    let names = links.map { "\"\($0)\"" }
    let match = names.count == 1 ? names[0] : "{ \(names.joined(separator: ", ")) }"
    return "nft 'insert rule \(table) \(chain) iifname \(match) meta l4proto { tcp, udp } th dport \(namePort) accept'"
  }

  /// True if iptables(8) made it, which shows the first rules of a chain under these names.
  private var isIPTables: Bool { [.ip, .ip6].contains(table.family) && table.name == "filter" && chain == "INPUT" }

  /// A pattern as iptables(8) writes it.
  private static func iptables(_ link: String) -> String { link.hasSuffix("*") ? "\(link.dropLast())+" : link }
}

extension NftRuleSummary {
  /// True if it names a link as the one that a packet comes by: in full, or by how its name begins.
  func matches(input link: String) -> Bool {
    inputs.contains { $0 == link || $0.hasSuffix("*") && link.hasPrefix($0.dropLast()) }
  }
}

extension DesiredStack {
  /// The bridges on whose addresses the host answers its services' questions for names.
  package var bridgesWithNames: [String] { networks.filter { $0.owner == nil && $0.hasBridge }.map(\.bridge) }

  /// The warning about a chain that drops DNS queries of services to the host. Nil if it lets them all pass.
  func warningOfLostNames(by closed: ClosedChain) -> String? {
    let shut = bridgesWithNames.filter { !closed.letsNames(from: $0) }
    guard !shut.isEmpty else { return nil }
    return
      "\(closed.place) \(closed.deed): services get no names, which they ask the host for; to let them ask:\n  "
      + closed.commandForNames(from: shut)
  }
}
