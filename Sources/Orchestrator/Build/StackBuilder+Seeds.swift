import Intent
import Kernel
import Loop
import Runtime

extension StackBuilder {
  /// A volume that is empty takes over what the service's root has at its place, as with Docker.
  ///
  /// - Parameters:
  ///   - root: the root folder, where it is one.
  ///   - first: what is added to the ids of owners: 0 for a volume that is mounted under other ids.
  func fill(
    _ volume: String, for mount: DesiredMount, of service: DesiredService, _ paths: ServiceFolder,
    root: SharedDescriptor?, first: UInt32
  ) throws(KernelError) {
    guard !mount.staysEmpty, service.root != .host, VolumeSeed.isUnfilled(volume) else { return }
    var seed = try seed(of: service, paths, root)
    try seed.fill(volume, from: mount.target, first: first)
  }

  private func seed(
    of service: DesiredService, _ paths: ServiceFolder, _ root: SharedDescriptor?
  ) throws(KernelError) -> VolumeSeed {
    if let image = service.image {
      return try VolumeSeed(
        image: (folder.imageLayers, image.layers.map { "\($0)/fs" }), scratch: "\(paths.layer)/seed")
    }
    if let root { return try VolumeSeed(folder: root.descriptor) }
    return try VolumeSeed(root: service.root.folder ?? "/")
  }
}
