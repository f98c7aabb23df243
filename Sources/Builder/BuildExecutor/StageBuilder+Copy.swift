import BuildCache
import BuildContext
import BuildIgnore
import Digests
import Dockerfile
import Glibc
import ImageReference
import ImageStore
import Kernel
import StackFiles
import SystemPackage

extension StageBuilder {
  mutating func carryOut(_ copy: CopyOperation, _ operation: Operation, _ step: BuildStep) throws {
    guard !state.isUnknown, !isUnknown(copy.from) else { return plan(step, nil) }
    let plan = try CopyPlan(copy, operation.instruction, self)
    let prepared = try prepare(operation, inputs: plan.inputs, entries: plan.entries)
    try cached(prepared, operation, step) { builder, folder in try plan.carryOut(builder, in: folder) }
  }

  // MARK: Origins

  /// The origin that the text of `--from` or `from=` means.
  func origin(_ text: String) -> StageGraph.Origin {
    if let origin = node.origins[text] { return origin }
    // In a trigger of the base: there are no stages in that one's file.
    return request.contexts[text] == nil ? .image(text) : .context(text)
  }

  /// True for a stage that a dry run has not built.
  func isUnknown(_ from: String?) -> Bool {
    guard let from, case .stage(let index) = origin(from) else { return false }
    return finished[index]?.isUnknown ?? false
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

  /// For people: `stage build`, `image alpine:3`, `the context`.
  func label(of from: String?) -> String {
    guard let from else { return "the context" }
    return switch origin(from) {
    case .scratch: "scratch"
    case .stage(let index): "stage \(request.graph.node(index)?.stage.label ?? from)"
    case .image(let name): "image \(name)"
    case .context(let name): "the context \(name)"
    }
  }

  /// The folder of the host that a context is.
  func contextRoot(_ from: String?) throws -> ContextRoot {
    if let from, case .folder(let root)? = request.contexts[from] { return root }
    return request.context
  }

  /// The files that a step takes from.
  func source(from: String?) throws -> StepSource {
    guard let layers = try layers(from: from) else { return StepSource(try contextRoot(from)) }
    return try StepSource(try StageRoot(self, layers, nil), label: label(of: from))
  }

  /// The files that a step takes, by their contents: where they come from may have changed otherwise.
  func taken(
    from: String?, _ paths: [StepPath], excluding exclusions: IgnorePatterns = IgnorePatterns()
  ) throws -> TakenFiles {
    if let layers = try layers(from: from) {
      return try taken(from: from, layers, paths, excluding: exclusions)
    }
    let root = try contextRoot(from)
    let sources = try paths.flatMap { try $0.sources(in: root) }
    let selection = try services.memory.digest(of: sources, in: root, excluding: exclusions)
    return TakenFiles(label(of: from), selection.digest) { selection.entries }
  }

  /// Files of layers, which never change: they are read once.
  private func taken(
    from: String?, _ layers: [ImageRecord.Layer], _ paths: [StepPath], excluding exclusions: IgnorePatterns
  ) throws -> TakenFiles {
    let name = try Self.name(of: paths, in: layers, excluding: exclusions)
    let files = { [store] in store.selectionFiles(name).flatMap { SelectionManifest.entries($0) } }
    if let digest = store.selection(name) { return TakenFiles(label(of: from), digest, files) }
    let source = try source(from: from)
    let sources = try paths.flatMap { try $0.sources(in: source.root) }
    // Of a mounted stage, no number tells one file from another for longer than it is mounted.
    var memory = DigestMemory()
    let selection = try source.root.digest(of: sources, excluding: exclusions, &memory)
    try store.write(selection: name, selection.digest, files: selection.entries.map { SelectionManifest.encoded($0) })
    return TakenFiles(label(of: from), selection.digest) { selection.entries }
  }

  private static func name(
    of paths: [StepPath], in layers: [ImageRecord.Layer], excluding exclusions: IgnorePatterns
  ) throws(LibraryError) -> String {
    let excluded = exclusions.patterns.map { ($0.isException ? "!" : "") + $0.text }
    let texts =
      ["\(paths.count)"] + layers.suffix(1).map { "\($0.chain)" }
      + paths.flatMap { [$0.keepsParents ? "parents" : "", $0.text] } + excluded
    // No text holds a NUL.
    return try ContentHash.digest(of: Array(texts.joined(separator: "\0").utf8)).hex
  }

  /// The files that a bind mount shows. All of a stage is known by its layers.
  func taken(by mount: RunMount) throws -> TakenFiles {
    let path = StepPath(mount.source ?? "/")
    guard absolute("/" + path.text) == "/", let layers = try layers(from: mount.from) else {
      return try taken(from: mount.from, [path])
    }
    return TakenFiles(label(of: mount.from), try layers.last?.chain ?? ContentHash.digest(of: [])) { nil }
  }

  /// Copies what a bind mount shows of a folder of the host to the layer of a step, at the same path.
  func copyWhole(from: String?, _ path: String, to step: String) throws {
    let source = try source(from: from)
    let folder = "\(store.layersFolder)/\(step)/fs"
    let target = Descriptor(
      adopting: try check("open", folder) { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    var attributes = CopyAttributes()
    attributes.owner = (0, 0)
    var writer = CopyWriter(to: target.fileDescriptor, attributes, stop: services.stop)
    for found in try source.root.sources(Array(path.utf8)) {
      let parts = found.path.split(separator: 0x2F)
      let parent = found.isFolder ? parts[...] : parts.dropLast()
      try writer.enter("/" + parent.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/"))
      let name = Array(parts.last ?? [])
      try source.copy(found, excluding: IgnorePatterns(), with: &writer) { entry in
        found.isFolder ? entry.path : name
      }
    }
    try writer.finish()
  }
}

/// Files that the result of a step depends on.
struct TakenFiles {
  let input: StepSituation.Input
  /// Each of them; nil where they are too many to be kept.
  let entries: () -> [SelectedEntry]?

  init(_ origin: String, _ digest: ContentDigest, _ entries: @escaping () -> [SelectedEntry]?) {
    input = StepSituation.Input(origin: origin, digest: digest)
    self.entries = entries
  }
}
