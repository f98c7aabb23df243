import Export
import Glibc
import Kernel

/// Reads what a service binds read-only, if it is small enough to be carried in a document.
enum BoundContentReader {
  /// Files and folders alike, each counted once.
  private static let mostFiles = 200

  /// - Returns: nil for what is missing, too large, or holds anything but files and folders.
  static func read(_ path: String) -> BoundContent? {
    guard let kind = kind(of: path) else { return nil }
    var files: [BoundContent.File] = []
    var room = BoundContent.largest
    guard add(path, as: "", kind, to: &files, &room) else { return nil }
    return BoundContent(isFolder: kind == S_IFDIR, files: files)
  }

  private static func add(
    _ path: String, as name: String, _ kind: mode_t, to files: inout [BoundContent.File], _ room: inout Int
  ) -> Bool {
    guard files.count < mostFiles else { return false }
    guard kind == S_IFDIR else { return addFile(path, as: name, kind, to: &files, &room) }
    for entry in Files.list(path).sorted() {
      let inner = "\(path)/\(entry)"
      guard let kind = self.kind(of: inner, within: true),
        add(inner, as: name.isEmpty ? entry : "\(name)/\(entry)", kind, to: &files, &room)
      else { return false }
    }
    return true
  }

  private static func addFile(
    _ path: String, as name: String, _ kind: mode_t, to files: inout [BoundContent.File], _ room: inout Int
  ) -> Bool {
    guard kind == S_IFREG, let bytes = try? Files.read(path, limit: room + 1), bytes.count <= room else { return false }
    room -= bytes.count
    files.append(
      BoundContent.File(path: name, source: path, bytes: bytes, isExecutable: isExecutable(path)))
    return true
  }

  /// The type bits of its mode. A link within a folder counts as the file that it leads to; one to a folder could lead
  /// in a circle.
  private static func kind(of path: String, within isInner: Bool = false) -> mode_t? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    let kind = status.st_mode & S_IFMT
    guard isInner, kind == S_IFDIR else { return kind }
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR ? kind : nil
  }

  private static func isExecutable(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & 0o111 != 0
  }
}
