import CLinux
import Glibc
import Kernel
import SystemPackage

/// A tree that COPY takes files from: a context, the files of a stage, or those of an image.
struct SourceTree: ~Copyable {
  let root: Descriptor
  /// Held as long as the tree is in use.
  private let cleanUp: (() -> Void)?

  init(_ root: consuming Descriptor, cleanUp: (() -> Void)? = nil) {
    self.root = root
    self.cleanUp = cleanUp
  }

  deinit { cleanUp?() }

  /// A source that was found.
  struct Found: Hashable {
    /// Below the root, links followed.
    var path: [[UInt8]]
    /// As it is named in the root: the last part is the name of a copy in a folder.
    var name: [UInt8]
    var isFolder: Bool
  }

  private static let inRoot: UInt64 = 0x12

  /// What a source of COPY names: a path, or a pattern of Go's filepath.Match. Nothing leads out of the root.
  func find(_ source: String) throws(KernelError) -> [Found] {
    let parts = Self.parts(source)
    guard parts.contains(where: Self.isPattern) else {
      guard let found = try resolve(parts) else { return [] }
      return [found]
    }
    var names: [[[UInt8]]] = [[]]
    for part in parts {
      var next: [[[UInt8]]] = []
      for name in names {
        guard Self.isPattern(part) else {
          next.append(name + [part])
          continue
        }
        for entry in try entries(name) where Self.matches(entry, part) { next.append(name + [entry]) }
      }
      names = next
    }
    var found: [Found] = []
    for name in names {
      if let one = try resolve(name) { found.append(one) }
    }
    return found
  }

  static func parts(_ path: String) -> [[UInt8]] {
    var parts: [[UInt8]] = []
    for part in path.utf8.split(separator: 0x2F).map({ Array($0) }) where part != [0x2E] {
      if part == [0x2E, 0x2E] { _ = parts.popLast() } else { parts.append(part) }
    }
    return parts
  }

  private static func isPattern(_ part: [UInt8]) -> Bool { part.contains { "*?[\\".utf8.contains($0) } }

  private static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
    let pattern = pattern.map(CChar.init(bitPattern:)) + [0]
    return fnmatch(pattern, name.map(CChar.init(bitPattern:)) + [0], FNM_PATHNAME) == 0
  }

  private func entries(_ path: [[UInt8]]) throws(KernelError) -> [[UInt8]] {
    let number = stack_openat2(root.rawValue, Self.path(path), UInt64(O_DIRECTORY | O_CLOEXEC), 0, Self.inRoot)
    guard number >= 0 else { return [] }
    let folder = Descriptor(adopting: number)
    do {
      return try FolderEntry.all(in: folder.fileDescriptor).map { $0.name.dropLast().map(UInt8.init(bitPattern:)) }
        .sorted { $0.lexicographicallyPrecedes($1) }
    } catch {
      throw KernelError("list", Self.text(path), errno: error)
    }
  }

  /// Follows links within the root; nil where nothing is.
  private func resolve(_ path: [[UInt8]]) throws(KernelError) -> Found? {
    let flags = UInt64(UInt32(bitPattern: 0o10000000 | O_CLOEXEC))
    let number = stack_openat2(root.rawValue, Self.path(path), flags, 0, Self.inRoot)
    guard number >= 0 else {
      if [ENOENT, ENOTDIR].contains(errno) { return nil }
      throw KernelError("open", Self.text(path), errno: .last)
    }
    let file = Descriptor(adopting: number)
    var status = stat()
    try check("look at", Self.text(path)) { fstat(file.rawValue, &status) }
    let isFolder = status.st_mode & S_IFMT == S_IFDIR
    return Found(path: try place(of: file, named: path), name: path.last ?? [], isFolder: isFolder)
  }

  /// The path below the root that an open file has without links.
  private func place(of file: borrowing Descriptor, named path: [[UInt8]]) throws(KernelError) -> [[UInt8]] {
    let (own, base) = (Self.link(file.rawValue), Self.link(root.rawValue))
    guard let own, let base else { return path }
    let (ownParts, baseParts) = (own.split(separator: 0x2F).map { Array($0) }, base.split(separator: 0x2F).map { Array($0) })
    return ownParts.starts(with: baseParts) ? Array(ownParts.dropFirst(baseParts.count)) : path
  }

  private static func link(_ number: CInt) -> [UInt8]? {
    var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = target.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map {
        readlink("/proc/self/fd/\(number)", $0.assumingMemoryBound(to: CChar.self), bytes.count)
      } ?? -1
    }
    return count > 0 ? Array(target.prefix(count)) : nil
  }

  /// All that is in a folder, folders before their entries, in the order of names.
  func walk(_ folder: [[UInt8]], _ visit: ([[UInt8]]) throws(KernelError) -> Void) throws(KernelError) {
    try walk(folder, [], visit)
  }

  private func walk(
    _ folder: [[UInt8]], _ below: [[UInt8]], _ visit: ([[UInt8]]) throws(KernelError) -> Void
  ) throws(KernelError) {
    guard below.count < 1000 else {
      throw KernelError("copy", Self.text(folder + below), errno: .fileNameTooLong, detail: "folders are too deep")
    }
    let number = try check("open", Self.text(folder + below)) {
      stack_openat2(root.rawValue, Self.path(folder + below), UInt64(O_DIRECTORY | O_CLOEXEC), 0, Self.inRoot)
    }
    let opened = Descriptor(adopting: number)
    let entries: [FolderEntry]
    do {
      entries = try FolderEntry.all(in: opened.fileDescriptor)
    } catch {
      throw KernelError("list", Self.text(folder + below), errno: error)
    }
    let named = entries.map { (name: $0.name.dropLast().map(UInt8.init(bitPattern:)), kind: $0.kind, raw: $0.name) }
    for entry in named.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
      try visit(below + [entry.name])
      var isFolder = entry.kind == .folder
      if entry.kind == .unknown {
        var status = stat()
        isFolder =
          fstatat(opened.rawValue, entry.raw, &status, AT_SYMLINK_NOFOLLOW) == 0
          && status.st_mode & S_IFMT == S_IFDIR
      }
      if isFolder { try walk(folder, below + [entry.name], visit) }
    }
  }

  private static func path(_ parts: [[UInt8]]) -> [CChar] {
    parts.isEmpty ? [0x2E, 0] : parts.joined(separator: [0x2F]).map(CChar.init(bitPattern:)) + [0]
  }

  static func text(_ parts: [[UInt8]]) -> String {
    VisibleText.line(String(decoding: Array(parts.joined(separator: [0x2F])), as: UTF8.self))
  }
}
