import Glibc
import Host
import Kernel
import Runtime
import Vocabulary

/// Lists the processes of services.
package struct TopCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// The processes of a service, oldest first; none when it does not run.
  package func run(on place: StackIndex.Place) throws(StackErrors) -> [ProcessRow] {
    let pids = try rethrowing("\(place.stack)/\(place.service)") { () throws(KernelError) in
      try ControlGroups.observe().group("stack/\(place.stack)/\(place.service)").processes()
    }
    let (now, bootedAt) = (Glibc.time(nil), ProcessRow.bootTime())
    return Set(pids).compactMap { ProcessRow(pid: $0, now: now, bootedAt: bootedAt) }
      .sorted { ($0.startedAt, $0.pid) < ($1.startedAt, $1.pid) }
  }
}
