import SystemPackage

/// What the kernel refused: what was being done, to what, what the kernel said, and what to do now.
///
/// `web/web1: cannot mount overlay on /run/stack/web/…: No space left on device (ENOSPC)`
public struct KernelError: Error, Hashable, Sendable {
  /// What was being done, as it follows "cannot": `create veth`, `mount overlay`.
  public var action: String
  /// What it was being done to: a path, a link's name, a process.
  public var subject: String
  /// What the kernel answered.
  public var errno: Errno
  /// The kernel's own words beyond the number: a netlink extended acknowledgement, a mount context's log.
  public var detail: String?
  /// What the reader can do now, as a sentence without its full stop.
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
