import Intent
import Runtime

extension StackFolder {
  /// The end of a service's process, as its stack-init or the supervisor's watcher wrote it down; nil when neither did.
  package func end(of process: ProcessIdentity?, in service: String, startedAt: Double?) -> TerminationStatus? {
    if let record = (try? ExitRecord.read(self.service(service).exit)) ?? nil { return record.status }
    guard let process else { return nil }
    // A start that was only estimated may be a little late.
    let since = Int64(min(max((startedAt ?? 0) - 1, 0), 9e9) * 1e9)
    return ((try? ExitRecord.read(ends, of: process.pid, since: since)) ?? nil)?.status
  }
}
