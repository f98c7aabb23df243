import Glibc
import Kernel
import SystemPackage

/// Hears of changes below folders of the host, new folders too (inotify(7)).
final class TreeWatch {
  private let inotify: Descriptor
  private var folders: [CInt: String] = [:]
  /// A folder whose changes nobody wants to know, such as node_modules.
  private let isIgnored: (String) -> Bool

  /// True if changes were lost: everything has to be looked at again.
  private(set) var hasOverflowed = false

  private static let events = UInt32(
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DONT_FOLLOW)
  private static let headerSize = 16

  /// - Parameter isIgnored: true for absolute paths of folders that are left out.
  init(isIgnored: @escaping (String) -> Bool) throws(KernelError) {
    self.isIgnored = isIgnored
    inotify = Descriptor(adopting: try check("watch", "files") { inotify_init1(CInt(IN_CLOEXEC | IN_NONBLOCK)) })
  }

  /// Readable when something has changed.
  var descriptor: FileDescriptor { inotify.fileDescriptor }

  /// Watches a file or a folder with all below it.
  func add(_ path: String) throws(KernelError) {
    guard !isIgnored(path) else { return }
    let number = inotify_add_watch(inotify.rawValue, path, Self.events)
    guard number >= 0 else {
      // Removed meanwhile.
      guard errno != ENOENT, errno != ENOTDIR else { return }
      throw KernelError(
        "watch", path, errno: .last,
        remedy: errno == ENOSPC ? "permit more watches: sysctl fs.inotify.max_user_watches=524288" : nil)
    }
    folders[number] = path
    for name in Self.folders(in: path) { try add("\(path)/\(name)") }
  }

  private static func folders(in path: String) -> [String] {
    guard let descriptor = try? FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec, .noFollow])
    else { return [] }
    defer { try? descriptor.close() }
    let entries = (try? FolderEntry.all(in: descriptor)) ?? []
    return entries.filter { $0.kind == .folder }.map(\.text)
  }

  /// The paths that have changed since this was last asked, each once. New folders bring what is in them already.
  func changes() throws(KernelError) -> Set<String> {
    var paths: Set<String> = []
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = bytes.withUnsafeMutableBytes { Glibc.read(inotify.rawValue, $0.baseAddress, $0.count) }
      guard count > 0 else { return paths }
      var offset = 0
      while offset + Self.headerSize <= count {
        let event = bytes.withUnsafeBytes { buffer in
          (
            watch: buffer.loadUnaligned(fromByteOffset: offset, as: CInt.self),
            mask: buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self),
            length: Int(buffer.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
          )
        }
        let start = offset + Self.headerSize
        let name = String(decoding: bytes[start..<min(start + event.length, count)].prefix { $0 != 0 }, as: UTF8.self)
        offset = start + event.length
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { hasOverflowed = true }
        guard let folder = folders[event.watch] else { continue }
        let path = name.isEmpty ? folder : "\(folder)/\(name)"
        guard !isIgnored(path) else { continue }
        paths.insert(path)
        if event.mask & UInt32(IN_ISDIR) != 0, event.mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0 { try add(path) }
      }
    }
  }

  /// Forgets that changes were lost.
  func takeOverflow() -> Bool {
    defer { hasOverflowed = false }
    return hasOverflowed
  }
}
