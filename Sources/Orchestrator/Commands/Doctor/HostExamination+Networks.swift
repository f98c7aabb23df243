import Build
import Host
import Intent
import Kernel
import Planning

extension HostExamination {
  /// Reports the parts of running stacks' networks that others have removed.
  func networksOfStacks() -> [HostFinding] {
    guard isRoot else { return [] }
    return attempt { () throws(KernelError) in
      let index = StackIndex(folders: folders)
      var losses: [String: NetworkLoss] = [:]
      for name in index.names() {
        losses[name] = try index.desired(name).map { stack throws(KernelError) in try NetworkLoss(observing: stack) }
      }
      return Self.judge(losses)
    }
  }

  static func judge(_ losses: [String: NetworkLoss]) -> [HostFinding] {
    losses.sorted { $0.key < $1.key }.compactMap { name, loss in
      guard !loss.complaints.isEmpty else { return nil }
      return HostFinding(
        .notice, "stack \(name): \(loss.complaints.joined(separator: ", "))",
        remedy: "another program has done it; stack up puts it back")
    }
  }
}
