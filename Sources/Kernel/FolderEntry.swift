import Glibc
import SystemPackage

/// An entry of a folder.
///
/// The name is bytes: a name in a folder need not be text.
public struct FolderEntry: Hashable, Sendable {
  /// The type that the folder gives; file systems need not give one.
  public enum Kind: Hashable, Sendable {
    case folder, file, link, other, unknown
  }

  /// With its NUL, as calls take it.
  public let name: [CChar]
  public let kind: Kind

  /// The name for people to read, and where it is known to be text.
  public var text: String { String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }

  /// All that an open folder holds but itself and the one above it, in the folder's own order. The descriptor may be one that
  /// is a path alone (O_PATH), and where it stands in the folder is left as it is.
  public static func all(in folder: FileDescriptor) throws(Errno) -> [FolderEntry] {
    let number = openat(folder.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw .last }
    guard let stream = fdopendir(number) else {
      let failure = Errno.last
      close(number)
      throw failure
    }
    defer { closedir(stream) }
    var entries: [FolderEntry] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        // The end, or a failure: only the number tells (readdir(3)).
        if errno != 0 { throw .last }
        return entries
      }
      // The kernel's entries are as long as their names: what follows the NUL is not theirs.
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        bytes.prefix { $0 != 0 }.map(CChar.init(bitPattern:)) + [0]
      }
      if name != [46, 0], name != [46, 46, 0] {
        entries.append(FolderEntry(name: name, kind: Kind(type: entry.pointee.d_type)))
      }
    }
  }
}

extension FolderEntry.Kind {
  fileprivate init(type: UInt8) {
    switch Int(type) {
    case DT_DIR: self = .folder
    case DT_REG: self = .file
    case DT_LNK: self = .link
    case DT_UNKNOWN: self = .unknown
    default: self = .other
    }
  }
}
