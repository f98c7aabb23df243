import Glibc
import Kernel

/// Finds the processes that hold sockets, by walking /proc as ss(8) does.
enum SocketOwners {
  struct Owner: Hashable, Sendable {
    var name: String
    var pid: Int32
  }

  /// - Parameter inodes: the sockets looked for; the walk ends when all are found.
  static func find(_ inodes: Set<UInt32>) -> [UInt32: Owner] {
    var owners: [UInt32: Owner] = [:]
    for entry in Files.list("/proc") {
      guard let pid = Int32(entry) else { continue }
      for descriptor in Files.list("/proc/\(pid)/fd") {
        guard let inode = socketInode("/proc/\(pid)/fd/\(descriptor)"), inodes.contains(inode), owners[inode] == nil
        else { continue }
        owners[inode] = Owner(name: commandName(pid), pid: pid)
      }
      if owners.count == inodes.count { break }
    }
    return owners
  }

  /// A descriptor of a socket is a link to `socket:[12345]` (proc(5)).
  private static func socketInode(_ path: String) -> UInt32? {
    var target = [CChar](repeating: 0, count: 64)
    let count = readlink(path, &target, target.count)
    guard count > 0 else { return nil }
    let text = String(decoding: target.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard text.hasPrefix("socket:["), text.hasSuffix("]") else { return nil }
    return UInt32(text.dropFirst(8).dropLast())
  }

  private static func commandName(_ pid: Int32) -> String {
    let bytes = try? Files.read("/proc/\(pid)/comm", limit: 64)
    return String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
