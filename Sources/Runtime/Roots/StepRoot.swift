import CLinux
import Glibc
public import Kernel
import SystemPackage

/// The root of a step of a build: the layers below under a folder that becomes the next layer.
///
/// Files in that folder have the ids of inside, whatever ids the step's users have outside. So the folder takes its place
/// among the layers as it is. All names are relative to one folder, and all is on its file system.
public struct StepRoot: Sendable {
  /// The folder of the layers.
  public var base: String
  /// The layers below, the topmost first: at least one.
  public var lower: [String]
  /// The folder of the step. It has the layer in `fs` and an empty `work` (overlayfs in the kernel's documentation).
  public var folder: String

  public init(base: String, lower: [String], folder: String) {
    (self.base, self.lower, self.folder) = (base, lower, folder)
  }

  /// The mounted root for the caller's own users. It goes with the last descriptor of it.
  public func open() throws(KernelError) -> Descriptor {
    let folder = try Descriptor.open(base, OpenFlag.path | O_DIRECTORY)
    return try overlay(in: folder)
  }

  /// The mounted root as the users of a user namespace see it.
  public func open(for identities: ContainerIdentities) throws(KernelError) -> Descriptor {
    try mount(for: identities).tree.duplicate()
  }

  /// The root for a container. One mapped mount serves the layers below and the one on top (Linux 5.19).
  func mount(for identities: ContainerIdentities?) throws(KernelError) -> RootMount {
    guard let identities else { return RootMount(tree: try open()) }
    let layers = try RootMount.clone(base, recursive: false)
    try RootMount.map(layers, to: identities, path: base)
    // What overlayfs makes by itself, such as the marks of removed files, is made as the user who mounts it. In the mapped
    // mount that has to be one of its own users.
    let first = identities.range.first
    do {
      let tree = try Self.making(as: first) { () throws(KernelError) in try overlay(in: layers) }
      var kept = RootMount.Layers()
      kept.add(layers)
      return RootMount(tree: tree, layers: kept)
    } catch {
      // Before Linux 6.15 a layer must be mounted somewhere.
      guard error.errno == .invalidArgument else { throw error }
      return RootMount(tree: try attached(layers, first))
    }
  }

  /// The layers are mounted in the step's folder for as long as it takes: the overlay has a copy of its own.
  private func attached(_ layers: borrowing Descriptor, _ first: UInt32) throws(KernelError) -> Descriptor {
    let place = "\(base)/\(folder)/mapped"
    if mkdir(place, 0o700) != 0, errno != EEXIST { throw KernelError("make", place, errno: .last) }
    defer { rmdir(place) }
    try check("mount on", place) {
      stack_move_mount(layers.rawValue, "", AT_FDCWD, place, MoveMount.fromDescriptor)
    }
    defer { umount2(place, UnmountFlag.detach | UnmountFlag.noFollow) }
    let mounted = try Descriptor.open(place, OpenFlag.path | O_DIRECTORY)
    return try Self.making(as: first) { () throws(KernelError) in try overlay(in: mounted) }
  }

  /// Has this thread make files as a user meanwhile.
  private static func making(
    as user: UInt32, _ body: () throws(KernelError) -> Descriptor
  ) throws(KernelError) -> Descriptor {
    try check("make files as", "the step's root") { stack_make_files_as(user) }
    defer { stack_make_files_as(0) }
    return try body()
  }

  private func overlay(in layers: borrowing Descriptor) throws(KernelError) -> Descriptor {
    let own = "/proc/self/fd/\(layers.rawValue)/\(folder)"
    var parts = RootMount.Overlay(
      lower: lower, base: layers.rawValue, upper: "\(own)/fs", work: "\(own)/work", lowerNames: [base])
    parts.isOfStep = true
    let root = try RootMount.overlay(parts)
    // A layer may have device nodes of any mode. Nothing of a build opens one, whatever its control group permits.
    try check("restrict", "the step's root") {
      stack_mount_setattr(root.rawValue, "", UInt32(At.emptyPath), MountAttribute.noDev, 0, 0)
    }
    return root
  }
}
