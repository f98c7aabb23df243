import Control
import Glibc
import Host
import Intent
import Kernel
import Supervision
import Vocabulary

extension CommandContext {
  /// Has records of a stack that cannot be read written again by its supervisor, which knows what was in them.
  ///
  /// - Returns: a line for each, which says what was wrong and what was done.
  /// - Throws: that nobody knows what was in a record.
  package func mendRecords(of stack: String) throws(StackErrors) -> [String] {
    let folder = folders.stack(stack)
    let damages = try damages(of: folder)
    guard !damages.isEmpty else { return [] }
    let isMended = askToMend(folder)
    let left = Set(try self.damages(of: folder))
    if isMended, left.isEmpty { return damages.map { "\($0): its supervisor has written it again" } }
    let isKnown = try rethrowing(stack) { () throws(KernelError) in try StackRecord(folder).read() != nil }
    guard !isKnown, Files.exists(folder.services) else {
      return damages.map { left.contains($0) ? "\($0): what it said is taken from its copy and from the kernel" : $0 }
    }
    throw StackErrors([
      StackError(
        stack, "\(damages.joined(separator: ", ")), and neither a copy nor a supervisor knows what was in it",
        remedy: "have what runs taken over: stack up FILE; or take it down: stack down \(stack)")
    ])
  }

  private func damages(of folder: StackFolder) throws(StackErrors) -> [String] {
    try rethrowing(folder.name) { () throws(KernelError) in try index.damages(of: folder.name) }
  }

  private func askToMend(_ folder: StackFolder) -> Bool {
    do throws(ControlError) {
      let client = try ControlClient(
        connectingIn: folder.path, timeout: SupervisorPulse.patience, interruption: interruption)
      return try !client.call(SupervisorMethods.Mend.self, Nothing(), timeout: SupervisorPulse.patience).mended.isEmpty
    } catch {
      return false
    }
  }
}
