import CImages
import Glibc
import Kernel
import SystemPackage

/// Ends an unpacking before it fills the file system, for everybody on it. A layer may say that it is of any size.
struct SpaceGuard {
  private var bytes: Int64 = 0
  private var entries = 0

  private static let bytesBetween: Int64 = 64 << 20
  private static let entriesBetween = 4096
  /// Left free: a twentieth, and no more than this.
  private static let mostReserved: UInt64 = 256 << 20

  mutating func count(bytes count: Int, on file: CInt) throws(LayerError) {
    bytes += Int64(count)
    guard bytes >= Self.bytesBetween else { return }
    bytes = 0
    try look(file)
  }

  mutating func count(entry folder: CInt) throws(LayerError) {
    entries += 1
    guard entries >= Self.entriesBetween else { return }
    entries = 0
    try look(folder)
  }

  private func look(_ file: CInt) throws(LayerError) {
    var space = images_room()
    guard images_space(file, &space) == 0 else { return }
    let isFull = space.available < min(space.size / 20, Self.mostReserved)
    let hasNoInodes = space.inodes > 0 && space.free_inodes < space.inodes / 100
    guard isFull || hasNoInodes else { return }
    throw LayerError(KernelError("unpack", "the layer", errno: .noSpace))
  }
}
