import Glibc
import SystemPackage

/// A file descriptor with one owner: it is closed when its owner goes, and cannot be copied or closed twice.
///
/// Lend ``fileDescriptor`` to calls that need the number for a moment; keep none of the copies.
public struct Descriptor: ~Copyable, Sendable {
  /// The number, on loan.
  public let fileDescriptor: FileDescriptor

  /// Takes over a descriptor that nobody else will close.
  public init(adopting fileDescriptor: FileDescriptor) {
    self.fileDescriptor = fileDescriptor
  }

  /// Takes over a descriptor that nobody else will close.
  public init(adopting rawValue: CInt) {
    self.init(adopting: FileDescriptor(rawValue: rawValue))
  }

  /// The number, on loan.
  public var rawValue: CInt { fileDescriptor.rawValue }

  /// Gives the descriptor up without closing it: the caller owns it now.
  public consuming func release() -> FileDescriptor {
    let released = fileDescriptor
    discard self
    return released
  }

  /// The same open file under a number of its own.
  public func duplicate() throws(KernelError) -> Descriptor {
    Descriptor(adopting: try check("duplicate", "a descriptor") { fcntl(rawValue, F_DUPFD_CLOEXEC, 3) })
  }

  /// The same open file under a number of 1,024 or more, or under its own where the limit on numbers forbids that.
  ///
  /// For descriptors that are kept long. Low numbers stay free for short use, and a process that is being made copies
  /// only the low ones.
  public consuming func raised() -> Descriptor {
    let number = fcntl(rawValue, F_DUPFD_CLOEXEC, 1024)
    guard number >= 0 else { return self }
    return Descriptor(adopting: number)
  }

  deinit {
    // A failing close leaves nothing to do: Linux frees the number in any case (close(2)).
    try? fileDescriptor.close()
  }
}
