import Glibc

/// Text that takes the place of what it said before, where standard output is a terminal; else one after the other.
struct LiveTable {
  private let isLive: Bool
  private var height = 0

  init(isLive: Bool) {
    self.isLive = isLive
  }

  /// - Parameter isAppended: below what stands there, in any case.
  /// - Returns: false when nobody reads any more.
  mutating func show(_ text: String, isAppended: Bool = false) -> Bool {
    var output = text
    if isLive, !isAppended {
      // What does not fit would scroll away, and could not be overwritten.
      let room = max(Terminal.height(of: STDOUT_FILENO) - 1, 1)
      let all = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      let lines = all.count > room ? all.prefix(max(room - 1, 0)) + ["… \(all.count - room + 1) more"] : all
      output = (height > 0 ? "\u{1B}[\(height)A\r\u{1B}[J" : "") + lines.map { $0 + "\n" }.joined()
      height = lines.count
    }
    var bytes = Array(output.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      guard count > 0 || errno == EINTR else { return false }
      bytes = bytes.dropFirst(max(count, 0))
    }
    return true
  }
}
