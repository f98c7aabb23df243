import Host
import Intent
import Kernel
import Loop

/// The names of a stack's services, while they come and go: the name server and their /etc/hosts.
///
/// The server answers with the present state. Programs look into /etc/hosts first (nsswitch.conf(5), musl), so a
/// service that has ended is taken out of it too. The file remains when no supervisor runs.
package final class NameService {
  private let server: NameServer
  private let folder: StackFolder
  private var hosts: HostsMarks?
  private var ended: Set<String> = []

  package init(loop: EventLoop, folder: StackFolder) {
    server = NameServer(loop: loop, others: NeighbourIndex(folder: folder))
    self.folder = folder
  }

  /// Serves the networks of a stack from now on, and no others.
  ///
  /// - Returns: why some networks have nobody to answer.
  package func serve(_ stack: DesiredStack) -> [KernelError] {
    server.serve(stack)
  }

  /// Takes note that the hosts files are about to be written anew: a mark at a former file's place would hit another line.
  package func leaveHostsFiles() { hosts = nil }

  /// Takes note that the hosts files are those of a stack as it is now.
  package func follow(hostsFilesOf stack: DesiredStack) {
    var marks = HostsMarks(stack, folder: folder.names)
    for service in ended { marks.mark(service, isGone: true) }
    hosts = marks
  }

  /// Takes what has become of a service.
  package func update(_ record: ServiceRecord) {
    let hasEnded = record.hasEnded
    guard hasEnded != ended.contains(record.service) else { return }
    if hasEnded { ended.insert(record.service) } else { ended.remove(record.service) }
    server.setGone(record.service, hasEnded)
    hosts?.mark(record.service, isGone: hasEnded)
  }

  package func close() {
    hosts = nil
    server.close()
  }
}

extension ServiceRecord {
  /// One that was not started yet is there: who comes up before it may know its name.
  fileprivate var hasEnded: Bool { phase == .exited || phase == .restarting }
}
