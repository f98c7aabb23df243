import Glibc
import SystemPackage

/// Runs a system call again while it is interrupted, and throws what the kernel said when it fails.
@discardableResult
public func check(
  _ action: String, _ subject: @autoclosure () -> String, _ call: () -> CInt
) throws(KernelError) -> CInt {
  while true {
    let answer = call()
    if answer >= 0 { return answer }
    let code = Errno.last
    if code == .interrupted { continue }
    let remedy = code == .noFunction ? "this takes Linux 6.1 or newer" : nil
    throw KernelError(action, subject(), errno: code, remedy: remedy)
  }
}

extension FileDescriptor {
  /// Reads to the end; EFBIG when that is more than `limit` bytes. The file may grow meanwhile, and those of /proc say that
  /// they are empty: what counts is what is read.
  public func readAll(limit: Int) throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: max(min(limit, 65535), 0) + 1)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(rawValue, $0.baseAddress, $0.count) }
      if count < 0 {
        if Errno.last == .interrupted { continue }
        throw .last
      }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      if bytes.count > limit { throw .fileTooLarge }
    }
  }

  /// Writes all of it, however slowly it is taken: where a write would block it is waited for.
  public func writeInFull(_ bytes: some Sequence<UInt8>) throws(Errno) {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
        continue
      }
      switch Errno.last {
      case .interrupted: continue
      case .resourceTemporarilyUnavailable:
        var waiting = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, -1)
      case let failure: throw failure
      }
    }
  }
}
