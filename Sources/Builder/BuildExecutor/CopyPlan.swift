import Digests
import Dockerfile
import Glibc
import ImageStore
import Kernel
import StackFiles
import SystemPackage

/// A COPY or an ADD with its sources found.
struct CopyPlan {
  private let copy: CopyOperation
  private(set) var key: StepKey
  private let destination: String
  private let isForFolder: Bool

  init(_ copy: CopyOperation, _ builder: borrowing StageBuilder) throws {
    self.copy = copy
    destination = builder.absolute(copy.destination)
    isForFolder =
      copy.destination.hasSuffix("/") || copy.destination.hasSuffix("/.") || copy.destination == "."
      || copy.sources.count > 1
    key = StepKey(copy.isAdd ? "ADD" : "COPY", on: builder.state)
    key["destination"] = destination + (isForFolder ? "/" : "")
    key["owner"] = copy.owner
    key["mode"] = copy.mode
    key["sources"] = "\(copy.sources)"
    key["exclusions"] = copy.exclusions.isEmpty ? nil : "\(copy.exclusions)"
    let paths = copy.sources.compactMap { if case .path(let path) = $0 { path } else { nil } }
    if let layers = try builder.layers(from: copy.from) {
      key["files of \(copy.from ?? "")"] = layers.last.map { "\($0.chain)" } ?? "scratch"
    } else if !paths.isEmpty {
      key["files"] = try Self.digest(of: paths, try builder.tree(from: copy.from))
    }
  }

  // MARK: The key

  /// The hash of all that is copied: names, kinds, modes, contents.
  static func digest(of paths: [String], _ tree: borrowing SourceTree) throws -> String {
    var hash = try ContentHash()
    for path in paths {
      for found in try tree.find(path) {
        try add(found.path, tree, &hash)
        guard found.isFolder else { continue }
        var names: [[[UInt8]]] = []
        try tree.walk(found.path) { names.append(found.path + $0) }
        for name in names { try add(name, tree, &hash) }
      }
    }
    return try hash.digest().hex
  }

  private static func add(_ path: [[UInt8]], _ tree: borrowing SourceTree, _ hash: inout ContentHash) throws {
    let name = path.isEmpty ? [0x2E] : Array(path.joined(separator: [0x2F]))
    let cName = name.map(CChar.init(bitPattern:)) + [0]
    var status = stat()
    try check("look at", SourceTree.text(path)) {
      fstatat(tree.root.rawValue, cName, &status, AT_SYMLINK_NOFOLLOW)
    }
    hash.add(Array("\(name.count):".utf8) + name + Array("\(status.st_mode) \(status.st_size)\n".utf8))
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      let file = Descriptor(
        adopting: try check("open", SourceTree.text(path)) {
          openat(tree.root.rawValue, cName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        })
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = chunk.withUnsafeMutableBytes { read(file.rawValue, $0.baseAddress, $0.count) }
        if count < 0, Errno.last == .interrupted { continue }
        guard count >= 0 else { throw KernelError("read", SourceTree.text(path), errno: .last) }
        if count == 0 { break }
        hash.add(Array(chunk[..<count]))
      }
    case S_IFLNK:
      var target = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlinkat(tree.root.rawValue, cName, &target, target.count)
      hash.add(target.prefix(max(count, 0)).map(UInt8.init(bitPattern:)))
    default: break
    }
  }

  // MARK: Carrying it out

  func carryOut(_ builder: borrowing StageBuilder, in folder: String, _ step: BuildStep) throws {
    let root = try builder.openRoot(folder)
    var attributes = CopyAttributes()
    let isFromImage = try builder.layers(from: copy.from) != nil
    attributes.keepsDevices = isFromImage
    if let owner = copy.owner {
      attributes.owner = try Self.owner(owner, in: root.fileDescriptor)
    } else if !isFromImage {
      attributes.owner = (0, 0)
    }
    attributes.mode = try copy.mode.map(Self.mode)
    let tree = try builder.tree(from: copy.from)
    var writer = CopyWriter(
      from: tree.root.fileDescriptor, to: root.fileDescriptor, attributes, stop: builder.services.stop)
    for source in copy.sources {
      switch source {
      case .path(let path): try carryOut(path, tree, &writer, root.fileDescriptor, builder)
      case .file(let name, let content):
        let target = place(of: Array(name.utf8), root.fileDescriptor)
        try writer.enter(target.folder)
        try writer.write(Array(content.utf8), as: target.name, mode: 0o644)
      case .url(let address):
        throw BuildFailure(
          step.place, "ADD of \(address): stack does not fetch it", remedy: "fetch it in a step: RUN wget or curl")
      }
    }
    try writer.finish()
  }

  private func carryOut(
    _ path: String, _ tree: borrowing SourceTree, _ writer: inout CopyWriter, _ root: FileDescriptor,
    _ builder: borrowing StageBuilder
  ) throws {
    let all = try tree.find(path)
    guard !all.isEmpty else {
      if path.contains(where: { "*?[".contains($0) }) { return }
      throw missing(path, builder.folder(of: copy.from))
    }
    for found in all {
      guard found.isFolder else {
        let target = place(of: found.name, root)
        try writer.enter(target.folder)
        try writer.copy([CopyItem(source: found.path, target: [target.name])])
        continue
      }
      try writer.enter(destination)
      var items: [CopyItem] = []
      try tree.walk(found.path) { below in items.append(CopyItem(source: found.path + below, target: below)) }
      try writer.copy(items)
    }
  }

  private func missing(_ path: String, _ folder: String) -> BuildFailure {
    let place = copy.from.map { "in \($0)" } ?? "in the context \(folder)"
    return BuildFailure(
      nil, "there is no \(path) \(place)",
      remedy: copy.from == nil ? "correct the path, or see whether .dockerignore leaves it out" : "correct the path")
  }

  /// A file goes into a folder, or takes the destination's name.
  private func place(of name: [UInt8], _ root: FileDescriptor) -> (folder: String, name: [UInt8]) {
    if isForFolder || CopyWriter.isFolder(destination, in: root) { return (destination, name) }
    let parts = destination.split(separator: "/")
    return ("/" + parts.dropLast().joined(separator: "/"), Array((parts.last ?? "").utf8))
  }

  /// A user alone has the group of the same number.
  private static func owner(_ text: String, in root: FileDescriptor) throws -> (user: UInt32, group: UInt32) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let found = try RootOwner.numbers(of: text, in: root)
    return parts.count == 1 ? (found.user, found.user) : found
  }

  private static func mode(_ text: String) throws -> mode_t {
    guard let mode = mode_t(text, radix: 8), mode <= 0o7777 else {
      throw BuildFailure(nil, "\(text) is no mode", remedy: "write it in octal digits: --chmod=755")
    }
    return mode
  }
}
