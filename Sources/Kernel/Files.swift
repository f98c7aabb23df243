import Glibc
import SystemPackage

/// The few things that state needs of a file system. Every failure names the file.
package enum Files {
  /// Reads a whole file, but no more than `limit` bytes.
  ///
  /// - Returns: nil when there is no such file.
  package static func read(_ path: String, limit: Int = 64 << 20) throws(KernelError) -> [UInt8]? {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else {
      if errno == ENOENT { return nil }
      throw KernelError("read", path, errno: .last)
    }
    let descriptor = Descriptor(adopting: number)
    do {
      return try descriptor.fileDescriptor.readAll(limit: limit)
    } catch {
      throw KernelError("read", path, errno: error)
    }
  }

  /// Replaces a file so that readers see the old text or the new one, whatever happens meanwhile.
  ///
  /// - Parameter isDurable: flushed to disk before it takes its name. What does not outlive a boot needs no flush: after
  ///   a power cut its boot id is wrong anyway.
  package static func replace(
    _ path: String, with bytes: [UInt8], mode: FilePermissions = [.ownerReadWrite], isDurable: Bool = false
  ) throws(KernelError) {
    let temporary = temporary(path)
    do {
      try write(bytes, to: temporary, mode: mode, isDurable: isDurable)
      guard rename(temporary, path) == 0 else { throw Errno.last }
    } catch {
      unlink(temporary)
      throw failure("write", path, error)
    }
  }

  /// The path of a file's new text until it takes the file's name.
  package static func temporary(_ path: String) -> String { "\(path).new" }

  /// Writes into the file that is there: a bind mount of it shows the new text, where a renamed file would not.
  package static func overwrite(_ path: String, with bytes: [UInt8], mode: FilePermissions) throws(KernelError) {
    do {
      try write(bytes, to: path, mode: mode, isDurable: false)
    } catch {
      throw failure("write", path, error)
    }
  }

  private static func write(_ bytes: [UInt8], to path: String, mode: FilePermissions, isDurable: Bool) throws {
    let descriptor = Descriptor(
      adopting: try FileDescriptor.open(
        path, .writeOnly, options: [.create, .closeOnExec, .noFollow], permissions: mode))
    // The umask is the caller's, and no reason for a service's user not to read its /etc/hosts.
    guard fchmod(descriptor.rawValue, mode.rawValue) == 0 else { throw Errno.last }
    try descriptor.fileDescriptor.writeAll(bytes)
    guard ftruncate(descriptor.rawValue, off_t(bytes.count)) == 0 else { throw Errno.last }
    if isDurable { guard fsync(descriptor.rawValue) == 0 else { throw Errno.last } }
  }

  /// Writes a value to a file of the kernel's, such as a sysctl: nothing is made, nothing is cut.
  package static func set(_ path: String, to value: String) throws(KernelError) {
    do {
      let descriptor = Descriptor(adopting: try FileDescriptor.open(path, .writeOnly, options: [.closeOnExec]))
      try descriptor.fileDescriptor.writeAll(value.utf8)
    } catch {
      throw failure("set", path, error)
    }
  }

  /// Makes a folder and those above it; content with one that is there, which keeps its mode.
  ///
  /// - Parameter above: the mode of the folders above it that are made.
  package static func makeFolder(_ path: String, mode: mode_t = 0o700, above: mode_t = 0o755) throws(KernelError) {
    if mkdir(path, mode) != 0 {
      if errno == EEXIST { return }
      guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
        throw KernelError("make folder", path, errno: .last)
      }
      try makeFolder(String(path[..<slash]), mode: above, above: above)
      guard mkdir(path, mode) == 0 else {
        if errno == EEXIST { return }
        throw KernelError("make folder", path, errno: .last)
      }
    }
    // The umask is the caller's.
    guard mode & 0o077 == 0 || chmod(path, mode) == 0 else {
      throw KernelError("make folder", path, errno: .last)
    }
  }

  /// Takes a folder of root's away from all others; content with one that is not there.
  package static func closeToOthers(_ path: String) throws(KernelError) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_mode & 0o077 != 0 else { return }
    guard chmod(path, status.st_mode & 0o7700) == 0 else { throw KernelError("close to others", path, errno: .last) }
  }

  package static func makeFIFO(_ path: String) throws(KernelError) {
    guard mkfifo(path, 0o600) == 0 || errno == EEXIST else {
      throw KernelError("make FIFO", path, errno: .last)
    }
  }

  /// The names in a folder, in order; none when there is no such folder.
  package static func list(_ path: String) -> [String] {
    let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { return [] }
    let folder = Descriptor(adopting: number)
    return ((try? FolderEntry.all(in: folder.fileDescriptor)) ?? []).map(\.text).sorted()
  }

  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  /// True if two paths lead to the same file.
  package static func isSame(_ first: String, _ second: String) -> Bool {
    var (one, other) = (stat(), stat())
    guard stat(first, &one) == 0, stat(second, &other) == 0 else { return first == second }
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino
  }

  /// Removes a folder if nothing is in it.
  package static func removeIfEmpty(_ path: String) {
    rmdir(path)
  }

  private static func failure(_ action: String, _ path: String, _ error: any Error) -> KernelError {
    KernelError(action, path, errno: error as? Errno ?? .ioError)
  }
}
