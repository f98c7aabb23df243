import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// The root of a container with a user namespace of its own. It is an overlay with idmapped lower folders, so files of
/// root on disk belong to the container's root.
///
/// The upper folder is not idmapped, since a tmpfs cannot be before Linux 6.3. It belongs to the container's root
/// itself. Files that are written or copied up have the ids that their owners have outside.
struct MappedOverlay {
  let lower: [String]
  /// The folder that the lower ones are named relative to: one mapped mount is then enough for all of them.
  var base: String?
  let upper: String
  let work: String
  let identities: ContainerIdentities

  func mount() throws(KernelError) -> RootMount {
    let root = identities.range.first
    try check("give to the container's root", upper) { lchown(upper, root, root) }
    do {
      return try mountDetached()
    } catch {
      // Before Linux 6.15 a layer must be mounted somewhere.
      guard error.errno == .invalidArgument, !RootMount.isMapping(error) else { throw error }
      return RootMount(tree: try mountAttached())
    }
  }

  /// The mapped mount.
  private var places: [String] { base.map { [$0] } ?? lower }

  private func mountDetached() throws(KernelError) -> RootMount {
    var layers = RootMount.Layers()
    for path in places {
      let layer = try mapped(path)
      try check("make read-only", path) {
        stack_mount_setattr(
          layer.rawValue, "", UInt32(At.emptyPath), MountAttribute.readOnly, 0, MountFlag.private)
      }
      layers.add(layer)
    }
    let tree = try RootMount.overlay(
      RootMount.Overlay(
        lower: base == nil ? layers.descriptors.map { "/proc/self/fd/\($0.rawValue)" } : lower,
        base: base == nil ? nil : layers.descriptors[0].rawValue, upper: upper, work: work, lowerNames: places))
    return RootMount(tree: tree, layers: layers)
  }

  /// The layers are mounted beside the upper folder for as long as it takes: the overlay has copies of its own.
  func mountAttached() throws(KernelError) -> Descriptor {
    var mounted: [String] = []
    defer {
      for place in mounted {
        umount2(place, UnmountFlag.detach | UnmountFlag.noFollow)
        rmdir(place)
      }
    }
    for (number, path) in places.enumerated() {
      let place = "\(upper).lower\(number)"
      if mkdir(place, 0o700) != 0, errno != EEXIST {
        throw KernelError("make", place, errno: .last)
      }
      mounted.append(place)
      let tree = try mapped(path)
      try check("mount on", place) {
        stack_move_mount(tree.rawValue, "", AT_FDCWD, place, MoveMount.fromDescriptor)
      }
    }
    guard base != nil else {
      return try RootMount.overlay(
        RootMount.Overlay(lower: mounted, upper: upper, work: work, lowerNames: lower))
    }
    let folder = try Descriptor.open(mounted[0], OpenFlag.path | O_DIRECTORY)
    return try RootMount.overlay(
      RootMount.Overlay(lower: lower, base: folder.rawValue, upper: upper, work: work, lowerNames: places))
  }

  private func mapped(_ path: String) throws(KernelError) -> Descriptor {
    let tree = try RootMount.clone(path, recursive: false)
    try RootMount.map(tree, to: identities, path: path)
    return tree
  }
}
