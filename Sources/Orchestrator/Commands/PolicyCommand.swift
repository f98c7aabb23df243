import Host
import Intent
import Kernel
import Netfilter
import Netlink
import Rules
import Vocabulary

/// A rule of a running stack with what it decided on so far.
package struct RuleCount: Encodable, Sendable {
  /// From 1.
  var number: Int
  package var action: PolicyRule.Action
  /// As the file says it, without the action.
  package var rule: String
  /// `web.stack:9`
  package var place: String
  /// First packets of connections, and packets that were refused; with their octets, headers included.
  package var packets: UInt64
  package var bytes: UInt64
}

/// The rules of a running stack, with their counters and defaults.
package struct PolicyReport: Encodable, Sendable {
  var stack: String
  package var rules: [RuleCount]
  /// The action on packets that no rule matches, by network.
  package var defaults: [String: PolicyRule.Action]

  /// On several lines.
  package var json: String { JSONText.pretty(self) }
}

/// Prints who may talk to whom in a running stack.
package struct PolicyCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// The rules of a running stack, in order, with their counters.
  package func run(on stack: String) throws(StackErrors) -> PolicyReport {
    try rethrowing(stack) { () throws(KernelError) in
      let desired = try index.desired(stack) ?? DesiredStack.empty(named: stack)
      var socket = try NetlinkSocket(.netfilter)
      let counters = try socket.counters(of: NftTableName(.inet, StackTable.name(of: stack)))
      let counts = counters.keyed(by: \.name)
      let names = PolicyTables.counterNames(desired.policy)
      let rules = zip(desired.policy.rules, names).enumerated().map { index, entry in
        let (rule, name) = entry
        return RuleCount(
          number: index + 1, action: rule.action, rule: rule.text, place: rule.declaredAt?.description ?? "",
          packets: counts[name]?.packets ?? 0, bytes: counts[name]?.bytes ?? 0)
      }
      let closed = Set(desired.policy.closedNetworks)
      let defaults = desired.networks.map { ($0.name, closed.contains($0.name) ? PolicyRule.Action.deny : .allow) }
      return PolicyReport(
        stack: stack, rules: rules, defaults: Dictionary(keepingFirst: defaults))
    }
  }
}
