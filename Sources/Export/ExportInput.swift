import Addresses
import Intent
import StackFiles

/// All that an export is made from.
package struct ExportInput: Sendable {
  package var file: StackFile
  /// The services that are to run.
  package var services: [StackFile.Service]
  /// The same stack, resolved on a host that uses nothing.
  package var stack: DesiredStack
  package var keys: [UsedKey]
  /// The contents of read-only binds, by their path on the host. Those that are too large are not in it.
  package var contents: [String: BoundContent]
  /// The numbers of users whose names the file gives, by the service. Those whose image is not here are not in it.
  package var users: [String: NumberedUser]

  package init(
    file: StackFile, services: [StackFile.Service], stack: DesiredStack, keys: [UsedKey],
    contents: [String: BoundContent], users: [String: NumberedUser]
  ) {
    (self.file, self.services, self.stack, self.keys) = (file, services, stack, keys)
    (self.contents, self.users) = (contents, users)
  }

  /// The services of the file that do not run.
  var absent: Set<String> { Set(file.services.names).subtracting(services.map(\.name.value)) }
}

/// A user and its group, as an image's /etc/passwd and /etc/group number them.
package struct NumberedUser: Hashable, Sendable {
  package var user: UInt32
  package var group: UInt32

  package init(user: UInt32, group: UInt32) { (self.user, self.group) = (user, group) }
}

/// A file, or a folder with all in it, that a service only reads.
package struct BoundContent: Hashable, Sendable {
  package struct File: Hashable, Sendable {
    /// Below the folder; empty for a file that is bound by itself.
    package var path: String
    /// On this host.
    package var source: String
    package var bytes: [UInt8]
    package var isExecutable: Bool

    package init(path: String, source: String, bytes: [UInt8], isExecutable: Bool) {
      (self.path, self.source, self.bytes, self.isExecutable) = (path, source, bytes, isExecutable)
    }
  }

  package var isFolder: Bool
  package var files: [File]

  package init(isFolder: Bool, files: [File]) { (self.isFolder, self.files) = (isFolder, files) }

  /// A ConfigMap takes 1 MiB with all around it (Kubernetes, "ConfigMaps").
  package static let largest = 1_000_000
}

package struct ExportOptions: Sendable {
  /// The ranges of pods, Services and nodes of the cluster.
  package var innerRanges: [IPPrefix] = []
  /// The registry, with a folder in it, that images of services without one are in: `registry.example/web`.
  package var registry: String?
  /// True to add Jobs that ask for the matrix.
  package var isVerifying = false

  package init() {}

  /// The image of a service that has none in the file.
  func image(_ stack: String, _ name: String) -> String { (registry.map { "\($0)/" } ?? "") + "\(stack)-\(name)" }

  /// An image with a shell, nslookup and nc.
  var tools: String { (registry.map { "\($0)/" } ?? "") + "busybox:1.37" }
}

extension StackFile.Service {
  /// The name of its image there.
  func exportedImage(_ stack: String, _ options: ExportOptions) -> String {
    switch rootfs.value {
    case .host: options.image(stack, "host")
    case .folder(let path, _): options.image(stack, path.split(separator: "/").last.map(String.init) ?? "root")
    case .image(let source): Self.registryName("\(source)")
    }
  }

  /// Images of archives and folders have the name that they get when they are pushed.
  private static func registryName(_ text: String) -> String {
    let scheme = ["docker://", "docker-daemon:", "containers-storage:"].first { text.hasPrefix($0) }
    return scheme.map { String(text.dropFirst($0.count)) } ?? text
  }
}
