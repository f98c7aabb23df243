import SystemPackage

/// A refusal of the kernel: the action, its subject, the kernel's error, and a remedy.
///
/// `web/web1: cannot mount overlay on /run/stack/web/…: No space left on device (ENOSPC)`
public struct KernelError: Error, Hashable, Sendable {
  /// The action, as it follows "cannot": `create veth`, `mount overlay`.
  public var action: String
  /// The subject of the action: a path, a link's name, a process.
  public var subject: String
  /// The kernel's answer.
  public var errno: Errno
  /// The kernel's own words beyond the number: a netlink extended acknowledgement, a mount context's log.
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
