import BuildIgnore
import CLinux
import Glibc
import Kernel
import SystemPackage

/// A folder that a build may read: its context, an additional one, or a stage's root.
///
/// All is reached by descriptors from the root, a name at a time. So no link and no `..` leads out, whatever changes
/// meanwhile.
package final class ContextRoot: Sendable {
  let descriptor: Descriptor
  /// Its name in messages: the path as it was written, or a stage.
  package let label: String
  package let patterns: IgnorePatterns
  /// True for a stage. What comes from a folder of the host belongs to root.
  package let keepsOwners: Bool

  /// - Parameter descriptor: The open folder.
  package init(
    _ descriptor: consuming Descriptor, label: String, patterns: IgnorePatterns = IgnorePatterns(),
    keepsOwners: Bool = false
  ) {
    self.descriptor = descriptor
    (self.label, self.patterns, self.keepsOwners) = (label, patterns, keepsOwners)
  }

  /// - Throws: that there is no such folder.
  package static func open(_ path: String) throws(ContextError) -> Descriptor {
    let number = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else {
      let error = Errno.last
      throw ContextError(
        "cannot open the folder \(ContextPath.shown(Array(path.utf8))): \(error)",
        remedy: error == .notDirectory ? "the context is a folder; name the Dockerfile with -f" : nil)
    }
    return Descriptor(adopting: number)
  }

  /// The contents of a file, found as a COPY finds it but whatever `.dockerignore` says: a Dockerfile may be left out.
  ///
  /// - Returns: Nil where there is none.
  package func file(_ path: String, limit: Int) throws(ContextError) -> [UInt8]? {
    let bytes = Array(path.utf8)
    // A Dockerfile may be a link, and stays in the context.
    let flags = UInt64(UInt32(bitPattern: O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC))
    let number = stack_openat2(
      descriptor.rawValue, ContextPath.cString(bytes), flags, 0, ResolveFlag.inRoot | ResolveFlag.noMagicLinks)
    guard number >= 0 else {
      let error = Errno.last
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw ContextError("open", bytes, error)
    }
    let file = Descriptor(adopting: number)
    var status = stat()
    guard fstat(number, &status) == 0 else { throw ContextError("look at", bytes, .last) }
    guard EntryStatus(status).kind == .file else {
      throw ContextError("\(ContextPath.shown(bytes)) is no file", remedy: "name a regular file")
    }
    do {
      return try file.fileDescriptor.readAll(limit: limit)
    } catch {
      throw ContextError("read", bytes, error)
    }
  }

  /// A folder below the root, reached without following a link.
  func folder(_ path: [UInt8]) throws(ContextError) -> Descriptor {
    let flags = UInt64(UInt32(bitPattern: O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    let number = stack_openat2(
      descriptor.rawValue, ContextPath.cString(path), flags, 0, ResolveFlag.beneath | ResolveFlag.noSymlinks)
    guard number >= 0 else { throw ContextError("open", path, .last) }
    return Descriptor(adopting: number)
  }
}
