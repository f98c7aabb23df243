import Intent
import Kernel
import Runtime

extension StackBuilder {
  /// A volume that is empty takes over what the service's image has at its place, as with Docker.
  ///
  /// - Parameter first: what is added to the ids of owners: 0 for a volume that is mounted under other ids.
  func fill(
    _ volume: String, from target: String, of service: DesiredService, _ paths: ServiceFolder, first: UInt32
  ) throws(KernelError) {
    guard let image = service.image, Files.list(volume).isEmpty else { return }
    let seed = try VolumeSeed(
      image: (folder.imageLayers, image.layers.map { "\($0)/fs" }), scratch: "\(paths.layer)/seed")
    try seed.fill(volume, from: target, first: first)
  }
}
