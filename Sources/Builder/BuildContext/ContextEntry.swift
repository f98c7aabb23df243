import CImages
import CLinux
import Glibc
import Kernel
import SystemPackage

/// One entry of a context on a walk. The folder's descriptor is on loan: it is valid while the visitor runs.
package struct ContextEntry: Sendable {
  /// Below the source that is walked; empty for the source itself.
  package var path: [UInt8]
  /// From the context's root.
  package var fullPath: [UInt8]
  package var status: EntryStatus
  /// The folder that holds it.
  package var folder: FileDescriptor
  /// Its name there, with its NUL.
  package var name: [CChar]

  /// The open file or folder, if it still is what was seen.
  ///
  /// - Throws: ``ContextError``, also where something else has taken its place.
  package func open() throws(ContextError) -> Descriptor {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
    let number = openat(folder.rawValue, name, flags)
    guard number >= 0 else { throw ContextError("open", fullPath, .last) }
    let descriptor = Descriptor(adopting: number)
    var found = stat()
    guard fstat(number, &found) == 0 else { throw ContextError("look at", fullPath, .last) }
    let now = EntryStatus(found)
    guard now.kind == status.kind, now.identity.inode == status.identity.inode else { throw changed }
    return descriptor
  }

  /// The target of a link.
  package func linkTarget() throws(ContextError) -> [UInt8] {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlinkat(folder.rawValue, name, &target, target.count)
    guard count >= 0 else { throw ContextError("read the link", fullPath, .last) }
    return target.prefix(count).map(UInt8.init(bitPattern:))
  }

  var changed: ContextError {
    ContextError(
      "\(ContextPath.shown(fullPath)) was changed while it was read", remedy: "build again when nothing writes there")
  }

  /// The attributes that a layer keeps, sorted by name: `user.` and the file's capability.
  package static func attributes(of file: borrowing Descriptor) -> [(name: String, value: [UInt8])] {
    let length = images_attributes(file.rawValue, nil, 0)
    guard length > 0 else { return [] }
    var names = [CChar](repeating: 0, count: length)
    guard images_attributes(file.rawValue, &names, names.count) > 0 else { return [] }
    let texts = names.split(separator: 0).map { String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self) }
    return texts.filter { $0.hasPrefix("user.") && !$0.hasPrefix("user.overlay.") || $0 == "security.capability" }
      .sorted()
      .compactMap { name in
        let size = images_attribute(file.rawValue, name, nil, 0)
        guard size >= 0 else { return nil }
        var value = [UInt8](repeating: 0, count: size)
        let count = images_attribute(file.rawValue, name, &value, value.count)
        return count >= 0 ? (name, Array(value.prefix(count))) : nil
      }
  }
}
