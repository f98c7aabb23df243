import CLinux
import Glibc
import Kernel
import SystemPackage

/// A folder that is being filled, and the root folder it takes after. Paths are relative to either.
struct Skeleton: ~Copyable {
  let folder: Descriptor
  let path: String
  let source: Descriptor

  init(path: String, source: String) throws(KernelError) {
    self.path = path
    let folder = try Descriptor.open(path, OpenFlag.path | O_DIRECTORY)
    self.source = try Descriptor.open(source.isEmpty ? "/" : source, OpenFlag.path | O_DIRECTORY)
    self.folder = folder
  }

  func folder(_ name: String, mode: mode_t) throws(KernelError) {
    if mkdirat(folder.rawValue, name, mode) != 0, errno != EEXIST { throw failure("make", name) }
    // The caller's umask has had its say.
    if fchmodat(folder.rawValue, name, mode, 0) != 0 { throw failure("make", name) }
  }

  /// Leaves a correct link alone, and replaces any other in one step: services may have it in use.
  func link(_ name: String, to target: String) throws(KernelError) {
    if try linkTarget(of: name) == target { return }
    try replace(name) { (temporary) throws(KernelError) in
      if symlinkat(target, folder.rawValue, temporary) != 0 { throw failure("make", name) }
    }
  }

  func file(_ name: String, _ text: String) throws(KernelError) {
    try file(name, bytes: Array(text.utf8))
  }

  /// As ``link(_:to:)``.
  func file(_ name: String, bytes: [UInt8]) throws(KernelError) {
    if holds(name, bytes) { return }
    try replace(name) { (temporary) throws(KernelError) in
      let file = try Descriptor.open(
        temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644, at: folder.rawValue)
      if fchmod(file.rawValue, 0o644) != 0 { throw failure("make", name) }
      do {
        try file.fileDescriptor.writeAll(bytes)
      } catch {
        throw KernelError("write", "\(path)/\(name)", errno: (error as? Errno) ?? .ioError)
      }
    }
  }

  /// Has what `make` makes under a name of its own take the place of what is there.
  private func replace(_ name: String, _ make: (String) throws(KernelError) -> Void) throws(KernelError) {
    let temporary = "\(name).new"
    // A killed process may have left it.
    _ = unlinkat(folder.rawValue, temporary, 0)
    try make(temporary)
    if renameat(folder.rawValue, temporary, folder.rawValue, name) != 0 { throw failure("make", name) }
  }

  /// True if a file is there with these bytes and the mode that files get.
  private func holds(_ name: String, _ bytes: [UInt8]) -> Bool {
    guard let file = try? Descriptor.open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, at: folder.rawValue) else {
      return false
    }
    var status = stat()
    guard fstat(file.rawValue, &status) == 0, status.st_mode == S_IFREG | 0o644, status.st_size == bytes.count else {
      return false
    }
    return (try? file.read(upTo: bytes.count, path: name)) == bytes
  }

  // MARK: The source

  /// The text of a file, or none when it is missing.
  func sourceText(_ name: String) throws(KernelError) -> String {
    String(decoding: try sourceBytes(name) ?? [], as: UTF8.self)
  }

  private func sourceBytes(_ name: String) throws(KernelError) -> [UInt8]? {
    do {
      let file = try Descriptor.open(name, in: source.rawValue, O_RDONLY | O_NONBLOCK)
      return try file.read(upTo: 8 << 20, path: name)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
  }

  func linkTarget(ofSource name: String) throws(KernelError) -> String? {
    try linkTarget(of: name, in: source)
  }

  private func linkTarget(of name: String) throws(KernelError) -> String? {
    try linkTarget(of: name, in: folder)
  }

  private func linkTarget(of name: String, in place: borrowing Descriptor) throws(KernelError) -> String? {
    let target: String? = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlinkat(place.rawValue, name, start, buffer.count)
      return count < 0 ? nil : String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
    if target == nil, errno != EINVAL, errno != ENOENT { throw failure("read", name) }
    return target
  }

  func sourceIsFolder(_ name: String) -> Bool {
    var status = stat()
    return fstatat(source.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Takes a file over, or a link that leads into /usr. What is missing, or leads elsewhere, is left out.
  func carry(_ name: String) throws(KernelError) {
    if let target = try linkTarget(ofSource: name) {
      if Self.staysInside(target) { try link(name, to: target) }
    } else if let bytes = try sourceBytes(name) {
      try file(name, bytes: bytes)
    }
  }

  /// Takes over what is directly in a folder.
  func carryFolder(_ name: String) throws(KernelError) {
    for entry in try entries(ofSource: name) { try carry("\(name)/\(entry)") }
  }

  /// Leads into /usr, through /etc/alternatives, or to a neighbour.
  static func staysInside(_ target: String) -> Bool {
    let normalized = ContainerPath.normalized(target)
    if target.hasPrefix("/") { return normalized.hasPrefix("/usr/") || normalized.hasPrefix("/etc/alternatives/") }
    return !target.utf8.contains(UInt8(ascii: "/")) || normalized.hasPrefix("/usr/")
  }

  private func entries(ofSource name: String) throws(KernelError) -> [String] {
    let folder: Descriptor
    do {
      folder = try Descriptor.open(name, in: source.rawValue, O_RDONLY | O_DIRECTORY)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return [] }
      throw error
    }
    return try folder.entries(of: name).filter { $0.kind == .link || $0.kind == .file }.map(\.text)
  }

  private func failure(_ action: String, _ name: String) -> KernelError {
    KernelError(action, "\(path)/\(name)", errno: .last)
  }
}
