import CLinux
import Glibc
import Kernel
import SystemPackage

/// The peer of a unix socket, as the kernel noted it when it connected (SO_PEERCRED, unix(7)).
struct PeerCredentials: Hashable, Sendable {
  let pid: pid_t
  let uid: uid_t
  let gid: gid_t
}

/// The socket that a supervisor and its commands meet at: `control.sock` in the stack's state folder.
package enum ControlSocket {
  /// The name inside the folder.
  static let name = "control.sock"

  package static func path(inFolder folder: String) -> String { "\(folder)/\(name)" }

  /// The longest path in sun_path, without its NUL (unix(7)).
  static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

  /// Makes the folder (0700) if need be and a listening socket (0600) in it, in place of one that is there.
  ///
  /// The socket is listening before it has its name, so whoever finds it can connect. Fails with EPERM when the folder
  /// is someone else's or open to others.
  package static func listen(inFolder folder: String, backlog: CInt = 512) throws(KernelError) -> Descriptor {
    if mkdir(folder, 0o700) != 0, errno != EEXIST {
      throw KernelError("create", folder, errno: .last)
    }
    let directory = try openFolder(folder)
    try checkOwnership(of: directory, at: folder)
    let socket = try makeSocket(nonBlocking: true)
    // The mode that bind(2) gives the name comes from the socket's own: there is no moment with another one.
    fchmod(socket.rawValue, 0o600)

    let temporary = ".\(name).\(getpid())"
    unlinkat(directory.rawValue, temporary, 0)
    guard withAddress(folder, directory, temporary, { bind(socket.rawValue, $0, $1) }) == 0,
      Glibc.listen(socket.rawValue, backlog) == 0,
      renameat(directory.rawValue, temporary, directory.rawValue, name) == 0
    else {
      let failure = Errno.last
      unlinkat(directory.rawValue, temporary, 0)
      throw KernelError("listen on", "\(folder)/\(name)", errno: failure)
    }
    return socket
  }

  /// True if somebody listens on the socket in `folder`.
  package static func isListening(inFolder folder: String) -> Bool {
    (try? connect(inFolder: folder, timeout: .milliseconds(100))) != nil
  }

  /// Connects to the socket in `folder`, waiting `timeout` at most for a place in its queue.
  ///
  /// Fails with ENOENT or ECONNREFUSED when nobody listens, EAGAIN when the time is up, EINTR on a signal.
  static func connect(inFolder folder: String, timeout: Duration) throws(KernelError) -> Descriptor {
    let directory = try openFolder(folder)
    let socket = try makeSocket(nonBlocking: false)
    // connect(2) on a unix socket waits as long as a send may (SO_SNDTIMEO); zero would mean for ever.
    let (seconds, attoseconds) = max(timeout, .milliseconds(1)).components
    var limit = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    setsockopt(socket.rawValue, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    guard withAddress(folder, directory, name, { Glibc.connect(socket.rawValue, $0, $1) }) == 0 else {
      throw KernelError("connect to", "\(folder)/\(name)", errno: .last)
    }
    try prepare(socket.rawValue)
    return socket
  }

  /// Makes an inherited socket ready for a server: it must be a unix stream socket that listens.
  static func adopt(_ socket: borrowing Descriptor) throws(KernelError) {
    let expected = [(SO_DOMAIN, AF_UNIX), (SO_TYPE, CInt(SOCK_STREAM.rawValue)), (SO_ACCEPTCONN, 1)]
    for (option, wanted) in expected {
      var value: CInt = 0
      var size = socklen_t(MemoryLayout<CInt>.size)
      guard getsockopt(socket.rawValue, SOL_SOCKET, option, &value, &size) == 0, value == wanted else {
        throw KernelError(
          "listen on", "descriptor \(socket.rawValue)", errno: .invalidArgument,
          detail: "it is not a listening unix stream socket")
      }
    }
    try prepare(socket.rawValue)
  }

  static func peer(of socket: borrowing Descriptor) throws(KernelError) -> PeerCredentials {
    // struct ucred, which is hidden from Swift: three 32-bit numbers (unix(7)).
    var numbers: (pid: pid_t, uid: uid_t, gid: gid_t) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: numbers))
    guard getsockopt(socket.rawValue, SOL_SOCKET, SO_PEERCRED, &numbers, &size) == 0 else {
      throw KernelError("identify", "the peer of a control connection", errno: .last)
    }
    return PeerCredentials(pid: numbers.pid, uid: numbers.uid, gid: numbers.gid)
  }

  private static func makeSocket(nonBlocking: Bool) throws(KernelError) -> Descriptor {
    let flags = CInt(SOCK_CLOEXEC.rawValue) | (nonBlocking ? CInt(SOCK_NONBLOCK.rawValue) : 0)
    let number = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | flags, 0)
    guard number >= 0 else { throw KernelError("create", "a unix socket", errno: .last) }
    return Descriptor(adopting: number)
  }

  static func prepare(_ number: CInt) throws(KernelError) {
    let flags = fcntl(number, F_GETFL)
    guard flags >= 0, fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0, fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else {
      throw KernelError("prepare", "descriptor \(number)", errno: .last)
    }
  }

  private static func openFolder(_ folder: String) throws(KernelError) -> Descriptor {
    let number = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw KernelError("open", folder, errno: .last) }
    return Descriptor(adopting: number)
  }

  private static func checkOwnership(of directory: borrowing Descriptor, at folder: String) throws(KernelError) {
    var status = stat()
    guard fstat(directory.rawValue, &status) == 0 else {
      throw KernelError("inspect", folder, errno: .last)
    }
    guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
      throw KernelError(
        "listen in", folder, errno: .notPermitted,
        detail: "it has owner \(status.st_uid) and mode 0\(String(status.st_mode & 0o7777, radix: 8))",
        remedy: "it must be yours with mode 0700")
    }
  }

  /// The address of `file` in the folder: its path where that fits, else its way through /proc and the open folder.
  private static func withAddress(
    _ folder: String, _ directory: borrowing Descriptor, _ file: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
  ) -> CInt {
    var path = "\(folder)/\(file)"
    if path.utf8.count > longestPath { path = "/proc/self/fd/\(directory.rawValue)/\(file)" }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(longestPath)) }
    return withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
