import Host
import Intent
import Vocabulary

/// Messages to those who wait in vain.
extension ServiceState {
  private var subject: String { "\(stack)/\(desired.name)" }

  /// The refusal of a service that ended before it was ready; nil if it ended well and has nothing to be ready for.
  var exitBeforeReady: Refusal? {
    // What `run` started may end as it likes: its exit code is the caller's to judge.
    guard !desired.isOneOff, record.exitCode != 0 || !desired.readyPorts.isEmpty else { return nil }
    if let lack = lackOfMemory(" before it was ready") { return lack }
    let how = record.exitCode.map { $0 > 128 ? "was ended by signal \($0 - 128)" : "exited with code \($0)" } ?? "ended"
    return speaking("\(how) before it was ready")
  }

  var incompletion: Refusal {
    lackOfMemory(" before it had completed")
      ?? speaking("did not complete: it exited with code \(record.exitCode ?? 255)")
  }

  /// A refusal that shows what the service wrote, and where there is more of it.
  func speaking(_ message: String) -> Refusal {
    var error = StackError(subject, message)
    error.logsOf = subject
    return Refusal(error: error, quotesLog: true)
  }

  /// The refusal of a run that the kernel has ended for want of memory.
  private func lackOfMemory(_ moment: String) -> Refusal? {
    guard record.ranOutOfMemory == true else { return nil }
    let limit = desired.limits.memory.map { " of \(ByteSize.text($0))" } ?? ", the host's"
    let place = desired.declaredAt.map { " (\($0))" } ?? ""
    let error = StackError(
      subject, "ran out of memory\(limit)\(moment), and the kernel ended it",
      remedy: desired.limits.memory == nil
        ? "give the host more memory, or limit what else runs on it" : "raise its mem_limit\(place)")
    return Refusal(error: error, quotesLog: true)
  }

  /// The refusal of a service that has taken too long.
  func lateness(missing: [ListeningPort]) -> Refusal {
    guard desired.healthCheck == nil else {
      var refusal = illHealth
      refusal.error.remedy = "give it more time: --wait-timeout"
      return refusal
    }
    let missing = missing.map(\.description).joined(separator: ", ")
    let error = StackError(
      subject, missing.isEmpty ? "is not ready" : "is not ready: nothing listens on \(missing)",
      remedy: "correct the port in the stack file, or give it more time: --wait-timeout")
    return Refusal(error: error, quotesLog: true)
  }

  var illHealth: Refusal {
    var refusal = speaking(record.health?.complaint ?? "is not healthy")
    refusal.error.probeLines = record.health?.lastOutput ?? []
    return refusal
  }

  var noHealthCheck: Refusal {
    Refusal(
      error: StackError(
        subject, "has no health check that others could wait for", remedy: "give it a healthcheck"))
  }
}
