import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// The process whose namespaces another is about to enter, looked at through /proc.
struct Target {
  private let pidfd: FileDescriptor
  private let number: Int32

  init(_ pidfd: FileDescriptor) throws(KernelError) {
    let path = "/proc/self/fdinfo/\(pidfd.rawValue)"
    let bytes = try Descriptor.open(path, O_RDONLY).read(upTo: 4096, path: path)
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    let number = lines.first { $0.hasPrefix("Pid:") }.flatMap { line in
      line.dropFirst(4).split(whereSeparator: { $0 == " " || $0 == "\t" }).first.flatMap { Int32($0) }
    }
    guard let number, number > 0 else { throw KernelError("enter", "the service", errno: .noSuchProcess) }
    self.pidfd = pidfd
    self.number = number
  }

  /// Its root folder.
  func root() throws(KernelError) -> Descriptor {
    let root = try Descriptor.open("/proc/\(number)/root", OpenFlag.path | O_DIRECTORY)
    try checkAlive()
    return root
  }

  /// The ids that its users are outside; `nil` when it is in the caller's own user namespace, which cannot be entered once
  /// more (setns(2)).
  func identities() throws(KernelError) -> IdentityRange? {
    let (own, other) = (try Self.file("/proc/self/ns/user"), try Self.file("/proc/\(number)/ns/user"))
    if own == other { return nil }
    let path = "/proc/\(number)/uid_map"
    let map = String(decoding: try Descriptor.open(path, O_RDONLY).read(upTo: 4096, path: path), as: UTF8.self)
    try checkAlive()
    // Inside, outside as the reader counts, how many (user_namespaces(7)).
    let fields = map.split(whereSeparator: \.isWhitespace)
    guard fields.count >= 3, let first = UInt32(fields[1]) else {
      throw KernelError("enter", "the service", errno: .badMessage, detail: "\(path) is not as expected")
    }
    return IdentityRange(first: first)
  }

  private static func file(_ path: String) throws(KernelError) -> UInt64 {
    var status = stat()
    try check("look at", path) { fstatat(AT_FDCWD, path, &status, 0) }
    return UInt64(status.st_ino)
  }

  /// Still the same process, so the number was its own when its paths were used.
  private func checkAlive() throws(KernelError) {
    try check("enter", "the service") { stack_pidfd_send_signal(pidfd.rawValue, 0) }
  }
}
