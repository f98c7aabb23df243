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
    return try probing(stack) { (verifier) throws(KernelError) in try verifier.verify(selection) }
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

  /// The same for one pair: `web1` and `db:5432`.
  package func reach(from source: String, to destination: String, in name: String) throws(StackErrors) -> Verification {
    let stack = try promised(name, nil)
    let request = try ReachRequest(from: source, to: destination)
    let hop = try nextHop(stack)
    let extra = request.traffic.map { traffic in
      let services = stack.services.filter { $0.name == request.destination || $0.service == request.destination }
      return Dictionary(keepingFirst: (services.map(\.name) + [request.destination]).map { ($0, [traffic]) })
    }
    let matrix = ReachMatrix(stack, nextHop: hop, tracking: BridgeTracking.observe(), extra: extra ?? [:])
    let checks = try request.checks(in: stack, matrix)
    let verification = try probing(stack) { (verifier) throws(KernelError) in
      try verifier.ask(checks, rows: matrix.rows, matrix.columns, judging: false)
    }
    guard verification.total > 0 else {
      throw StackErrors([
        StackError(
          stack.name,
          "\(source) -> \(destination) cannot be found out: \(verification.notes.joined(separator: "; "))")
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

  private func probing(
    _ stack: DesiredStack, _ body: (Verifier) throws(KernelError) -> Verification
  ) throws(StackErrors) -> Verification {
    let hop = try nextHop(stack)
    var places = [ProbePlace(ReachPeer.host.place, namespace: nil)]
    for service in stack.services where service.namespace == .own {
      let path = folders.stack(stack.name).service(service.name).namespace
      let namespace = try rethrowing("\(stack.name)/\(service.name)") { () throws(KernelError) in
        SharedNamespace(try NetworkNamespace.open(pinnedAt: path))
      }
      places.append(ProbePlace(service.name, namespace: namespace))
    }
    return try rethrowing(stack.name) { () throws(KernelError) in
      let limit = try OpenFileLimit.raise(reserving: 64)
      var prober = ReachProber(places)
      prober.timing = ProbeTiming(stack)
      prober.limit(descriptors: Int(clamping: limit.hard))
      return try body(Verifier(stack: stack, prober: prober, nextHop: hop, tracking: BridgeTracking.observe()))
    }
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
