import BuildCache
import BuildContext
import BuildIgnore
import Dockerfile
import Glibc
import ImageStore
import Images
import Kernel
import StackFiles
import SystemPackage

/// A COPY or an ADD: what it takes, and how it is carried out.
struct CopyPlan {
  private let copy: CopyOperation
  /// The places of the sources in the Dockerfile, in their order.
  private let spans: [Span]
  private let ownerSpan: Span?
  private let exclusions: IgnorePatterns
  let inputs: [StepSituation.Input]
  let entries: () -> [SelectedEntry]?
  private let destination: String
  private let isForFolder: Bool
  /// Files of the web, by their address. One with a checksum is fetched when it is needed.
  private let fetched: [String: AddedFile]

  init(_ copy: CopyOperation, _ instruction: Instruction, _ builder: StageBuilder) throws {
    self.copy = copy
    spans = instruction.sourceSpans
    ownerSpan = instruction.ownerSpan
    do {
      exclusions = try IgnorePatterns(copy.exclusions)
    } catch {
      throw BuildFailure(nil, "--exclude: \(error.reason)", remedy: error.remedy)
    }
    destination = builder.absolute(copy.destination)
    let last = copy.destination.split(separator: "/", omittingEmptySubsequences: false).last
    isForFolder = last == "" || last == "." || copy.sources.count > 1
    var paths: [StepPath] = []
    var fetched: [String: AddedFile] = [:]
    var inputs: [StepSituation.Input] = []
    for (source, span) in zip(copy.sources, spans) {
      switch source {
      case .path(let path): paths.append(StepPath(path, span, keepsParents: copy.keepsParents))
      case .url(let address) where copy.checksum == nil:
        let file = try placing(span) { try builder.added(address, checksum: nil) }
        fetched[address] = file
        inputs.append(StepSituation.Input(origin: address, digest: file.digest))
      case .url, .file: break
      }
    }
    self.fetched = fetched
    guard !paths.isEmpty else {
      (self.inputs, entries) = (inputs, { nil })
      return
    }
    let taken = try builder.taken(from: copy.from, paths, excluding: exclusions)
    (self.inputs, entries) = (inputs + [taken.input], taken.entries)
  }

  func carryOut(_ builder: StageBuilder, in folder: String) throws {
    let mounted = try builder.openRoot(folder)
    let root = mounted.fileDescriptor
    let isFromImage = try builder.layers(from: copy.from) != nil
    var attributes = CopyAttributes()
    attributes.keepsDevices = isFromImage
    if let owner = copy.owner {
      attributes.owner = try self.owner(owner, in: root)
    } else if !isFromImage {
      attributes.owner = (0, 0)
    }
    attributes.change = copy.mode.flatMap(FileModeChange.init)
    let source = try builder.source(from: copy.from)
    // ADD also unpacks archives into the mounted root.
    let fresh = copy.isAdd ? nil : try FreshFolders("\(builder.store.layersFolder)/\(folder)")
    var writer = CopyWriter(to: root, attributes, stop: builder.services.stop, fresh: fresh)
    for (one, span) in zip(copy.sources, spans) {
      try placing(span) { try carryOut(one, span, source, &writer, root, builder) }
    }
    guard fresh != nil else { return try writer.finish() }
    writer.leave()
    _ = consume mounted
    try writer.finish()
  }

  private func carryOut(
    _ one: CopyOperation.Source, _ span: Span, _ source: StepSource, _ writer: inout CopyWriter,
    _ root: FileDescriptor, _ builder: StageBuilder
  ) throws {
    switch one {
    case .path(let path):
      let path = StepPath(path, span, keepsParents: copy.keepsParents)
      try carryOut(path, source, &writer, root, builder)
    case .file(let name, let content):
      let target = place(of: Array(name.utf8), root)
      try writer.enter(target.folder)
      try writer.write(Array(content.utf8), as: target.name, mode: 0o644, time: builder.request.epoch)
    case .url(let address): try carryOut(address: address, &writer, root, builder)
    }
  }

