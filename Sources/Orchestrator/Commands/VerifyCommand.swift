import Addresses
import Host
import Intent
import Kernel
import Netlink
import Runtime
import Verify
import Vocabulary

/// Checks what a stack promises against what packets do.
package struct VerifyCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Compares what a stack promises with what packets do. Needs no supervisor.
  ///
  /// - Parameter source: what promises; nil for what the stack was brought up with.
  package func run(
    _ name: String, as source: LoadedStack? = nil, _ selection: VerifySelection = VerifySelection()
  ) throws(StackErrors) -> Verification {
    let stack = try promised(name, source)
    try checkNames(selection, in: stack)
    let isLive = selection.isLive || stack.policy.verification?.isLive ?? false
    let places = try places(of: stack)
    let live = isLive ? try observe(places, of: stack) : nil
    let hop = try nextHop(stack)
    let matrix = ReachMatrix(
      stack, nextHop: hop, tracking: BridgeTracking.observe(), owners: try owners(of: stack), live: live)
    let checks = Verifier.checks(matrix, selection, of: stack)
    return try probing(stack, places, hop, notes: matrix.differences) { (verifier) throws(KernelError) in
      try verifier.ask(checks, of: matrix, judging: selection)
    }
  }

  /// - Throws: the first name of a selection that means nothing.
  func checkNames(_ selection: VerifySelection, in stack: DesiredStack) throws(StackErrors) {
    for name in selection.only where !Self.isKnown(name, in: stack) {
      throw StackErrors([
        StackError(
          stack.name, "there is no service \(name)",
          remedy: "there are: \(stack.services.prefix(20).map(\.name).joined(separator: ", "))")
      ])
    }
  }

  /// The same, of a stack that has just been brought up. Where its file says that daemons take a while to settle, again and
  /// again until the network is at rest, or the time is over.
  package func runSettled(_ name: String) throws(StackErrors) -> Verification {
    var verification = try run(name)
    let settings = try rethrowing(name) { () throws(KernelError) in try index.desired(name)?.policy.verification }
    guard let settle = settings?.settle else { return verification }
    var settling = Settling(verification, limit: settle, at: .now)
    while !settling.isOver(at: .now), context.pause(milliseconds: 500) {
      verification = try run(name)
      settling.add(verification, at: .now)
    }
    return verification
  }

  /// The same for one pair: `web1` and `db:5432`.
  package func reach(_ request: ReachRequest, in name: String) throws(StackErrors) -> Verification {
    let stack = try promised(name, nil)
    let hop = try nextHop(stack)
    let extra = request.traffic.map { traffic in
      let services = stack.services.filter { $0.name == request.destination || $0.service == request.destination }
      return Dictionary(keepingFirst: (services.map(\.name) + [request.destination]).map { ($0, [traffic]) })
    }
    let matrix = ReachMatrix(
      stack, nextHop: hop, tracking: BridgeTracking.observe(), owners: try owners(of: stack), extra: extra ?? [:])
    let places = try places(of: stack)
    let live = try observe(places, of: stack)
    let checks = try request.checks(in: stack, matrix).map { $0.traced(stack, live) }
    let verification = try probing(stack, places, hop) { (verifier) throws(KernelError) in
      try verifier.ask(checks, of: matrix, judging: nil)
    }
    guard verification.total > 0 else {
      throw StackErrors([
        StackError(
          stack.name,
          "\(request) cannot be found out: \(verification.notes.joined(separator: "; "))")
      ])
    }
    return verification
  }

  private static func isKnown(_ name: String, in stack: DesiredStack) -> Bool {
    name == "host" || name == "internet" || stack.services.contains { $0.name == name || $0.service == name }
  }

  /// The stack that promises: as it was brought up, or as a file describes it now. All of it must be up.
  func promised(_ name: String, _ source: LoadedStack?) throws(StackErrors) -> DesiredStack {
    let found = try index.stack(named: name)
    let recorded = try rethrowing(found) { () throws(KernelError) in try index.desired(found) }
    guard let recorded else {
      throw StackErrors([
        StackError(found, "what it was brought up with is lost", remedy: "bring it up again: stack up FILE")
      ])
    }
    guard let source else { return recorded }
    let desired = try UpCommand(context).desired(source, UpCommand.Options())
    let missing = desired.services.filter { recorded.service(named: $0.name) == nil }
    guard missing.isEmpty else {
      throw StackErrors(
        missing.map {
          StackError("\(found)/\($0.name)", "is in the file, but not up", remedy: "bring it up: stack up FILE")
        })
    }
    return desired
  }

  /// The stacks whose networks a stack has joined, as far as they are known.
  private func owners(of stack: DesiredStack) throws(StackErrors) -> [DesiredStack] {
    var owners: [DesiredStack] = []
    for name in Set(stack.networks.compactMap(\.owner)).sorted() {
      let owner = try rethrowing(name) { () throws(KernelError) in try index.desired(name) }
      if let owner { owners.append(owner) }
    }
    return owners
  }

  // MARK: Namespaces

  /// The host and the services' namespaces.
  private func places(of stack: DesiredStack) throws(StackErrors) -> [ProbePlace] {
    var places = [ProbePlace(ReachPeer.host.place, namespace: nil)]
    for service in stack.services where service.namespace == .own {
      let path = folders.stack(stack.name).service(service.name).namespace
      let namespace = try rethrowing("\(stack.name)/\(service.name)") { () throws(KernelError) in
        SharedNamespace(try NetworkNamespace.open(pinnedAt: path))
      }
      places.append(ProbePlace(service.name, namespace: namespace))
    }
    return places
  }

  private func observe(_ places: [ProbePlace], of stack: DesiredStack) throws(StackErrors) -> [LiveNamespace] {
    var live: [LiveNamespace] = []
    for place in places.dropFirst() {
      live.append(
        try rethrowing("\(stack.name)/\(place.name)") { () throws(KernelError) in
          try LiveNamespace.observe(place)
        })
    }
    return live
  }

  private func probing(
    _ stack: DesiredStack, _ places: [ProbePlace], _ hop: IPAddress?, notes: [String] = [],
    _ body: (Verifier) throws(KernelError) -> Verification
  ) throws(StackErrors) -> Verification {
    try rethrowing(stack.name) { () throws(KernelError) in
      let limit = try OpenFileLimit.raise(reserving: 64)
      var prober = ReachProber(places, of: stack)
      prober.timing = ProbeTiming(stack)
      prober.limit(descriptors: Int(clamping: limit.hard))
      var verifier = Verifier(stack: stack, prober: prober, nextHop: hop, notes: notes)
      verifier.impostor = { Self.impostor($0, beside: stack) }
      let before = Self.neighbourOverflows()
      var verification = try body(verifier)
      let overflows = Self.neighbourOverflows() - before
      if overflows > 0 {
        verification.notes.append(
          "the kernel's neighbour table had no room \(overflows) times meanwhile, so packets were lost: "
            + "see stack doctor")
      }
      return verification
    }
  }

  /// The number of times that the kernel's tables of neighbours had no room, of both families.
  private static func neighbourOverflows() -> Int {
    guard var socket = try? NetlinkSocket(.route), let tables = try? socket.neighbourTables() else { return 0 }
    return tables.reduce(0) { $0 + Int(clamping: $1.overflows) }
  }

  /// The link and the gateway that the host's route to a service's address uses. Nil if the route leads to the stack.
  private static func impostor(_ address: IPAddress, beside stack: DesiredStack) -> String? {
    guard var socket = try? NetlinkSocket(.route), let route = try? socket.route(to: address),
      let links = try? socket.links(), let link = links.first(where: { $0.index == route.link }),
      !stack.networks.contains(where: { $0.bridge == link.name })
    else { return nil }
    let gateway = route.gateway.map { " by way of \($0)" } ?? ""
    return "beyond the host's \(link.name)\(gateway)"
  }

  /// The next machine on the host's way to everywhere else.
  private func nextHop(_ stack: DesiredStack) throws(StackErrors) -> IPAddress? {
    try rethrowing(stack.name) { () throws(KernelError) in
      var socket = try NetlinkSocket(.route)
      let routes = try socket.routes().filter { $0.destination == .v4(.everything) && $0.kind == .unicast }
      return routes.min { ($0.metric ?? 0) < ($1.metric ?? 0) }?.gateway
    }
  }
}
