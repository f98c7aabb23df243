import Glibc
import Host
import Kernel
import Runtime

extension CommandContext {
  /// How a process that has just ended did. Without stack-init only the supervisor knows, and notes it in a moment.
  func exitCode(of place: StackIndex.Place, after identity: ProcessIdentity) throws(KernelError) -> Int? {
    for _ in 0..<200 {
      let record = try index.record(of: place.service, in: place.stack)
      if record.process != identity, let code = record.exitCode { return code }
      usleep(10_000)
    }
    return nil
  }
}
