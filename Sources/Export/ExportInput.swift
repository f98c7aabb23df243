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
  package let keys: [UsedKey]
  private let paths: Set<String>
  /// The contents of read-only binds, by their path on the host. Those that are too large are not in it.
  package var contents: [String: BoundContent]
  /// The numbers of users whose names the file gives, by the service. Those whose image is not here are not in it.
  package var users: [String: NumberedUser]
  /// By the service.
  let security: [String: DesiredSecurity]

  /// - Parameters:
  ///   - security: the rights of a service, whether it has replicas or not.
  ///   - read: what is at a path of the host, if it is small enough to be carried.
  package init(
    file: StackFile, services: [StackFile.Service], stack: DesiredStack, keys: [UsedKey],
    users: [String: NumberedUser], security: (StackFile.Service) -> DesiredSecurity,
    reading read: (String) -> BoundContent?
  ) {
    // Mounts of secrets, configs and other services are mounts like those under `volumes:`.
    let services = file.withAllMounts(services)
    (self.file, self.services, self.stack, self.keys, self.users) = (file, services, stack, keys, users)
    paths = Set(keys.map { $0.path.joined(separator: ".") })
    self.security = services.keyed(by: \.name.value).mapValues(security)
    contents = [:]
    for mount in services.flatMap(\.mounts) where mount.isReadOnly {
      guard case .bind(let path, _) = mount.source, contents[path] == nil, !isStateOfTheHost(path) else { continue }
      contents[path] = read(path)
    }
  }

  /// True for what the host's programs write meanwhile: a copy of it would be no use.
  private func isStateOfTheHost(_ path: String) -> Bool {
    guard path != "/" else { return true }
    guard !path.hasPrefix(file.folder + "/") else { return false }
    return ["/proc", "/sys", "/dev", "/run", "/var"].contains { path == $0 || path.hasPrefix("\($0)/") }
  }

  /// True if the file has the key. Keys of networks and services have names in them: `services.web.ports`.
  func hasKey(_ path: String) -> Bool { paths.contains(path) }

  /// The file with bridges in the place of networks that only a host can have, which the report refuses; and with
  /// volumes of the stack's own in the place of those that some host has.
  package static func plain(_ file: StackFile) -> StackFile {
    var plain = file
    for var volume in file.volumes where volume.external != nil {
      volume.external = nil
      plain.volumes[volume.name.value] = volume
    }
    for var network in file.networks where network.external != nil || network.driver != nil {
      (network.external, network.driver) = (nil, nil)
      plain.networks[network.name.value] = network
    }
    return plain
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
    /// Permission bits that the stack file asks for.
    var mode: UInt16?

    package init(path: String, source: String, bytes: [UInt8], isExecutable: Bool, mode: UInt16? = nil) {
      (self.path, self.source, self.bytes, self.isExecutable) = (path, source, bytes, isExecutable)
      self.mode = mode
    }
  }

  package var isFolder: Bool
  package var files: [File]

  package init(isFolder: Bool, files: [File]) { (self.isFolder, self.files) = (isFolder, files) }

  /// A ConfigMap takes 1 MiB with all around it (Kubernetes, "ConfigMaps").
  package static let largest = 1_000_000
}

/// A file of an export.
package struct ExportFile: Sendable {
  /// Relative.
  package var name: String
  package var bytes: [UInt8]
  /// True for what other users of the host must not read.
  package var isSecret = false

  init(name: String, bytes: [UInt8], isSecret: Bool) {
    (self.name, self.bytes, self.isSecret) = (name, bytes, isSecret)
  }

  init(name: String, text: String, isSecret: Bool = false) {
    self.init(name: name, bytes: Array(text.utf8), isSecret: isSecret)
  }

  package var text: String { String(decoding: bytes, as: UTF8.self) }
}

package struct ExportOptions: Sendable {
  /// The ranges of pods, Services and nodes of the cluster.
  package var innerRanges: [IPPrefix] = []
  /// The registry, with a folder in it, that images of services without one are in: `registry.example/web`.
  package var registry: String?
  /// False if there is no folder for files beside the export.
  package var hasFolder = true
  /// True to add Jobs that ask for the matrix.
  package var isVerifying = false

  package init() {}

  /// The image of a service that has none in the file.
  func image(_ stack: String, _ name: String) -> String { (registry.map { "\($0)/" } ?? "") + "\(stack)-\(name)" }

  /// An image with a shell, nslookup and nc.
  var tools: String { (registry.map { "\($0)/" } ?? "") + "busybox:1.37" }
}

extension StackFile.Service {
  /// True if the image's entrypoint does not run, and no other does: `entrypoint: []`.
  var dropsEntrypoint: Bool { entrypoint.map(\.value.isEmpty) ?? false }

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
