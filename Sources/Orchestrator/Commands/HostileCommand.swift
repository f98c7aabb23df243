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
  /// - Parameters:
  ///   - source: what promises; nil for what the stack was brought up with.
  ///   - outside: the network namespace of a machine beside the host, which attacks too: its path, or its name in /run/netns.
  package func run(
    _ name: String, as source: LoadedStack? = nil, _ selection: VerifySelection = VerifySelection(),
    outside: String? = nil
  ) throws(StackErrors) -> HostileVerification {
    let verify = VerifyCommand(context)
    let stack = try verify.promised(name, source)
    try verify.checkNames(selection, in: stack)
    let machine = try outside.map { (path) throws(StackErrors) in try Self.machine(path) }
    return try rethrowing(stack.name) { () throws(KernelError) in
      var others: [DesiredStack] = []
      for other in index.names() where other != stack.name {
        if let desired = try index.desired(other) { others.append(desired) }
      }
      let plan = HostilePlan(
        stack, others: others, outside: machine?.footholds ?? [], selection, firstPort: .random(in: HostilePlan.ports))
      _ = try OpenFileLimit.raise(reserving: 64)
      let places = try places(of: stack, others) + (machine.map { [$0.place] } ?? [])
      return try HostileVerifier(plan, places: places, timing: ProbeTiming(stack)).verify(Self.guards())
    }
  }

  private static func guards() -> HostileVerifier.Guards {
    let netfilter = NetfilterConnection()
    return HostileVerifier.Guards { (table) throws(KernelError) in
      try chains(of: table, netfilter)
    } hasFilter: { (name, leaving) throws(KernelError) in
      var socket = try NetlinkSocket(.route)
      guard let link = try socket.link(named: name) else { return true }
      return try socket.hasPacketFilter(on: link.index, leaving: leaving)
    }
  }

  private struct Machine {
    var place: ProbePlace
    var footholds: [OutsideFoothold]
  }

  private static func machine(_ name: String) throws(StackErrors) -> Machine {
    let path = name.contains("/") ? name : "/run/netns/\(name)"
    let machine = try rethrowing(nil) { () throws(KernelError) in
      let namespace = SharedNamespace(try NetworkNamespace.open(pinnedAt: path))
      var outside = try NetlinkSocket(.route, in: namespace.descriptor)
      var own = try NetlinkSocket(.route)
      return Machine(
        place: ProbePlace(HostilePlan.outside, namespace: namespace),
        footholds: try OutsideFoothold.all(in: surroundings(&outside), beside: surroundings(&own)))
    }
    guard !machine.footholds.isEmpty else {
      throw StackErrors([
        StackError(
          nil, "network namespace \(name) has no address in a subnet of the host's",
          remedy: "name the namespace of a machine on a network of this host")
      ])
    }
    return machine
  }

  private static func surroundings(_ socket: inout NetlinkSocket) throws(KernelError) -> OutsideFoothold.Surroundings {
    OutsideFoothold.Surroundings(links: try socket.links(), addresses: try socket.addresses())
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
