import Control
import Glibc
import Host
import Intent
import Kernel
import Supervision
import Vocabulary

extension CommandContext {
  /// Reads a stack's records. Its supervisor, which knows what was in them, writes those again that cannot be read.
  ///
  /// - Parameter note: gets a line for each of these, which says what was wrong and what was done.
  /// - Throws: that nobody knows what was in a record.
  package func readMending(_ stack: String, note: (String) -> Void) throws(StackErrors) -> StackReading {
    let folder = folders.stack(stack)
    let reading = try read(stack)
    let damages = reading.damages
    guard !damages.isEmpty else { return reading }
    let isMended = askToMend(folder)
    let mended = try read(stack)
    if isMended, mended.damages.isEmpty {
      for damage in damages { note("\(damage): its supervisor has written it again") }
      return mended
    }
    guard mended.desired == nil, Files.exists(folder.services) else {
      let left = Set(mended.damages)
      for damage in damages {
        note(left.contains(damage) ? "\(damage): what it said is taken from its copy and from the kernel" : damage)
      }
      return mended
    }
    throw StackErrors([
      StackError(
        stack, "\(damages.joined(separator: ", ")), and neither a copy nor a supervisor knows what was in it",
        remedy: "have what runs taken over: stack up FILE; or take it down: stack down \(stack)")
    ])
  }

  private func read(_ stack: String) throws(StackErrors) -> StackReading {
    try rethrowing(stack) { () throws(KernelError) in try index.read(stack) }
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
