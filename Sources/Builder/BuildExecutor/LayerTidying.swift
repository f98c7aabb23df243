import CImages
import Glibc
import Kernel
import SystemPackage

/// Makes the folder that a step has filled one that means the same on every host and whenever it is made.
struct LayerTidying {
  /// Times that are later are set to it. Seconds since 1970.
  var moment: Int64?
  /// True for what a command has written: it may have left sockets, and capabilities of its user namespace.
  var isOfCommand: Bool

  var isNeeded: Bool { moment != nil || isOfCommand }

  func tidy(_ path: String) throws(KernelError) {
    let root = Descriptor(
      adopting: try check("open", path) { open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) })
    try tidy(root, path)
  }

  private func tidy(_ folder: borrowing Descriptor, _ path: String) throws(KernelError) {
    let entries: [FolderEntry]
    do {
      entries = try FolderEntry.all(in: folder.fileDescriptor)
    } catch {
      throw KernelError("list", path, errno: error)
    }
    for entry in entries {
      var status = stat()
      try check("look at", entry.text) { fstatat(folder.rawValue, entry.name, &status, AT_SYMLINK_NOFOLLOW) }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        let inner = Descriptor(
          adopting: try check("open", entry.text) {
            openat(folder.rawValue, entry.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
          })
        try tidy(inner, "\(path)/\(entry.text)")
      case S_IFSOCK where isOfCommand:
        // It is of a process that has ended.
        try check("remove", entry.text) { unlinkat(folder.rawValue, entry.name, 0) }
        continue
      case S_IFREG where isOfCommand: try setCapability(of: entry, in: folder)
      default: break
      }
      try clamp(entry, status, in: folder)
    }
  }

  private func clamp(_ entry: FolderEntry, _ status: stat, in folder: borrowing Descriptor) throws(KernelError) {
    guard let moment else { return }
    let time = status.st_mtim
    guard Int64(time.tv_sec) > moment || Int64(time.tv_sec) == moment && time.tv_nsec > 0 else { return }
    try check("set the time of", entry.text) { images_set_time(folder.rawValue, entry.name, moment, 0) }
  }

  private static let capability = "security.capability"

  /// One of version 3 is for the root of the step's user namespace, which is nobody later (linux/capability.h).
  private func setCapability(of entry: FolderEntry, in folder: borrowing Descriptor) throws(KernelError) {
    let number = openat(folder.rawValue, entry.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard number >= 0 else { throw KernelError("open", entry.text, errno: .last) }
    let file = Descriptor(adopting: number)
    var value = [UInt8](repeating: 0, count: 64)
    guard images_attribute(file.rawValue, Self.capability, &value, value.count) == 24, value[3] == 3 else { return }
    let plain = Array(value[..<3]) + [2] + Array(value[4..<20])
    try check("set the capability of", entry.text) {
      images_set_attribute(file.rawValue, Self.capability, plain, plain.count)
    }
  }
}
