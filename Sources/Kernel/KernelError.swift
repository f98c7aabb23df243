import SystemPackage

/// An error of a system call: the action that failed, its subject, the errno and a remedy.
///
/// `web/web1: cannot mount overlay on /run/stack/web/…: No space left on device (ENOSPC)`
public struct KernelError: Error, Hashable, Sendable {
  /// The action, printed after "cannot": `create veth`, `mount overlay`.
  public var action: String
  /// The subject of the action: a path, a link's name, a process.
  public var subject: String
  /// The error number (errno(3)).
  public var errno: Errno
  /// A longer explanation, mostly the kernel's: a netlink extended acknowledgement, the log of a mount context
  /// (fsopen(2)).
  public var detail: String?
  /// The remedy, as a sentence without its full stop.
  public var remedy: String?

  public init(_ action: String, _ subject: String, errno: Errno, detail: String? = nil, remedy: String? = nil) {
    self.action = action
    self.subject = subject
    self.errno = errno
    self.detail = detail
    self.remedy = remedy
  }
}

extension KernelError: CustomStringConvertible {
  public var description: String {
    let words = detail.map { " (\(VisibleText.line($0)))" } ?? ""
    let advice = remedy.map { "\n  \($0)" } ?? ""
    return "cannot \(action) \(VisibleText.line(subject)): \(errno)\(words)\(advice)"
  }
}
