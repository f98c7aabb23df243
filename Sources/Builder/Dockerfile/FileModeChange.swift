/// The value of `--chmod`: an octal mode, or changes as chmod(1) has them (`u+x,go=rX`).
///
/// A clause without `u`, `g`, `o` or `a` means all three: no umask holds for a build.
package struct FileModeChange: Sendable, Hashable {
  private enum Operator: Character { case add = "+", remove = "-", set = "=" }

  private struct Clause: Sendable, Hashable {
    /// The bits of those that it is about: 0o4700, 0o2070, 0o1007.
    var who: UInt32
    var sign: Operator
    /// Bits of every class.
    var bits: UInt32 = 0
    /// `X`: execution for folders, and for files that somebody may execute.
    var executesIfSome = false
    /// The class whose permissions are taken over: 6 for `u`, 3 for `g`, 0 for `o`.
    var copied: UInt32?
  }

  private var absolute: UInt32?
  private var clauses: [Clause] = []

  /// Nil for a text that is neither.
  package init?(_ text: String) {
    if let first = text.utf8.first, first.isDigit {
      guard let mode = UInt32(text, radix: 8), mode <= 0o7777 else { return nil }
      absolute = mode
      return
    }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let clauses = Self.clauses(part) else { return nil }
      self.clauses += clauses
    }
  }

  /// The clauses of one part: `u+x`, `go-w+r`, `=rw`.
  private static func clauses(_ part: Substring) -> [Clause]? {
    var who: UInt32 = 0
    var rest = part
    while let letter = rest.first, let bits = classes[letter] {
      who |= bits
      rest = rest.dropFirst()
    }
    if who == 0 { who = 0o7777 }
    var clauses: [Clause] = []
    while let sign = rest.first.flatMap(Operator.init(rawValue:)) {
      rest = rest.dropFirst()
      var clause = Clause(who: who, sign: sign)
      if let letter = rest.first, let place = ["u": 6, "g": 3, "o": 0][letter] as UInt32? {
        clause.copied = place
        rest = rest.dropFirst()
      } else {
        while let letter = rest.first, letter == "X" || permissions[letter] != nil {
          clause.executesIfSome = clause.executesIfSome || letter == "X"
          clause.bits |= permissions[letter] ?? 0
          rest = rest.dropFirst()
        }
      }
      clauses.append(clause)
    }
    return clauses.isEmpty || !rest.isEmpty ? nil : clauses
  }

  private static let classes: [Character: UInt32] = ["u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777]
  /// The set-id bits count for the class that they belong to; the sticky bit for all.
  private static let permissions: [Character: UInt32] = [
    "r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000,
  ]

  /// The mode that a file gets.
  ///
  /// - Parameter mode: permissions and set-id bits.
  package func applied(to mode: UInt32, isFolder: Bool) -> UInt32 {
    if let absolute { return absolute }
    return clauses.reduce(mode & 0o7777) { mode, clause in
      var bits = clause.bits
      if clause.executesIfSome, isFolder || mode & 0o111 != 0 { bits |= 0o111 }
      if let place = clause.copied {
        let own = mode >> place & 0o7
        bits = own << 6 | own << 3 | own
      }
      bits &= clause.who
      switch clause.sign {
      case .add: return mode | bits
      case .remove: return mode & ~bits
      // A folder keeps the set-id bits that are not named, as with chmod(1).
      case .set: return mode & ~(clause.who & (isFolder ? 0o1777 : 0o7777)) | bits
      }
    }
  }
}
