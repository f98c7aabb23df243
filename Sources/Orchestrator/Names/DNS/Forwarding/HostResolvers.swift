import Addresses
import Glibc
import Kernel
import SystemPackage

/// The host's own resolvers: the servers in /etc/resolv.conf (resolv.conf(5)). The file is read again when it has
/// changed.
struct HostResolvers {
  private let path: String
  private var state: State?
  private var servers: [IPAddress] = []

  /// The file's identity and time, by which a change is noticed.
  private struct State: Equatable {
    var inode: UInt
    var size: Int
    var seconds: Int
    var nanoseconds: Int
  }

  init(path: String = "/etc/resolv.conf") {
    self.path = path
  }

  mutating func current() -> [IPAddress] {
    var status = stat()
    let isThere = stat(path, &status) == 0
    let now = State(
      inode: isThere ? UInt(status.st_ino) : 0, size: Int(status.st_size), seconds: status.st_mtim.tv_sec,
      nanoseconds: status.st_mtim.tv_nsec)
    guard now != state else { return servers }
    let bytes = try? Files.read(path, limit: 1 << 16)
    servers = Self.servers(String(decoding: bytes ?? [], as: UTF8.self))
    state = now
    return servers
  }

  /// The first three (MAXNS), as for everybody else on the host; without any, the host's own.
  static func servers(_ text: String) -> [IPAddress] {
    let named = text.split(whereSeparator: \.isNewline).compactMap { line -> IPAddress? in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count > 1, words[0] == "nameserver" else { return nil }
      return IPAddress(String(words[1]))
    }
    return named.isEmpty ? [.v4(.loopback)] : Array(named.prefix(3))
  }
}
