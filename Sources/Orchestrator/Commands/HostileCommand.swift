import Host
import Intent
import Kernel
import Netfilter
import Netlink
import Runtime
import Verify
import Vocabulary

/// Attacks a stack from inside its services, to see that its guards hold.
package struct HostileCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Sends frames that must not arrive from inside every service, and says which arrived. Needs no supervisor.
  ///
  /// - Parameter source: what promises; nil for what the stack was brought up with.
  package func run(
    _ name: String, as source: LoadedStack? = nil, _ selection: VerifySelection = VerifySelection()
  ) throws(StackErrors) -> HostileVerification {
    let verify = VerifyCommand(context)
    let stack = try verify.promised(name, source)
    try verify.checkNames(selection, in: stack)
    return try rethrowing(stack.name) { () throws(KernelError) in
      var others: [DesiredStack] = []
      for other in index.names() where other != stack.name {
        if let desired = try index.desired(other) { others.append(desired) }
      }
      let plan = HostilePlan(stack, others: others, selection, firstPort: .random(in: HostilePlan.ports))
      _ = try OpenFileLimit.raise(reserving: 64)
      let netfilter = NetfilterConnection()
      return try HostileVerifier(plan, places: try places(of: stack, others), timing: ProbeTiming(stack)).verify {
        (table) throws(KernelError) in try Self.chains(of: table, netfilter)
      }
    }
  }

  /// The namespaces of services that are there. Those of other stacks come and go.
  private func places(of stack: DesiredStack, _ others: [DesiredStack]) throws(KernelError) -> [ProbePlace] {
    var places = [ProbePlace(ReachPeer.host.place, namespace: nil)]
    for one in [stack] + others {
      for service in one.services where service.namespace == .own {
        let path = folders.stack(one.name).service(service.name).namespace
        do throws(KernelError) {
          places.append(
            ProbePlace(
              HostilePlan.place(of: service, in: one, seenFrom: stack),
              namespace: SharedNamespace(try NetworkNamespace.open(pinnedAt: path))))
        } catch  where error.errno == .noSuchFileOrDirectory {
          continue
        }
      }
    }
    return places
  }

  private static func chains(of table: NftTableName, _ netfilter: NetfilterConnection) throws(KernelError) -> [String] {
    try netfilter.tables().contains { $0.name == table } ? netfilter.chains(of: table) : []
  }
}
