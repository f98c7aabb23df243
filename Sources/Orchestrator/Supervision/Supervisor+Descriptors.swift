import Intent
import Runtime
import Vocabulary

extension Supervisor {
  /// The reason that this process cannot hold what a stack needs; nil if it can.
  ///
  /// Said before anything is made: later, each service that finds no descriptor would fail in its own way.
  func lackOfDescriptors(for desired: DesiredStack) -> StackError? {
    guard let limit = try? OpenFileLimit.own() else { return nil }
    let needed = desired.neededDescriptors
    guard needed > Int(clamping: limit) else { return nil }
    return StackError(
      desired.name,
      "needs \(needed) open files for \(desired.services.count) services, and the limit of its supervisor is \(limit)",
      remedy: "raise the limit (ulimit -Hn, LimitNOFILE= of a unit, fs.nr_open), or make several stacks of it")
  }
}

extension DesiredStack {
  /// Open files of the supervisor: for each service its process, its two pipes and perhaps its terminal; for each network
  /// the sockets of its name server; and what does not depend on the stack, with what a few starts need at once.
  var neededDescriptors: Int {
    services.count * 3 + services.count(where: \.process.hasTerminal) + networks.count * 18 + 256
  }
}
