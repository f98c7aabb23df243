import Glibc
import Host
import ImageReference
import ImageStore
import Intent
import Kernel
import Vocabulary

/// Finds out what takes room on disk.
package struct DiskCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Sizes of images and of steps are known from when they were made. What services and volumes hold is counted now.
  package func usage() throws(StackErrors) -> DiskUsage {
    let images = try ImageCommand(context).imageStatuses()
    let stacks = try stacks()
    let store = ImageCommand(context).images.store
    var users: [String: Int] = [:]
    for service in stacks.flatMap(\.services) {
      if let image = service.image { users[image.digest, default: 0] += 1 }
    }
    var owners: [ContentDigest: Int] = [:]
    for image in images {
      for layer in Set(image.record.layers.map(\.chain)) { owners[layer, default: 0] += 1 }
    }
    let (all, idle) = Self.bytes(of: images, in: store, isUsed: { users["\($0)"] != nil })
    var services: [DiskUsage.Service] = []
    for stack in stacks { services += try self.services(of: stack) }
    return DiskUsage(
      images: images.map { Self.image($0, users["\($0.record.manifest)"] ?? 0, owners) },
      services: services, volumes: try volumes(),
      buildSteps: buildSteps(in: store, layersOfImages: Set(owners.keys)), imageBytes: all, idleImageBytes: idle)
  }

  private func stacks() throws(StackErrors) -> [DesiredStack] {
    var stacks: [DesiredStack] = []
    for name in index.names() {
      let desired = try rethrowing(name) { () throws(KernelError) in try index.desired(name) }
      if let desired { stacks.append(desired) }
    }
    return stacks
  }

  // MARK: Images

  private static func image(
    _ image: ImageCommand.ImageStatus, _ services: Int, _ owners: [ContentDigest: Int]
  ) -> DiskUsage.Image {
    let shared = image.record.layers.filter { owners[$0.chain, default: 0] > 1 }
    return DiskUsage.Image(
      names: image.names.map { (try? ImageReference($0.name))?.familiar ?? $0.name },
      id: "\(image.record.configuration)", created: image.record.created ?? "", size: image.record.size,
      sharedSize: shared.reduce(0) { $0 + $1.size }, services: services)
  }

  /// The layers of images and the archives that they came in, each once; and those of no image in use.
  private static func bytes(
    of images: [ImageCommand.ImageStatus], in store: ImageStore, isUsed: (ContentDigest) -> Bool
  ) -> (all: Int64, idle: Int64) {
    var sizes: [ContentDigest: Int64] = [:]
    var blobs: [ContentDigest: Int64] = [:]
    var used: Set<ContentDigest> = []
    for image in images {
      let isUsed = isUsed(image.record.manifest)
      for layer in image.record.layers {
        sizes[layer.chain] = layer.size
        if blobs[layer.blob] == nil { blobs[layer.blob] = store.blobSize(layer.blob) }
        if isUsed { used.formUnion([layer.chain, layer.blob]) }
      }
    }
    // The chain of a lowest layer is the digest of its contents, which a blob may have as its own.
    let all = sizes.map { ($0, $1) } + blobs.map { ($0, $1) }
    return (
      all.reduce(0) { $0 + $1.1 }, all.reduce(0) { used.contains($1.0) ? $0 : $0 + $1.1 }
    )
  }

  // MARK: Services and volumes

  private func services(of stack: DesiredStack) throws(StackErrors) -> [DiskUsage.Service] {
    let statuses = try rethrowing(stack.name) { () throws(KernelError) in try index.services(of: stack) }
    return statuses.map { status in
      let service = status.service
      let place = folders.stack(stack.name).service(service.name)
      return DiskUsage.Service(
        stack: stack.name, name: service.name, image: service.image?.name ?? "", volumes: service.mounts.count,
        size: ImageStore.size(of: place.upper), state: status.record.phase.rawValue,
        isRunning: status.record.phase.isAlive)
    }
  }

  private func volumes() throws(StackErrors) -> [DiskUsage.Volume] {
    try VolumeCommand(context).entries().map {
      DiskUsage.Volume(name: $0.name, users: $0.users.count, size: ImageStore.size(of: $0.folder))
    }
  }

  // MARK: Builds

  private func buildSteps(in store: ImageStore, layersOfImages: Set<ContentDigest>) -> [DiskUsage.BuildStep] {
    // Several steps may have made one layer.
    var seen = layersOfImages
    let steps = store.buildSteps().map { step in
      let isShared = step.record.layer.map { !seen.insert($0.chain).inserted } ?? false
      return DiskUsage.BuildStep(
        id: String(step.record.key.prefix(12)), text: step.record.text, isCache: false,
        size: step.record.layer?.size ?? 0, created: step.record.created, lastUsed: step.lastUsed, isShared: isShared)
    }
    let caches = store.buildCaches().map { cache in
      DiskUsage.BuildStep(
        id: String(cache.name.prefix(12)), text: "RUN --mount=type=cache", isCache: true, size: cache.size, created: "",
        lastUsed: cache.lastUsed, isShared: false)
    }
    return (steps + caches).sorted { ($0.lastUsed, $0.id) > ($1.lastUsed, $1.id) }
  }
}