  private func carryOut(
    _ path: StepPath, _ source: StepSource, _ writer: inout CopyWriter, _ root: FileDescriptor,
    _ builder: StageBuilder
  ) throws {
    for found in try path.sources(in: source.root) {
      if found.isFolder || found.base != nil {
        try writer.enter(destination)
        try source.copy(found, excluding: exclusions, with: &writer) { $0.path }
        continue
      }
      if try unpack(found, source, root, builder) { continue }
      let target = place(of: found.name, root)
      try writer.enter(target.folder)
      try source.copy(found, excluding: exclusions, with: &writer) { _ in target.name }
    }
  }

  private func carryOut(
    address: String, _ writer: inout CopyWriter, _ root: FileDescriptor, _ builder: StageBuilder
  ) throws {
    let file = try fetched[address] ?? builder.added(address, checksum: copy.checksum)
    if copy.unpacks == true, let archive = try file.unpacked(builder.services.images, named: address) {
      return try write(archive, address, root, builder)
    }
    let target = place(of: file.name, root)
    guard !target.name.isEmpty else {
      throw BuildFailure(nil, "\(address) has no name for a file", remedy: "name the file in the destination")
    }
    try writer.enter(target.folder)
    try file.write(with: &writer, as: target.name)
  }

  /// A file goes into a folder, or takes the destination's name.
  private func place(of name: [UInt8], _ root: FileDescriptor) -> (folder: String, name: [UInt8]) {
    if isForFolder || CopyWriter.isFolder(destination, in: root) { return (destination, name) }
    let parts = destination.split(separator: "/")
    return ("/" + parts.dropLast().joined(separator: "/"), Array((parts.last ?? "").utf8))
  }

  // MARK: Archives

  /// Unpacks an archive of the context into the destination.
  ///
  /// - Returns: false for a file that ADD copies as it is.
  private func unpack(
    _ found: ContextSource, _ source: StepSource, _ root: FileDescriptor, _ builder: StageBuilder
  ) throws -> Bool {
    guard copy.isAdd, copy.from == nil, copy.unpacks ?? true, found.status.kind == .file else { return false }
    let name = ContextPath.shown(found.path)
    guard let archive = try archive(found, source, builder.services.images, name) else { return false }
    try write(archive, name, root, builder)
    return true
  }

  private func write(
    _ archive: UnpackedArchive, _ name: String, _ root: FileDescriptor, _ builder: StageBuilder
  ) throws {
    let folder = try ContextRoot.open(archive.folder)
    let tree = StepSource(ContextRoot(folder, label: name, keepsOwners: true))
    var attributes = CopyAttributes()
    attributes.keepsDevices = true
    if let owner = copy.owner { attributes.owner = try self.owner(owner, in: root) }
    attributes.change = copy.mode.flatMap(FileModeChange.init)
    var writer = CopyWriter(to: root, attributes, stop: builder.services.stop)
    try writer.enter(destination)
    for one in try tree.root.sources([]) {
      try tree.copy(one, excluding: IgnorePatterns(), with: &writer) { $0.path }
    }
    try writer.finish()
    withExtendedLifetime(archive) {}
  }

  private func archive(
    _ found: ContextSource, _ source: StepSource, _ images: ImageService, _ name: String
  ) throws -> UnpackedArchive? {
    var unpacked: UnpackedArchive?
    var failure: ImageError?
    do {
      try source.root.walk(found) { (entry) throws(ContextError) in
        let file = try entry.open()
        var head = [UInt8](repeating: 0, count: UnpackedArchive.headSize)
        let count = pread(file.rawValue, &head, head.count, 0)
        guard count > 0, UnpackedArchive.isMeant(Array(head[..<count])) else { return }
        do throws(ImageError) {
          unpacked = try images.unpack(file.fileDescriptor, named: name)
        } catch {
          failure = error
          throw ContextError("\(error)")
        }
      }
    } catch {
      if let failure { throw BuildFailure(nil, failure.problem, remedy: failure.remedy) }
      throw error
    }
    return unpacked
  }

  // MARK: Attributes

  /// A user alone has the group of the same number.
  private func owner(_ text: String, in root: FileDescriptor) throws -> (user: UInt32, group: UInt32) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    do throws(KernelError) {
      let found = try RootOwner.numbers(of: text, in: root)
      return parts.count == 1 ? (found.user, found.user) : found
    } catch {
      guard error.errno == .noSuchFileOrDirectory else { throw error }
      return try placing(ownerSpan) {
        throw BuildFailure(
          nil, "the image has no user or group \(text)", remedy: "make it in an earlier step, or give its number")
      }
    }
  }
}
