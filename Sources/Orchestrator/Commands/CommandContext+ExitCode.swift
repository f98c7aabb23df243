import Glibc
import Host
import Kernel
import Runtime

extension CommandContext {
  /// The exit code of a process that has just ended. Without stack-init only the supervisor knows it, and records it a
  /// moment later.
  func exitCode(of place: StackIndex.Place, after identity: ProcessIdentity) throws(KernelError) -> Int? {
    for _ in 0..<200 {
      let record = try index.record(of: place.service, in: place.stack)
      if record.process != identity, let code = record.exitCode { return code }
      usleep(10_000)
    }
    return nil
  }
}
