import Glibc
import Host
import Intent
import Kernel
import Layer
import Runtime
import SystemPackage
import Vocabulary

/// Writes the root of a running service as a tar archive, as `docker export` does.
package struct ServiceExportCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Writes what a service sees below `/`, without what is mounted there: volumes, /proc and the host's folders are empty.
  ///
  /// - Parameter file: the archive's, open for writing.
  package func run(_ service: String, replica: Int?, in stack: String?, to file: FileDescriptor) throws(StackErrors) {
    let place = try index.find(service, replica: replica, in: stack)
    let subject = "\(place.stack)/\(place.service)"
    let (record, desired) = try rethrowing(subject) { () throws(KernelError) in
      (
        try index.record(of: place.service, in: place.stack),
        try index.desired(place.stack)?.service(named: place.service)
      )
    }
    guard let process = record.process.flatMap({ ServiceProcess($0) }) else {
      throw StackErrors([StackError(subject, "is not running", remedy: "start it: stack start \(subject)")])
    }
    do throws(LayerError) {
      try archive(process, desired, to: file)
    } catch {
      guard !error.isClosed else { return }
      throw StackErrors([StackError(subject, "its files cannot be written to the archive: \(error)")])
    }
  }

  private func archive(
    _ process: ServiceProcess, _ desired: DesiredService?, to file: FileDescriptor
  ) throws(LayerError) {
    let root: Descriptor
    do throws(KernelError) {
      root = try Container.root(of: process.process.pidfd)
    } catch {
      throw LayerError(error)
    }
    var writer = LayerWriter(file, firstID: desired?.firstIdentity, isRoot: true)
    try writer.write(root)
  }
}
