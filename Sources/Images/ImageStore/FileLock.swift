import Glibc
import Kernel
import SystemPackage

/// A lock that ends with its holder (flock(2)), by a file of its own.
package struct FileLock: ~Copyable, Sendable {
  private let file: Descriptor
  private let path: String
  private let isRemoved: Bool

  package enum Mode: Sendable { case shared, exclusive }

  /// - Parameters:
  ///   - isRemoved: whether the file goes with the lock.
  ///   - wait: called once when somebody else has it; answers whether to wait.
  /// - Returns: nil when `wait` says no.
  package static func take(
    _ path: String, _ mode: Mode, isRemoved: Bool = false, wait: () -> Bool
  ) throws(KernelError) -> FileLock? {
    var mayWait: Bool?
    while true {
      let file = Descriptor(
        adopting: try check("lock", path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) })
      let operation = mode == .shared ? LOCK_SH : LOCK_EX
      if flock(file.rawValue, operation | LOCK_NB) != 0 {
        guard Errno.last == .wouldBlock else { throw KernelError("lock", path, errno: .last) }
        let isPatient = mayWait ?? wait()
        mayWait = isPatient
        guard isPatient else { return nil }
        try check("lock", path) { flock(file.rawValue, operation) }
      }
      // Whoever had it may have removed the file meanwhile: then others lock another one of that name.
      var (own, named) = (stat(), stat())
      if fstat(file.rawValue, &own) == 0, stat(path, &named) == 0, own.st_ino == named.st_ino {
        return FileLock(file: file, path: path, isRemoved: isRemoved)
      }
    }
  }

  private init(file: consuming Descriptor, path: String, isRemoved: Bool) {
    self.file = file
    (self.path, self.isRemoved) = (path, isRemoved)
  }

  deinit {
    if isRemoved { unlink(path) }
  }
}
