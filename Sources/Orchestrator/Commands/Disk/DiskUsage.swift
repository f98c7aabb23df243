/// The room that images, services, volumes and builds take on disk, in bytes.
package struct DiskUsage: Sendable {
  package struct Image: Sendable {
    /// As people write them, with tags. Empty for an image without a name.
    package var names: [String]
    /// Of its configuration.
    package var id: String
    /// RFC 3339
    package var created: String
    /// Of its layers, unpacked.
    package var size: Int64
    /// Of those among them that other images have, too.
    package var sharedSize: Int64
    /// The number of services that run from it.
    package var services: Int
  }

  package struct Service: Sendable {
    package var stack: String
    package var name: String
    package var image: String
    package var volumes: Int
    /// Of what it has written beside volumes.
    package var size: Int64
    package var state: String
    package var isRunning: Bool
  }

  package struct Volume: Sendable {
    package var name: String
    /// The number of stacks that are up and have it.
    package var users: Int
    package var size: Int64
  }

  /// A step that a build keeps, or a cache of RUN steps.
  package struct BuildStep: Sendable {
    package var id: String
    /// `RUN make`; the names of caches are not kept.
    package var text: String
    package var isCache: Bool
    package var size: Int64
    /// RFC 3339
    package var created: String
    /// Seconds since 1970.
    package var lastUsed: Int64
    /// True if an image has its layer, too.
    package var isShared: Bool
  }

  /// A line of the table.
  package struct Row: Sendable, Hashable {
    package var type: String
    package var total: Int
    package var active: Int
    package var size: Int64
    package var reclaimable: Int64

    package init(type: String, total: Int, active: Int, size: Int64, reclaimable: Int64) {
      (self.type, self.total, self.active) = (type, total, active)
      (self.size, self.reclaimable) = (size, reclaimable)
    }
  }

  package var images: [Image]
  package var services: [Service]
  package var volumes: [Volume]
  package var buildSteps: [BuildStep]
  /// Of all layers that images have, and of the archives that they came in, each once.
  package var imageBytes: Int64
  /// Of those that no image in use has.
  package var idleImageBytes: Int64

  /// Docker's four lines. A service that stands still and a volume that no stack has can be removed; so can steps of builds
  /// that no image needs.
  package var rows: [Row] {
    let steps = buildSteps.filter { !$0.isShared }.reduce(0) { $0 + $1.size }
    return [
      Row(
        type: "Images", total: images.count, active: images.count { $0.services > 0 }, size: imageBytes,
        reclaimable: idleImageBytes),
      Row(
        type: "Containers", total: services.count, active: services.count(where: \.isRunning),
        size: services.reduce(0) { $0 + $1.size },
        reclaimable: services.filter { !$0.isRunning }.reduce(0) { $0 + $1.size }),
      Row(
        type: "Local Volumes", total: volumes.count, active: volumes.count { $0.users > 0 },
        size: volumes.reduce(0) { $0 + $1.size },
        reclaimable: volumes.filter { $0.users == 0 }.reduce(0) { $0 + $1.size }),
      Row(type: "Build Cache", total: buildSteps.count, active: 0, size: steps, reclaimable: steps),
    ]
  }
}
