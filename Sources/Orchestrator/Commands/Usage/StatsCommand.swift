import Host
import Kernel
import Runtime
import Vocabulary

/// Shows what services use of the host.
package struct StatsCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Looks at what services use, every second until Ctrl-C, or once.
  ///
  /// - Parameters:
  ///   - services: all of the stacks' that run when empty.
  ///   - show: gets each look; answers whether to go on.
  package func run(
    on services: [StackIndex.Place], in stacks: [String], isOnce: Bool, show: ([ServiceUsage]) -> Bool
  ) throws(StackErrors) {
    var sampler = try rethrowing(nil) { () throws(KernelError) in try UsageSampler() }
    // The first look is there to be compared with.
    _ = try look(&sampler, services, stacks)
    var wait: CInt = 300
    while context.pause(milliseconds: wait) {
      guard show(try look(&sampler, services, stacks)), !isOnce else { return }
      wait = 1000
    }
  }

  private func look(
    _ sampler: inout UsageSampler, _ services: [StackIndex.Place], _ stacks: [String]
  ) throws(StackErrors) -> [ServiceUsage] {
    var found: [ServiceUsage] = []
    for stack in stacks {
      for status in try statuses(of: stack)
      where services.isEmpty || services.contains(StackIndex.Place(stack: stack, service: status.name)) {
        let usage = try rethrowing("\(stack)/\(status.name)") { () throws(KernelError) in
          try sampler.sample(status)
        }
        if let usage { found.append(usage) }
      }
    }
    return found
  }
}
