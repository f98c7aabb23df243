import Dockerfile
import Glibc
import ImageStore
import Kernel
import StackFiles
import SystemPackage

extension StageBuilder {
  mutating func carryOut(_ copy: CopyOperation, _ step: BuildStep) throws {
    let plan = try CopyPlan(copy, self)
    try cached(plan.key, step) { builder, folder in try plan.carryOut(builder, in: folder, step) }
  }

  // MARK: Origins

  /// The origin that the text of `--from` or `from=` means.
  func origin(_ text: String) -> StageGraph.Origin {
    if let origin = node.origins[text] { return origin }
    // In a trigger of the base: there are no stages in that one's file.
    return request.contexts[text] == nil ? .image(text) : .context(text)
  }

  /// The layers of a stage or an image; nil for a folder of the host.
  ///
  /// - Parameter from: nil for the context.
  func layers(from: String?) throws -> [ImageRecord.Layer]? {
    guard let from else { return nil }
    switch origin(from) {
    case .scratch: return []
    case .stage(let index): return finished[index]?.layers ?? []
    case .image(let name): return try services.image(name).record.layers
    case .context(let name):
      guard case .image(let image)? = request.contexts[name] else { return nil }
      return try services.image(image).record.layers
    }
  }

  /// The folder of the host that a context is.
  func folder(of from: String?) -> String {
    if let from, case .folder(let path)? = request.contexts[from] { return path }
    return request.context
  }

  /// The files that COPY takes from; nil for the context.
  func tree(from: String?) throws -> SourceTree {
    if let layers = try layers(from: from) {
      let root = try StageRoot(self, layers, nil)
      let copy = Descriptor(
        adopting: try check("open", "the root of \(from ?? "")") {
          fcntl(root.fileDescriptor.rawValue, F_DUPFD_CLOEXEC, 3)
        })
      let held = RootHold(root)
      return SourceTree(copy) { withExtendedLifetime(held) {} }
    }
    let path = folder(of: from)
    return SourceTree(
      Descriptor(adopting: try check("open", path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }))
  }

  private final class RootHold {
    let root: StageRoot
    init(_ root: consuming StageRoot) { self.root = root }
  }

  /// Copies all of a folder of the host to the layer of a step, at the same path.
  func copyWhole(from: String?, _ source: String, to step: String) throws {
    let tree = try tree(from: from)
    let path = "\(store.layersFolder)/\(step)/fs"
    let target = Descriptor(
      adopting: try check("open", path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    var attributes = CopyAttributes()
    attributes.owner = (0, 0)
    var writer = CopyWriter(
      from: tree.root.fileDescriptor, to: target.fileDescriptor, attributes, stop: services.stop)
    for found in try tree.find(source) {
      let parent = found.isFolder ? found.path : Array(found.path.dropLast())
      try writer.enter("/" + SourceTree.text(parent))
      guard found.isFolder else {
        try writer.copy([CopyItem(source: found.path, target: [found.path.last ?? []])])
        continue
      }
      var items: [CopyItem] = []
      try tree.walk(found.path) { below in items.append(CopyItem(source: found.path + below, target: below)) }
      try writer.copy(items)
    }
    try writer.finish()
  }

  /// A name of the files that a bind mount shows.
  func digest(of mount: RunMount) throws -> String {
    if let layers = try layers(from: mount.from) { return layers.last.map { "\($0.chain)" } ?? "scratch" }
    return try CopyPlan.digest(of: [mount.source ?? "/"], try tree(from: mount.from))
  }
}
